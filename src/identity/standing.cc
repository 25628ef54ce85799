#include "identity/standing.h"

#include "store/identity_rows.h"
#include "store/registry_rows.h"

#include <algorithm>

namespace imprimatur::identity {
Result<Insider> insider(store::Tx& tx, const Principal& principal, std::string_view name) {
  TRY(store::still_valid(tx, principal));
  auto project = store::project_by_name(tx, name);
  if (!project) return store::unknown_project();
  if (principal.kind == PrincipalKind::service_account) {
    if (principal.key_project != project->id) return store::unknown_project();
    return Insider{*std::move(project), std::nullopt};
  }
  auto membership = store::membership(tx, project->id, principal.id);
  if (!membership) return store::unknown_project();
  return Insider{*std::move(project), std::move(membership)};
}

Result<Insider> project_admin(store::Tx& tx, const Principal& principal, std::string_view name) {
  Insider inside = TRY(insider(tx, principal, name));
  const Membership* membership = inside.membership ? &*inside.membership : nullptr;
  TRY(require(principal, membership, Permission::manage_members));
  return inside;
}

Status require_organisation_admin(store::Tx& tx, const Principal& principal) {
  TRY(store::still_valid(tx, principal));
  if (principal.interactive()) {
    const auto user = store::user(tx, principal.id);
    if (user && user->organisation_admin) return Ok{};
  }
  return forbidden("Only an organisation admin may do this.", {"you are not an organisation admin"});
}

int active_admins(store::Tx& tx, const ProjectId& project, const PrincipalId& except) {
  const auto all = store::members(tx, project);
  return static_cast<int>(std::count_if(all.begin(), all.end(), [&](const store::Member& member) {
    const Membership& one = member.membership;
    return one.role == Role::admin && one.active && one.person != except;
  }));
}

bool gives_verdicts(Role role) {
  const auto has = permissions_of(role);
  return std::find(has.begin(), has.end(), Permission::give_verdict) != has.end();
}

}  // namespace imprimatur::identity
