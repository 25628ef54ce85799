#include "scan/ruleset.h"

#include "base/hash.h"
#include "scan/predicates.h"
#include "scan/validators.h"

#include <algorithm>
#include <array>
#include <map>

#include <re2/re2.h>

namespace imprimatur::scan {
namespace {

using Patterns = std::vector<std::unique_ptr<const re2::RE2>>;

Error at(const RuleSpec& rule, const std::string& message) {
  return invalid(rule.pack + ":" + std::to_string(rule.line) + ": rule " + rule.id + ": " + message);
}

Result<Patterns> compile_patterns(const RuleSpec& rule, const std::vector<std::string>& sources) {
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(4 << 20);
  Patterns out;
  for (const std::string& source : sources) {
    auto pattern = std::make_unique<const re2::RE2>(source, options);
    if (!pattern->ok())
      return at(rule, "the pattern \"" + source + "\" does not compile: " + pattern->error());
    out.push_back(std::move(pattern));
  }
  return out;
}

Result<CompiledRule> compile_rule(RuleSpec spec) {
  CompiledRule rule;
  rule.patterns = TRY(compile_patterns(spec, spec.patterns));
  rule.unless = TRY(compile_patterns(spec, spec.unless));
  for (const std::string& name : spec.validators) {
    const Validator validator = validator_named(name);
    if (validator == nullptr) return at(spec, "there is no validator \"" + name + "\"");
    rule.validators.push_back(validator);
  }
  if (!spec.predicate.empty()) {
    rule.predicate = predicate_named(spec.predicate);
    if (rule.predicate == nullptr) return at(spec, "there is no predicate \"" + spec.predicate + "\"");
  }
  if (spec.reading == Reading::raw && spec.context != ContextFilter::none)
    return at(spec, "a rule that reads the raw text cannot have a context filter");
  rule.spec = std::move(spec);
  return rule;
}

// Words that every planted instruction has some of, and that mean nothing when turned.
constexpr std::array<std::string_view, 22> kTellTales = {
    "ignore",  "instruction", "previous", "prompt", "system",   "please",  "following", "everything",
    "write",   "respond",     "answer",   "secret", "rules",    "without", "assistant", "should",
    "message", "repeat",      "pretend",  "output", "sentence", "continue"};

std::string turned(std::string_view word, Encoding encoding) {
  std::string out(word);
  if (encoding == Encoding::reversed)
    std::reverse(out.begin(), out.end());
  else
    for (char& c : out) c = static_cast<char>((c - 'a' + 13) % 26 + 'a');
  return out;
}

bool is_ascii_word(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

}  // namespace

Ruleset::Ruleset() = default;
Ruleset::Ruleset(Ruleset&&) noexcept = default;
Ruleset& Ruleset::operator=(Ruleset&&) noexcept = default;
Ruleset::~Ruleset() = default;

Result<Ruleset> Ruleset::compile(std::span<const PackSource> packs) {
  Ruleset out;
  for (const PackSource& pack : packs)
    for (RuleSpec& spec : TRY(load_pack(pack))) out.rules_.push_back(TRY(compile_rule(std::move(spec))));
  std::sort(out.rules_.begin(), out.rules_.end(),
            [](const CompiledRule& a, const CompiledRule& b) { return a.spec.id < b.spec.id; });
  for (std::size_t i = 1; i < out.rules_.size(); ++i)
    if (out.rules_[i - 1].spec.id == out.rules_[i].spec.id)
      return at(out.rules_[i].spec, "its id is also in " + out.rules_[i - 1].spec.pack);

  Sha256 hash;
  hash.add(kEngineVersion);
  std::map<std::string, std::vector<std::uint32_t>> anchors;
  for (std::uint32_t index = 0; index < out.rules_.size(); ++index) {
    const RuleSpec& spec = out.rules_[index].spec;
    hash.add(canonical_form(spec));
    for (const std::string& anchor : spec.anchors) {
      std::vector<std::uint32_t>& rules = anchors[anchor];
      if (rules.empty() || rules.back() != index) rules.push_back(index);
    }
  }
  std::vector<std::string> keywords;
  for (auto& [anchor, rules] : anchors) {
    if (anchor.size() > 200) return at(out.rules_[rules.front()].spec, "an anchor is too long");
    keywords.push_back(anchor);
    out.anchors_.push_back(
        {static_cast<std::uint16_t>(anchor.size()), is_ascii_word(anchor.front()), std::move(rules), {}});
  }
  for (const Encoding encoding : {Encoding::rot13, Encoding::reversed}) {
    for (const std::string_view word : kTellTales) {
      keywords.push_back(turned(word, encoding));
      out.anchors_.push_back({static_cast<std::uint16_t>(word.size()), false, {}, encoding});
    }
  }
  out.automaton_ = std::make_unique<const AhoCorasick>(keywords);
  out.digest_ = "sha256:" + to_hex(hash.finish());
  return out;
}

Result<Ruleset> Ruleset::built_in(std::span<const PackSource> more) {
  std::vector<PackSource> packs = embedded_packs();
  packs.insert(packs.end(), more.begin(), more.end());
  return compile(packs);
}

}  // namespace imprimatur::scan
