// Whether what a version includes may be live where the version shall be.
#pragma once

#include "domain/gate_layers.h"
#include "registry/gating.h"

#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::registry {

// Of each version in the lock. One that was let through there with its protection met, and neither taken back
// nor retired since, may; of another its own gate answer decides, in the review that holds it. Where nothing
// is hashed, the lock is read from its rows. Precondition: where something is, the version has its digest.
std::vector<LockedVersion> locked_versions(store::Tx& tx, const Environment& environment,
                                           const Version& version, std::string_view ruleset,
                                           const GateReading& how);

}  // namespace imprimatur::registry
