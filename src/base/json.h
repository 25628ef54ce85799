// JSON as this program takes it: strict in what it reads, canonical in what it hashes.
#pragma once

#include "base/result.h"

#include <cstddef>
#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

namespace imprimatur {

struct JsonLimits {
  std::size_t bytes = 8 * 1024 * 1024;
  std::size_t depth = 64;
  std::size_t values = 200'000;  // scalars, objects and arrays together
};

// One JSON text (RFC 8259) in UTF-8. Refuses, each with its own message and the byte offset: trailing bytes,
// bytes that are not UTF-8, U+0000, lone surrogates, a key that appears twice in one object, and anything
// over a limit (ErrorCode::too_large for bytes, invalid for the others).
Result<boost::json::value> parse_json(std::string_view text, const JsonLimits& limits = {});

// RFC 8785: members sorted by UTF-16 code units, shortest numbers, no white space, no Unicode normalisation.
// Refuses integers whose magnitude is beyond 2^53 - 1, however they were written (1e19 too), because they
// would not survive a reader that keeps doubles, and numbers that are not finite. What it writes parses to
// the same again.
Result<std::string> canonical_json(const boost::json::value& value);

// A double as ECMAScript writes it (RFC 8785 section 3.2.2.3). Precondition: finite.
std::string ecmascript_number(double number);

// `text` as a JSON string with its quotes, with the escapes of RFC 8785. Precondition: valid UTF-8.
void append_json_string(std::string& out, std::string_view text);

}  // namespace imprimatur
