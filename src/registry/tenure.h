// Since when a member is what they are without a break, as the journal tells it: what was lost and given back
// began anew.
#pragma once

#include "domain/records.h"
#include "store/store.h"

#include <optional>

namespace imprimatur::registry {

// What came before `enough` is not asked about. Nothing when they are not in the team.
std::optional<Time> in_team_since(store::Tx& tx, const ProjectId& project, const PrincipalId& person,
                                  const TeamId& team, Time enough);

// An admin of the project now and at every moment since `then`, and never disabled meanwhile.
bool admin_since(store::Tx& tx, const ProjectId& project, const PrincipalId& person, Time then);

// Whether the project has an active admin besides this one.
bool other_admin(store::Tx& tx, const ProjectId& project, const PrincipalId& first);

}  // namespace imprimatur::registry
