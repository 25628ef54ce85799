// Is a phrase an order, or does the prompt speak of it in order to resist it?
#pragma once

#include "scan/finding.h"
#include "scan/pack.h"

#include <cstddef>
#include <string_view>

namespace imprimatur::scan {

// [start, end) of the sentence, in the line, around a position.
struct Stretch {
  std::size_t start = 0;
  std::size_t end = 0;
};
Stretch sentence_around(std::string_view folded, std::size_t at);

// Judges the phrase at [start, end) by its sentence, by the line that leads into the list it stands in, and
// by quotes and code blocks around it. Looks at most kFramingReach bytes back. Precondition: `folded` is
// folded text.
Framing framing_of_phrase(std::string_view folded, std::size_t start, std::size_t end, ContextFilter filter);
inline constexpr std::size_t kFramingReach = 600;

}  // namespace imprimatur::scan
