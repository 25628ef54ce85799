// Who there is: people, service accounts, their keys, sessions and teams, as plain values.
#pragma once

#include "base/clock.h"
#include "domain/access.h"
#include "domain/ids.h"

#include <optional>
#include <string>
#include <vector>

namespace imprimatur {

// People and service accounts share one space of ids.
struct User {
  PrincipalId id;
  std::string email;
  std::string display_name;
  std::string password_hash;
  bool organisation_admin = false;
  bool disabled = false;
  Time created_at;
  std::string salt;  // of the commitment to e-mail and display name
};

struct ServiceAccount {
  PrincipalId id;
  ProjectId project;
  std::string name;
  PrincipalId owner;
  bool disabled = false;
  Time created_at;
};

struct ApiKey {
  KeyId id;
  ProjectId project;
  PrincipalId account;
  PrincipalId owner;
  std::string name;
  std::string hash;  // keyed hash of the whole key
  std::string hint;  // "imp_…x9f2": what a person may see
  std::vector<Scope> scopes;
  EnvironmentId environment;  // empty: every environment
  Time created_at;
  std::optional<Time> expires_at, revoked_at, last_used_at;
};

struct Session {
  SessionId id;
  PrincipalId person;
  std::string hash;  // keyed hash of the token
  std::string csrf;  // keyed hash of the CSRF token
  Time created_at, expires_at, last_used_at;
};

struct Team {
  TeamId id;
  ProjectId project;
  std::string name;
};

}  // namespace imprimatur
