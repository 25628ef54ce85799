// A review's own state: in line with the gate answer while it stands, and how it ends.
#pragma once

#include "registry/caller.h"

#include <string>
#include <string_view>

namespace imprimatur::registry {

// Approved when the gate says yes, open when it does not; says so in the journal.
Status settle(store::Tx& tx, const Caller& caller, Review& review, const Environment& environment,
              std::string_view ruleset);

// The same for every review that stands and holds the version: what they rest on changed.
Status settle_holders(store::Tx& tx, const Caller& caller, const VersionRef& version,
                      std::string_view ruleset);

// Precondition: `action` is reject or withdraw. A version that the table cannot move stays as it is, so that
// a review that stands can always be ended.
Status close(store::Tx& tx, const Caller& caller, Review& review, const Environment& environment,
             Action action);

// Its versions went live.
void close_deployed(store::Tx& tx, const Caller& caller, Review& review, const std::string& change_set);

}  // namespace imprimatur::registry
