// Protections between their ids, which are stored, and names, which people write.
#pragma once

#include "domain/owners.h"
#include "domain/records.h"
#include "store/store.h"

#include <map>
#include <string>
#include <string_view>

namespace imprimatur::registry {

// What the ids in a protection stand for.
struct ProtectionNames {
  std::map<TeamId, std::string> teams;
  std::map<EnvironmentId, std::string> environments;
  std::map<PrincipalId, std::string> accounts;  // service accounts
};
ProtectionNames protection_names(store::Tx& tx, const ProjectId& project);
// The same rule with the names in the places of the ids; an id that stands for nothing stays.
Protection named(Protection protection, const ProtectionNames& names);

// `before` with the members of `patch` in their places, as the next version. Invalid with the field when it
// is no protection, or names what the project does not have.
Result<Protection> changed_protection(store::Tx& tx, const Environment& before, std::string_view patch);

}  // namespace imprimatur::registry
