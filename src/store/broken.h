// Stored data that this program cannot have written.
#pragma once

#include "base/result.h"

#include <optional>
#include <stdexcept>
#include <utility>

namespace imprimatur::store {

// A broken environment and no bug. Thrown inside a read or a command, by any module; Store::read and
// Store::write log it and answer broken_data().
struct DataBroken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

inline Error broken_data() {
  return unavailable("the stored data are broken; run `imprimatur verify` on them, it names the place");
}

// What must be there, because something stored refers to it.
template <class T>
T present(std::optional<T> found, const char* what) {
  if (!found) throw DataBroken(std::string(what) + " is missing");
  return *std::move(found);
}

}  // namespace imprimatur::store
