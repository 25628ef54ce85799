#include "scan/score.h"

#include "base/property_test.h"

#include <gtest/gtest.h>

namespace imprimatur::scan {
namespace {

Finding finding(Severity severity, Category category, int confidence = 100) {
  Finding out;
  out.severity = severity;
  out.category = category;
  out.confidence = confidence;
  return out;
}

TEST(Score, SeveritySetsTheRange) {
  const Exposure full{100};
  EXPECT_EQ(score_of({}, full), 0);
  EXPECT_EQ(score_of({finding(Severity::info, Category::injection_risk)}, full), 0);
  EXPECT_EQ(score_of({finding(Severity::low, Category::injection_risk)}, full), 19);
  EXPECT_EQ(score_of({finding(Severity::medium, Category::injection_risk)}, full), 39);
  EXPECT_EQ(score_of({finding(Severity::high, Category::injection_risk)}, full), 69);
  EXPECT_EQ(score_of({finding(Severity::critical, Category::injection_risk)}, full), 90);
  EXPECT_EQ(score_of({finding(Severity::critical, Category::injection_risk, 1)}, full), 70);
  EXPECT_EQ(score_of({finding(Severity::high, Category::injection_risk, 10)}, full), 40);
  EXPECT_EQ(score_of(std::vector<Finding>(3, finding(Severity::high, Category::injection_risk, 10)), full),
            60);
}

TEST(Score, StatusFollowsScoreAndWorst) {
  const std::vector<Finding> critical = {finding(Severity::critical, Category::injection_risk)};
  EXPECT_EQ(status_of(critical, 70), ScanStatus::fail);
  EXPECT_EQ(status_of({}, 70), ScanStatus::fail);
  EXPECT_EQ(status_of({}, 69), ScanStatus::warn);
  EXPECT_EQ(status_of({}, 40), ScanStatus::warn);
  EXPECT_EQ(status_of({}, 39), ScanStatus::pass);
}

TEST(Score, AnotherFindingNeverLowersIt) {
  for_random(500, [](Random& random) {
    std::vector<Finding> findings;
    int before = 0;
    const Exposure exposure{random.pick(std::vector<int>{70, 100, 110})};
    for (std::size_t n = 1 + random.below(12); n > 0; --n) {
      findings.push_back(finding(static_cast<Severity>(random.below(5)),
                                 static_cast<Category>(random.below(kCategories)), random.between(1, 100)));
      const int after = score_of(findings, exposure);
      EXPECT_GE(after, before);
      EXPECT_LE(after, 100);
      before = after;
    }
  });
}

}  // namespace
}  // namespace imprimatur::scan
