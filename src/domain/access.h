// Who may do what: roles of people, scopes of keys, and the answer with its reasons.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "domain/ids.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur {

enum class Role { viewer, editor, reviewer, admin };
enum class PrincipalKind { person, service_account };
enum class Scope { runtime_read, prompts_read, prompts_write, checks_write, releases_deploy, audit_read };
enum class Permission {
  read_live,    // what is deployed
  read_drafts,  // everything of the project but the audit log
  read_audit,
  save,  // create and save versions, labels, import
  scan,
  submit,  // also withdraw and move to a newer version
  comment,
  give_verdict,  // interactive sessions only
  deploy_open,   // where an environment asks for nothing
  deploy,        // what the gate answer allows
  roll_back,
  retire,
  report_check,
  manage_members,  // also teams, service accounts, keys
  manage_protection,
  read_runtime,
};

std::string_view name_of(Role role);
std::string_view name_of(PrincipalKind kind);
std::string_view name_of(Scope scope);  // "runtime:read"
std::string_view name_of(Permission permission);
std::optional<Role> role_of(std::string_view name);
std::optional<Scope> scope_of(std::string_view name);

// Who authenticated, and how. Never taken from a body.
struct Principal {
  PrincipalId id;
  PrincipalKind kind = PrincipalKind::person;
  bool organisation_admin = false;
  // A person in a session. Verdicts need it; keys and service accounts never have it.
  SessionId session;
  // Set for a key: where it may act, and for whom.
  KeyId key;
  ProjectId key_project;
  EnvironmentId key_environment;  // empty: every environment of the project
  std::vector<Scope> scopes;
  PrincipalId key_owner;  // the person accountable for the key; contributes when the key does
  bool interactive() const { return kind == PrincipalKind::person && !session.empty(); }
};

// A person's standing in a project, as it is now.
struct Membership {
  PrincipalId person;
  Role role = Role::viewer;
  std::vector<TeamId> teams;
  // When the present unbroken right to give verdicts began. A verdict older than this does not count: a role
  // that was lost and regained does not revive it.
  Time verdicts_since;
  bool active = true;  // false when the person is disabled
};

// Met, or the reasons why not, in words a caller can act on.
struct AccessAnswer {
  bool allowed = false;
  std::vector<std::string> reasons;
};

// `membership` is null for a person who is no member and for service accounts (whose scopes decide).
// Organisation admins get no rights inside a project by that alone.
AccessAnswer access(const Principal& principal, const Membership* membership, Permission permission);
// The same as a Status: forbidden with the reasons.
Status require(const Principal& principal, const Membership* membership, Permission permission);
std::vector<Permission> permissions_of(const Principal& principal, const Membership* membership);
std::span<const Permission> permissions_of(Role role);

}  // namespace imprimatur
