#include "scan/fold.h"

#include "base/property_test.h"

#include <gtest/gtest.h>

namespace imprimatur::scan {
namespace {

std::string folded(std::string_view raw) { return std::string(FoldedText(raw).text()); }

TEST(Fold, MakesPlainWhatReadsAsPlain) {
  EXPECT_EQ(folded("IGNORE Me"), "ignore me");
  EXPECT_EQ(folded("\xEF\xBC\xA9gnore"), "ignore");                     // full width
  EXPECT_EQ(folded("ig\xE2\x80\x8Bnore"), "ignore");                    // zero width space
  EXPECT_EQ(folded("\xF0\x9D\x90\xA2\xF0\x9D\x90\xA0nore"), "ignore");  // mathematical bold
  EXPECT_EQ(folded("ign\xD0\xBEr\xD0\xB5"), "ignore");                  // Cyrillic o and e
  EXPECT_EQ(folded("\xF3\xA0\x81\xA1x"), "x");                          // a tag character
}

TEST(Fold, LeavesOtherScriptsAlone) {
  const std::string russian = "\xD0\xB8\xD0\xB3\xD0\xBD\xD0\xBE\xD1\x80";
  EXPECT_EQ(folded(russian), russian);
  EXPECT_EQ(folded("\xE5\xBF\xBD\xE7\x95\xA5"), "\xE5\xBF\xBD\xE7\x95\xA5");
  EXPECT_EQ(folded("\xD0\xBE \xCE\xB1"), "\xD0\xBE \xCE\xB1");  // a letter alone is no disguise
}

TEST(Fold, PositionsLeadBack) {
  const std::string raw =
      "a\xE2\x80\x8B"
      "B\xEF\xBC\xA3 ign\xD0\xBEre";
  const FoldedText text(raw);
  ASSERT_EQ(text.text(), "abc ignore");
  EXPECT_EQ(text.raw_start(0), 0u);
  EXPECT_EQ(text.raw_start(1), raw.find('B'));
  EXPECT_EQ(text.raw_start(2), raw.find("\xEF\xBC\xA3"));
  const std::size_t word = text.text().find("ignore");
  EXPECT_EQ(raw.substr(text.raw_start(word), text.raw_end(word + 6) - text.raw_start(word)), "ign\xD0\xBEre");
}

TEST(Fold, PositionsStayInOrderAndWithinBounds) {
  for_random(300, [](Random& random) {
    const std::string raw = random.text(
        {"a", "Z", " ", "\n", "\xC3\x89", "\xC7\x86", "\xEF\xAC\x81", "\xD0\xBE", "\xD0\xB6", "\xE2\x80\x8B",
         "\xF3\xA0\x81\xA1", "\xCE\x90", "\xE1\x84\x80\xE1\x85\xA1", "e\xCC\x81", "\xF0\x9D\x90\xA2"},
        40);
    const FoldedText text(raw);
    std::size_t last = 0;
    for (std::size_t at = 0; at <= text.text().size(); ++at) {
      EXPECT_GE(text.raw_start(at), last) << raw;
      EXPECT_LE(text.raw_start(at), raw.size()) << raw;
      EXPECT_LE(text.raw_end(at), raw.size()) << raw;
      if (at < text.text().size()) {
        EXPECT_GT(text.raw_end(at + 1), text.raw_start(at)) << raw;
      }
      last = text.raw_start(at);
    }
  });
}

}  // namespace
}  // namespace imprimatur::scan
