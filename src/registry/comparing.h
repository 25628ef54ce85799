// What two versions differ in, and what one of them says to a model.
#pragma once

#include "domain/diff.h"
#include "domain/records.h"

#include <cstdint>
#include <optional>

namespace imprimatur::registry {

struct DiffView {
  std::int64_t from = 0, to = 0;
  VersionDiff diff;                      // of what was written
  std::optional<VersionDiff> effective;  // of what a model gets, where one of the two includes something
};

struct EffectiveView {
  Version version;
  Content effective;
};

}  // namespace imprimatur::registry
