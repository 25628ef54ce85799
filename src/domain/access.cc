#include "domain/access.h"

#include "base/check.h"
#include "base/enums.h"

#include <algorithm>
#include <array>

namespace imprimatur {
namespace {

using enum Permission;

// Each role holds what the one before it holds, and more. `report_check` is no person's: a check speaks for
// an outside pipeline, which signs with its own key. Taking out of service (roll back, retire) needs the same
// standing as putting into service, so that whoever may deploy may also undo it at night.
constexpr std::array kViewer{read_live, read_audit, read_runtime};
constexpr std::array kEditor{read_live, read_audit, read_runtime, read_drafts, save,
                             scan,      submit,     comment,      deploy_open};
constexpr std::array kReviewer{read_live, read_audit,  read_runtime, read_drafts, save,      scan,  submit,
                               comment,   deploy_open, give_verdict, deploy,      roll_back, retire};
constexpr std::array kAdmin{read_live, read_audit, read_runtime, read_drafts,    save,
                            scan,      submit,     comment,      deploy_open,    give_verdict,
                            deploy,    roll_back,  retire,       manage_members, manage_protection};

struct ScopeRow {
  Scope scope;
  Permission permission;
};
constexpr ScopeRow kScopes[] = {
    {Scope::runtime_read, read_runtime},      {Scope::prompts_read, read_live},
    {Scope::prompts_read, read_drafts},       {Scope::prompts_write, save},
    {Scope::prompts_write, Permission::scan}, {Scope::prompts_write, submit},
    {Scope::checks_write, report_check},      {Scope::releases_deploy, deploy},
    {Scope::releases_deploy, deploy_open},    {Scope::releases_deploy, roll_back},
    {Scope::audit_read, read_audit},
};

constexpr Role kRoles[] = {Role::viewer, Role::editor, Role::reviewer, Role::admin};
constexpr Permission kLastPermission = read_runtime;

bool holds(Role role, Permission permission) {
  const auto all = permissions_of(role);
  return std::find(all.begin(), all.end(), permission) != all.end();
}

std::string_view deed(Permission permission) {
  switch (permission) {
    case read_live: return "reading what is deployed";
    case read_drafts: return "reading drafts and reviews";
    case read_audit: return "reading the audit log";
    case save: return "saving a version";
    case scan: return "scanning";
    case submit: return "submitting for review";
    case comment: return "commenting";
    case give_verdict: return "giving a verdict";
    case deploy_open: return "deploying where nothing is required";
    case deploy: return "deploying";
    case roll_back: return "rolling back";
    case retire: return "retiring";
    case report_check: return "reporting a check";
    case manage_members: return "managing members, teams and keys";
    case manage_protection: return "managing environments and their protection";
    case read_runtime: return "fetching at runtime";
  }
  CHECK(false, "unknown permission");
}

std::string roles_with(Permission permission) {
  std::string out;
  int count = 0;
  for (const Role role : kRoles) {
    if (!holds(role, permission)) continue;
    out += (count++ > 0 ? " or " : "") + std::string(name_of(role));
  }
  return out;
}

AccessAnswer refused(Permission permission, std::string_view why) {
  return {false, {std::string(deed(permission)) + " " + std::string(why)}};
}

AccessAnswer by_scope(const Principal& principal, Permission permission) {
  std::string needed;
  for (const ScopeRow& row : kScopes) {
    if (row.permission != permission) continue;
    if (std::find(principal.scopes.begin(), principal.scopes.end(), row.scope) != principal.scopes.end()) {
      return {true, {}};
    }
    needed += (needed.empty() ? "" : " or ") + std::string(name_of(row.scope));
  }
  if (needed.empty()) return refused(permission, "is for people who are signed in; no key can do it");
  return refused(permission, "needs a key with the scope " + needed);
}

AccessAnswer by_role(const Principal& principal, const Membership* membership, Permission permission) {
  if (membership == nullptr || membership->person != principal.id) {
    return refused(permission, "needs membership in this project; one of its admins can add you");
  }
  if (!membership->active) return refused(permission, "is refused: this account is disabled");
  if (permission == give_verdict && !principal.interactive()) {
    return refused(permission, "is for people in an interactive session");
  }
  if (holds(membership->role, permission)) return {true, {}};
  const std::string roles = roles_with(permission);
  if (roles.empty()) return refused(permission, "is for service accounts with the scope checks:write");
  return refused(permission, "needs the role " + roles + " in this project; yours is " +
                                 std::string(name_of(membership->role)));
}

Status as_status(AccessAnswer answer) {
  if (answer.allowed) return Ok{};
  std::string detail = answer.reasons.front();
  return forbidden(std::move(detail), std::move(answer.reasons));
}

}  // namespace

std::string_view name_of(Role role) {
  switch (role) {
    case Role::viewer: return "viewer";
    case Role::editor: return "editor";
    case Role::reviewer: return "reviewer";
    case Role::admin: return "admin";
  }
  CHECK(false, "unknown role");
}

std::string_view name_of(PrincipalKind kind) {
  switch (kind) {
    case PrincipalKind::person: return "person";
    case PrincipalKind::service_account: return "service_account";
  }
  CHECK(false, "unknown principal kind");
}

std::string_view name_of(Scope scope) {
  switch (scope) {
    case Scope::runtime_read: return "runtime:read";
    case Scope::prompts_read: return "prompts:read";
    case Scope::prompts_write: return "prompts:write";
    case Scope::checks_write: return "checks:write";
    case Scope::releases_deploy: return "releases:deploy";
    case Scope::audit_read: return "audit:read";
  }
  CHECK(false, "unknown scope");
}

std::string_view name_of(Permission permission) {
  switch (permission) {
    case read_live: return "read_live";
    case read_drafts: return "read_drafts";
    case read_audit: return "read_audit";
    case save: return "save";
    case scan: return "scan";
    case submit: return "submit";
    case comment: return "comment";
    case give_verdict: return "give_verdict";
    case deploy_open: return "deploy_open";
    case deploy: return "deploy";
    case roll_back: return "roll_back";
    case retire: return "retire";
    case report_check: return "report_check";
    case manage_members: return "manage_members";
    case manage_protection: return "manage_protection";
    case read_runtime: return "read_runtime";
  }
  CHECK(false, "unknown permission");
}

std::optional<Role> role_of(std::string_view name) { return enumerator_named(name, Role::admin); }

std::optional<Scope> scope_of(std::string_view name) { return enumerator_named(name, Scope::audit_read); }

AccessAnswer access(const Principal& principal, const Membership* membership, Permission permission) {
  // A key is never more than its scopes, whoever it belongs to.
  if (principal.kind == PrincipalKind::service_account || !principal.key.empty()) {
    return by_scope(principal, permission);
  }
  return by_role(principal, membership, permission);
}

Status require(const Principal& principal, const Membership* membership, Permission permission) {
  return as_status(access(principal, membership, permission));
}

std::vector<Permission> permissions_of(const Principal& principal, const Membership* membership) {
  std::vector<Permission> out;
  for (int value = 0; value <= static_cast<int>(kLastPermission); ++value) {
    const auto permission = static_cast<Permission>(value);
    if (access(principal, membership, permission).allowed) out.push_back(permission);
  }
  return out;
}

std::span<const Permission> permissions_of(Role role) {
  switch (role) {
    case Role::viewer: return kViewer;
    case Role::editor: return kEditor;
    case Role::reviewer: return kReviewer;
    case Role::admin: return kAdmin;
  }
  CHECK(false, "unknown role");
}

}  // namespace imprimatur
