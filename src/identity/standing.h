// Where a principal stands, read inside the transaction that acts on it.
#pragma once

#include "domain/access.h"
#include "domain/records.h"
#include "store/credential.h"
#include "store/store.h"

#include <optional>
#include <string_view>

namespace imprimatur::identity {

// A project as one of its own sees it.
struct Insider {
  Project project;
  std::optional<Membership> membership;  // none: a key of the project
};

// Not found, in the same words, when the project is not there or not the principal's to know: organisation
// admins do not see projects by that alone.
Result<Insider> insider(store::Tx& tx, const Principal& principal, std::string_view project);
// The same, and the permission to manage members; forbidden with the reasons otherwise.
Result<Insider> project_admin(store::Tx& tx, const Principal& principal, std::string_view project);
Status require_organisation_admin(store::Tx& tx, const Principal& principal);

// Admins of the project who are not disabled, `except` one.
int active_admins(store::Tx& tx, const ProjectId& project, const PrincipalId& except);
// Whether the role holds the right to give verdicts.
bool gives_verdicts(Role role);

}  // namespace imprimatur::identity
