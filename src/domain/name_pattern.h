// Patterns over artifact names, as owner rules and tiers use them.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace imprimatur {

// `*` stands for any characters of one segment, `**` for any characters; a leading `!` takes out again what
// an earlier pattern of the list took in. Compared by skeleton, as names are: "Support/x" and a look-alike of
// it fall under "support/**" too.
class NamePattern {
 public:
  // Refuses an empty pattern, one over kMaxNameBytes, and characters that no name may hold.
  static Result<NamePattern> of(std::string_view text);
  const std::string& text() const { return text_; }
  bool negated() const { return negated_; }
  // Whether it speaks of the name; what it says of it is `negated`. `skeleton`: skeleton_of(name).
  bool matches(std::string_view skeleton) const;
  bool operator==(const NamePattern& other) const { return text_ == other.text_; }

 private:
  std::string text_;
  std::string folded_;  // skeletons of the literal parts; kAny and kAnyInSegment between them
  bool negated_ = false;
};

// The last pattern that speaks of the name decides.
bool matches_any(const std::vector<NamePattern>& patterns, std::string_view skeleton);

}  // namespace imprimatur
