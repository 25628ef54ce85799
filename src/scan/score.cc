#include "scan/score.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace imprimatur::scan {
namespace {

// Hundredths of a point.
std::int64_t base_points(Severity severity) {
  switch (severity) {
    case Severity::critical: return 900;
    case Severity::high: return 700;
    case Severity::medium: return 450;
    case Severity::low: return 200;
    case Severity::info: return 0;
  }
  return 0;
}

std::int64_t points(const Finding& finding, Exposure exposure) {
  const std::int64_t base = base_points(finding.severity);
  return std::min(base * finding.confidence * exposure.per_cent / 10'000, base + 100);
}

struct Range {
  int least;
  int most;
};

Range range_of(Severity worst, std::size_t high) {
  switch (worst) {
    case Severity::critical: return {70, 100};
    case Severity::high: return {high >= 3 ? 60 : 40, 69};
    case Severity::medium: return {20, 39};
    case Severity::low: return {1, 19};
    case Severity::info: return {0, 0};
  }
  return {0, 0};
}

}  // namespace

int score_of(const std::vector<Finding>& findings, Exposure exposure) {
  std::array<std::int64_t, kCategories> strongest{};
  Severity worst = Severity::info;
  std::size_t high = 0;
  for (const Finding& finding : findings) {
    auto& best = strongest.at(static_cast<std::size_t>(finding.category));
    best = std::max(best, points(finding, exposure));
    worst = std::max(worst, finding.severity);
    high += finding.severity == Severity::high ? 1 : 0;
  }
  std::sort(strongest.rbegin(), strongest.rend());
  constexpr std::int64_t kOne = 1'000'000'000;
  std::int64_t clean = kOne;
  for (std::size_t i = 0; i < strongest.size() && i < 20; ++i) {
    const std::int64_t part =
        strongest[i] * (kOne / 1'000) >> i;  // points / 10, halved for each stronger one
    clean = clean * ((kOne - part) / 1'000) / (kOne / 1'000);
  }
  const int raw = static_cast<int>((kOne - clean) / (kOne / 100));
  const Range range = range_of(worst, high);
  return std::clamp(raw, range.least, range.most);
}

ScanStatus status_of(const std::vector<Finding>& findings, int score) {
  const bool critical = std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
    return finding.severity == Severity::critical;
  });
  if (critical || score >= 70) return ScanStatus::fail;
  return score >= 40 ? ScanStatus::warn : ScanStatus::pass;
}

}  // namespace imprimatur::scan
