// From the wire name of an enumerator back to the enumerator.
#pragma once

#include <optional>
#include <string_view>

namespace imprimatur {

// Precondition: the enumerators run from 0 to `last` without a gap, and name_of knows each.
template <class E>
std::optional<E> enumerator_named(std::string_view name, E last) {
  for (int value = 0; value <= static_cast<int>(last); ++value) {
    if (name_of(static_cast<E>(value)) == name) return static_cast<E>(value);
  }
  return std::nullopt;
}

}  // namespace imprimatur
