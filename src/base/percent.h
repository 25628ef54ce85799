// Percent-encoding (RFC 3986) and the query part of a request target.
#pragma once

#include "base/result.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace imprimatur {

enum class Plus { literal, space };

// Appends `text` with every %XX decoded. False, with `out` in an unspecified state, when a '%' is not
// followed by two hexadecimal digits, or when the decoded bytes hold a control character (U+0000..U+001F,
// U+007F).
bool append_percent_decoded(std::string& out, std::string_view text, Plus plus = Plus::literal);

// The same, and the result must be UTF-8.
std::optional<std::string> percent_decode(std::string_view text, Plus plus = Plus::literal);

// Everything but the unreserved characters of RFC 3986 becomes %XX; a slash too, so the result is one
// segment.
std::string percent_encode(std::string_view text);

struct TargetLimits {
  std::size_t segments = 64;
  std::size_t parameters = 100;
};

// A request target in origin form ("/a/b%2Fc?x=1"), decoded. "/a/b%2Fc" has the segments "a" and "b/c";
// "/" has one empty segment. Segments "." and ".." are refused however they are spelled.
struct Target {
  std::vector<std::string> segments;
  std::vector<std::pair<std::string, std::string>> query;
};
Result<Target> parse_target(std::string_view target, const TargetLimits& limits = {});

}  // namespace imprimatur
