// Rule packs, compiled once: one automaton over every anchor, one RE2 a pattern.
#pragma once

#include "base/result.h"
#include "scan/aho_corasick.h"
#include "scan/decode.h"
#include "scan/pack.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace imprimatur::scan {

struct Match;
struct Document;
using Validator = bool (*)(std::string_view matched);
using Predicate = void (*)(const Document& document, const RuleSpec& rule, std::vector<Match>& out);

struct CompiledRule {
  RuleSpec spec;
  std::vector<std::unique_ptr<const re2::RE2>> patterns;
  std::vector<std::unique_ptr<const re2::RE2>> unless;
  std::vector<Validator> validators;
  Predicate predicate = nullptr;
};

// Changes when the engine would report something else for the same rules.
inline constexpr std::string_view kEngineVersion = "imprimatur-scan-2";

// Immutable, and safe from any thread.
class Ruleset {
 public:
  // Errors name the pack, the rule and the line. A rule id may appear in one pack only.
  static Result<Ruleset> compile(std::span<const PackSource> packs);
  // The packs this program ships with, and `more` beside them.
  static Result<Ruleset> built_in(std::span<const PackSource> more = {});

  Ruleset(Ruleset&&) noexcept;
  Ruleset& operator=(Ruleset&&) noexcept;
  ~Ruleset();

  // "sha256:<hex>" over the engine version and every rule, in order of id.
  const std::string& digest() const { return digest_; }
  const std::vector<CompiledRule>& rules() const { return rules_; }

 private:
  friend class Matcher;
  Ruleset();

  struct Anchor {
    std::uint16_t length;
    bool at_word_start;  // counts only where no letter or digit stands before it
    std::vector<std::uint32_t> rules;
    std::optional<Encoding> surface;  // a common word in this encoding: the line around it is worth decoding
  };

  std::vector<CompiledRule> rules_;  // in order of id
  std::vector<Anchor> anchors_;
  std::unique_ptr<const AhoCorasick> automaton_;
  std::string digest_;
};

// rules/*.yaml as they were when the program was built.
std::vector<PackSource> embedded_packs();

}  // namespace imprimatur::scan
