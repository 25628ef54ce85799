// Which actions a caller is offered: those whose plain request would succeed, as far as that is known now. A
// scan that has to be made again first is not known.
#pragma once

#include "domain/records.h"
#include "domain/workflow.h"
#include "registry/caller.h"

#include <string_view>
#include <vector>

namespace imprimatur::registry {

// For the last environment, of which the version's state speaks.
std::vector<Action> offers(store::Tx& tx, const Caller& caller, const Environment& last,
                           const Version& version, std::string_view ruleset);
// For the review's own environment. `gate_met`: the gate answer about it.
std::vector<Action> offers(store::Tx& tx, const Caller& caller, const Environment& environment,
                           const Review& review, bool gate_met, std::string_view ruleset);

}  // namespace imprimatur::registry
