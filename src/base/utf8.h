// UTF-8 at the byte level. Properties of characters (case, scripts, look-alikes) are ICU's, in domain and
// scan.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace imprimatur {

// The offset of the first byte that is not part of a well-formed UTF-8 sequence (RFC 3629: no overlong forms,
// no surrogates, nothing above U+10FFFF), or nothing.
std::optional<std::size_t> first_invalid_utf8(std::string_view text);

}  // namespace imprimatur
