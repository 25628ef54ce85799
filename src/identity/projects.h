// Projects, who belongs to them, and the keys of their service accounts.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "domain/records.h"
#include "identity/identity.h"
#include "identity/secrets.h"
#include "store/command.h"
#include "store/identity_rows.h"
#include "store/store.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::identity {

inline constexpr std::size_t kMaxDescriptionBytes = 2000;
inline constexpr std::int64_t kMaxProjectsCreated = 100;  // by one person who is no organisation admin
inline constexpr std::size_t kMaxMembers = 10'000;        // of a project
inline constexpr std::size_t kMaxTeams = 200;             // of a project
inline constexpr std::size_t kMaxTeamsOfMember = 50;
inline constexpr std::size_t kMaxServiceAccounts = 1'000;  // of a project
inline constexpr std::size_t kMaxKeys = 10'000;            // of a project, revoked ones too

using store::PageRequest;

// A membership as people read it.
struct MemberView {
  PrincipalId person;
  std::string email, display_name;
  Role role = Role::viewer;
  std::vector<std::string> teams;  // names, sorted
  bool active = true;
};

struct NewKey {
  std::string name;
  std::vector<Scope> scopes;
  std::string environment;  // name; empty: every environment
  std::optional<Time> expires_at;
  std::string service_account;  // name; empty: an account of its own, named after the key
};

struct TeamView {
  Team team;
  std::vector<std::string> members;  // e-mails, sorted
};

struct AccountView {
  ServiceAccount account;
  std::string owner_name;
};

struct KeyView {
  ApiKey key;
  std::string service_account, environment, owner_name;  // names; no environment: every one
};

struct IssuedKey {
  KeyView view;
  std::string secret;  // shown once
};

// Safe from any thread. Every function answers not found to a principal who is not of the project, in the
// same words whether there is one.
class Projects {
 public:
  Projects(store::Store& store, const Clock& clock, const Seals& seals);

  // Any person may; the creator is its admin. With the environments development, staging and production and
  // the protection that contract and documentation promise. A conflict when the name is taken.
  Result<Project> create(const Command& command, std::string_view name, std::string_view description);
  // Those of the principal, with its role; a key sees its own.
  Result<ProjectView> find(const Principal& principal, std::string_view project);
  Result<store::Page<ProjectView>> of(const Principal& principal, const PageRequest& page);

  Result<store::Page<MemberView>> members(const Principal& principal, std::string_view project,
                                          const PageRequest& page);
  // Adds a person or changes role and teams, from the next request on; `teams` left out stay. A conflict when
  // it would take the last admin who is not disabled. Where no such admin is left, an organisation admin may
  // appoint one.
  Result<MemberView> put_member(const Command& command, std::string_view project, std::string_view email,
                                Role role, const std::optional<std::vector<std::string>>& teams);
  Status delete_member(const Command& command, std::string_view project, std::string_view email);

  Result<store::Page<TeamView>> teams(const Principal& principal, std::string_view project,
                                      const PageRequest& page);
  Result<TeamView> create_team(const Command& command, std::string_view project, std::string_view name);

  Result<store::Page<AccountView>> service_accounts(const Principal& principal, std::string_view project,
                                                    const PageRequest& page);
  Result<AccountView> create_service_account(const Command& command, std::string_view project,
                                             std::string_view name);

  // `account`: its name or its id. From the next request on none of a disabled account's keys works.
  Result<AccountView> change_service_account(const Command& command, std::string_view project,
                                             std::string_view account, bool disabled);

  // Newest first.
  Result<store::Page<KeyView>> keys(const Principal& principal, std::string_view project,
                                    const PageRequest& page);
  // Its creator owns it and is accountable for what it does. The secret is in the answer and nowhere else, so
  // a repeated request is a conflict that names the key.
  Result<IssuedKey> create_key(const Command& command, std::string_view project, const NewKey& wanted);
  // Revoking again does nothing.
  Status revoke_key(const Command& command, std::string_view project, const KeyId& key);

 private:
  Result<ProjectId> id_of(std::string_view project);
  std::string make_id(std::string_view prefix) const;
  // The account that a new key belongs to, made when none was named.
  Result<ServiceAccount> account_for(store::Tx& tx, const Command& command, const ProjectId& project,
                                     const NewKey& wanted, const PrincipalId& new_id);

  store::Store& store_;
  const Clock& clock_;
  const Seals& seals_;
};

// The environments of a new project.
std::vector<Environment> first_environments(const ProjectId& project, Time now);

}  // namespace imprimatur::identity
