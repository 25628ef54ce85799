// Makes a report out of what rules saw: text into lines and columns, credentials into masks, order into
// order.
#pragma once

#include "scan/document.h"
#include "scan/finding.h"
#include "scan/ruleset.h"

#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::scan {

class ReportBuilder {
 public:
  void add(const RuleSpec& rule, Match match) { seen_.push_back({&rule, std::move(match)}); }

  // Status, score and findings; the digests are the caller's. At most `most` findings, the worst first: what
  // is left out is counted in `omitted`.
  ScanReport finish(const Document& document, std::size_t most);
  std::size_t omitted() const { return omitted_; }

 private:
  struct Seen {
    const RuleSpec* rule;
    Match match;
  };
  void sort_and_merge();
  std::string evidence_of(const Document& document, const Seen& seen) const;
  void fingerprint(const Document& document, const Seen& seen, Finding& finding) const;

  // Bytes of a text that no excerpt may show.
  struct Hidden {
    std::size_t text;
    std::size_t start;
    std::size_t end;
  };
  void collect_hidden();

  std::vector<Seen> seen_;
  std::vector<Hidden> hidden_;  // in order, apart from each other
  std::size_t omitted_ = 0;
};

// The first characters and the last two, enough to find the thing again and not enough to use it.
std::string masked(std::string_view secret);

}  // namespace imprimatur::scan
