// Words and sizes that several parts of the program have to agree on.
#pragma once

#include <cstddef>
#include <string_view>

namespace imprimatur {

// The environment that is meant where a request names none.
inline constexpr std::string_view kStandardEnvironment = "production";
// The label that the server keeps itself: the newest version.
inline constexpr std::string_view kLatest = "latest";

inline constexpr std::size_t kMaxEmailBytes = 254;

}  // namespace imprimatur
