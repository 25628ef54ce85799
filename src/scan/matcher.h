// Runs the pattern rules over one text: anchors first, then the patterns of a rule on windows around its
// anchors.
#pragma once

#include "scan/fold.h"
#include "scan/ruleset.h"

#include <cstddef>
#include <string_view>
#include <vector>

namespace imprimatur::scan {

// Where a rule's pattern matched: in the folded text for rules that read it, mapped to raw bytes in `start`,
// `end`.
struct PatternMatch {
  std::size_t rule = 0;  // index in Ruleset::rules()
  std::size_t start = 0;
  std::size_t end = 0;
  std::size_t folded_start = 0;  // equal to start and end for rules that read the raw text
  std::size_t folded_end = 0;
};

// One a thread and scan; keeps its memory between texts.
class Matcher {
 public:
  explicit Matcher(const Ruleset& rules);

  // In order of rule and position. False when a rule matched more than `matches_per_rule` times; what was
  // found up to then is in `out`.
  bool match(std::string_view raw, const FoldedText& folded, std::size_t matches_per_rule,
             std::vector<PatternMatch>& out);

  // The places in the raw text of the last call that hold a common word in rot13 or backwards.
  struct SurfaceHit {
    Encoding encoding;
    std::size_t at;
  };
  const std::vector<SurfaceHit>& surface_hits() const { return surface_hits_; }

 private:
  struct Window {
    std::size_t start;
    std::size_t end;
  };
  void collect_windows(std::string_view raw, const FoldedText& folded);
  bool run_rule(std::size_t rule, std::string_view raw, const FoldedText& folded,
                std::size_t matches_per_rule, std::vector<PatternMatch>& out);

  const Ruleset& rules_;
  std::vector<std::vector<Window>> windows_;  // by rule
  std::vector<std::size_t> touched_;          // rules that have windows
  std::vector<SurfaceHit> surface_hits_;
};

}  // namespace imprimatur::scan
