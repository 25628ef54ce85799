// Places in a JSON text, as RFC 6901 writes them.
#pragma once

#include <string>
#include <string_view>

namespace imprimatur {

// The pointer to a member, or to an item by its index, below the pointer `at`; "" is the whole.
std::string pointer_below(const std::string& at, std::string_view name);

}  // namespace imprimatur
