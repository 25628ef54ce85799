// Text without the white space around it.
#pragma once

#include <string_view>

namespace imprimatur {

inline constexpr std::string_view kBlanks = " \t";
inline constexpr std::string_view kBlanksAndLineEnds = " \t\r\n";

constexpr std::string_view trimmed(std::string_view text, std::string_view white = kBlanks) {
  const std::size_t first = text.find_first_not_of(white);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(white) - first + 1);
}

static_assert(trimmed("\t a b ") == "a b" && trimmed(" \t").empty() && trimmed("a\n") == "a\n");
static_assert(trimmed("\r\n a\t\n", kBlanksAndLineEnds) == "a");

}  // namespace imprimatur
