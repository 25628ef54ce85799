#include "domain/name_pattern.h"

#include "base/utf8.h"
#include "domain/name.h"

#include <algorithm>

namespace imprimatur {
namespace {

// No name holds control characters, so these stand for the wildcards.
constexpr char kAnyInSegment = '\x01';
constexpr char kAny = '\x02';

bool is_wild(char c) { return c == kAnyInSegment || c == kAny; }

}  // namespace

Result<NamePattern> NamePattern::of(std::string_view text) {
  NamePattern out;
  out.text_ = std::string(text);
  out.negated_ = text.starts_with('!');
  if (out.negated_) text.remove_prefix(1);
  if (text.empty() || text.size() > kMaxNameBytes) {
    return invalid("a pattern has 1 to " + std::to_string(kMaxNameBytes) + " bytes");
  }
  const bool strange = std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7F || c == '@' || c == '?' || c == '#' || c == '\\';
  });
  if (strange || first_invalid_utf8(text)) {
    return invalid(
        "a pattern is a name with * (any characters of one segment) and ** (any characters) in it");
  }
  while (!text.empty()) {
    const std::size_t star = std::min(text.find('*'), text.size());
    if (star > 0) out.folded_ += skeleton_of(text.substr(0, star));
    text.remove_prefix(star);
    const std::size_t stars = std::min(text.find_first_not_of('*'), text.size());
    if (stars > 0) out.folded_.push_back(stars == 1 ? kAnyInSegment : kAny);
    text.remove_prefix(stars);
  }
  return out;
}

// Reachable places of the pattern after each character of the name: linear in both, whatever they hold.
bool NamePattern::matches(std::string_view skeleton) const {
  const std::size_t size = folded_.size();
  std::vector<char> at(size + 1, 0), next(size + 1, 0);
  const auto pass_wild = [&](std::vector<char>& places) {
    for (std::size_t i = 0; i < size; ++i) {
      if (places[i] != 0 && is_wild(folded_[i])) places[i + 1] = 1;
    }
  };
  at[0] = 1;
  pass_wild(at);
  for (const char c : skeleton) {
    std::fill(next.begin(), next.end(), 0);
    for (std::size_t i = 0; i < size; ++i) {
      if (at[i] == 0) continue;
      if (folded_[i] == kAny || (folded_[i] == kAnyInSegment && c != '/')) next[i] = 1;
      if (!is_wild(folded_[i]) && folded_[i] == c) next[i + 1] = 1;
    }
    pass_wild(next);
    at.swap(next);
  }
  return at[size] != 0;
}

bool matches_any(const std::vector<NamePattern>& patterns, std::string_view skeleton) {
  const auto last = std::find_if(patterns.rbegin(), patterns.rend(),
                                 [&](const NamePattern& pattern) { return pattern.matches(skeleton); });
  return last != patterns.rend() && !last->negated();
}

}  // namespace imprimatur
