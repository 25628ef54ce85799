#include "scan/matcher.h"

#include <algorithm>

#include <re2/re2.h>

namespace imprimatur::scan {
namespace {

bool is_word_byte(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

bool accepts(const CompiledRule& rule, std::string_view matched) {
  for (const auto& pattern : rule.unless)
    if (RE2::PartialMatch(re2::StringPiece(matched.data(), matched.size()), *pattern)) return false;
  return std::all_of(rule.validators.begin(), rule.validators.end(),
                     [matched](Validator validator) { return validator(matched); });
}

}  // namespace

Matcher::Matcher(const Ruleset& rules) : rules_(rules), windows_(rules.rules().size()) {}

void Matcher::collect_windows(std::string_view raw, const FoldedText& folded) {
  const std::string_view text = folded.text();
  rules_.automaton_->each(text, [&](std::uint32_t number, std::size_t end) {
    const Ruleset::Anchor& anchor = rules_.anchors_[number];
    const std::size_t start = end - anchor.length;
    if (anchor.at_word_start && start > 0 && is_word_byte(text[start - 1])) return;
    if (anchor.surface) {
      surface_hits_.push_back({*anchor.surface, folded.raw_start(start)});
      return;
    }
    for (const std::uint32_t index : anchor.rules) {
      const RuleSpec& spec = rules_.rules_[index].spec;
      const bool in_raw = spec.reading == Reading::raw;
      const std::size_t from = in_raw ? folded.raw_start(start) : start;
      const std::size_t to = in_raw ? folded.raw_end(end) : end;
      const std::size_t size = in_raw ? raw.size() : text.size();
      const Window window{from - std::min(from, spec.window_before), std::min(size, to + spec.window_after)};
      std::vector<Window>& windows = windows_[index];
      if (windows.empty()) touched_.push_back(index);
      // Ends grow with the scan, so only the last window can overlap. Starts may not, by the lengths of
      // anchors.
      if (!windows.empty() && window.start <= windows.back().end) {
        windows.back().start = std::min(windows.back().start, window.start);
        windows.back().end = std::max(windows.back().end, window.end);
      } else {
        windows.push_back(window);
      }
    }
  });
}

bool Matcher::run_rule(std::size_t index, std::string_view raw, const FoldedText& folded,
                       std::size_t matches_per_rule, std::vector<PatternMatch>& out) {
  const CompiledRule& rule = rules_.rules_[index];
  const bool in_raw = rule.spec.reading == Reading::raw;
  const std::string_view text = in_raw ? raw : folded.text();
  const re2::StringPiece subject(text.data(), text.size());
  std::size_t matches = 0;
  for (const auto& pattern : rule.patterns) {
    const bool group = pattern->NumberOfCapturingGroups() > 0;
    std::size_t done = 0;
    for (const Window& window : windows_[index]) {
      std::size_t at = std::max(window.start, done);
      while (at < window.end && is_continuation(text[at])) ++at;
      re2::StringPiece found[2];
      while (at < window.end &&
             pattern->Match(subject, at, window.end, RE2::UNANCHORED, found, group ? 2 : 1)) {
        const re2::StringPiece& hit = group && found[1].data() != nullptr ? found[1] : found[0];
        const std::size_t start = static_cast<std::size_t>(hit.data() - text.data());
        const std::size_t end = start + hit.size();
        at = std::max<std::size_t>(static_cast<std::size_t>(found[0].data() - text.data()) + found[0].size(),
                                   at + 1);
        done = at;
        if (hit.empty() || !accepts(rule, text.substr(start, hit.size()))) continue;
        if (++matches > matches_per_rule) return false;
        if (in_raw)
          out.push_back({index, start, end, start, end});
        else
          out.push_back({index, folded.raw_start(start), folded.raw_end(end), start, end});
      }
    }
  }
  return true;
}

bool Matcher::match(std::string_view raw, const FoldedText& folded, std::size_t matches_per_rule,
                    std::vector<PatternMatch>& out) {
  surface_hits_.clear();
  collect_windows(raw, folded);
  std::sort(touched_.begin(), touched_.end());
  bool complete = true;
  for (const std::size_t rule : touched_) {
    complete &= run_rule(rule, raw, folded, matches_per_rule, out);
    windows_[rule].clear();
  }
  touched_.clear();
  return complete;
}

}  // namespace imprimatur::scan
