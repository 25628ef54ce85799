// Rows of people, teams, service accounts, keys, sessions, throttling and idempotency.
#pragma once

#include "domain/records.h"
#include "store/registry_rows.h"
#include "store/store.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::store {

void insert_user(Tx& tx, const User& user);
void put_user(Tx& tx, const User& user);
std::optional<User> user(Tx& tx, const PrincipalId& id);
std::optional<User> user_by_email(Tx& tx, std::string_view email);
Result<Page<User>> users(Tx& tx, const PageRequest& page);
std::int64_t count_users(Tx& tx);
void each_email(Tx& tx, const std::function<void(const std::string&)>& take);

struct Member {
  Membership membership;
  ProjectId project;
  std::string email;
  std::string display_name;
};
void put_member(Tx& tx, const ProjectId& project, const Membership& membership);  // with its teams
void delete_member(Tx& tx, const ProjectId& project, const PrincipalId& person);
std::optional<Membership> membership(Tx& tx, const ProjectId& project, const PrincipalId& person);
std::vector<Member> members(Tx& tx, const ProjectId& project);  // by e-mail; disabled people are not active
struct Standing {
  Project project;
  Role role;
};
std::vector<Standing> standings(Tx& tx, const PrincipalId& person);  // by project name

void insert_team(Tx& tx, const Team& team);
std::vector<Team> teams(Tx& tx, const ProjectId& project);

void insert_service_account(Tx& tx, const ServiceAccount& account);
void put_service_account_disabled(Tx& tx, const ServiceAccount& account);
std::optional<ServiceAccount> service_account(Tx& tx, const PrincipalId& id);
std::vector<ServiceAccount> service_accounts(Tx& tx, const ProjectId& project);

void insert_key(Tx& tx, const ApiKey& key);
void put_key_revoked(Tx& tx, const KeyId& key, Time at);
std::optional<ApiKey> key(Tx& tx, const KeyId& id);
std::vector<ApiKey> keys(Tx& tx, const ProjectId& project);
// Of all projects, without those that are revoked or whose account is disabled.
void each_usable_key(Tx& tx, const std::function<void(const ApiKey&)>& take);

// The rows below are not evidence: they may change without an event.
void put_key_used(Tx& tx, const KeyId& key, Time at);

void insert_session(Tx& tx, const Session& session);
std::optional<Session> session_by_hash(Tx& tx, std::string_view hash);
void put_session_used(Tx& tx, const SessionId& session, Time at);
bool delete_session(Tx& tx, const SessionId& session);  // false: there was none
// All of a person but the newest `keep`.
std::vector<SessionId> sessions_beyond(Tx& tx, const PrincipalId& person, int keep);
// All of a person but `keep`; how many there were.
std::int64_t delete_sessions_of(Tx& tx, const PrincipalId& person, const SessionId& keep = {});
void delete_expired_sessions(Tx& tx, Time now);

// Failed logins of an account, known or not (the key is a keyed hash of the e-mail).
struct FailedLogins {
  int count = 0;
  Time last;
};
FailedLogins failed_logins(Tx& tx, std::string_view account);
void put_failed_logins(Tx& tx, std::string_view account, const FailedLogins& failed);
void delete_failed_logins(Tx& tx, std::string_view account);
void delete_old_failed_logins(Tx& tx, Time before);

// The outcome of a write that carried an Idempotency-Key, kept for 24 hours.
struct Idempotent {
  std::string request_hash;  // of route and body
  std::string outcome;       // a reference such as "version:art_…:3"; never a secret
};
std::optional<Idempotent> idempotent(Tx& tx, const PrincipalId& principal, std::string_view key,
                                     Time not_before);
void put_idempotent(Tx& tx, const PrincipalId& principal, std::string_view key, const Idempotent& entry,
                    Time at);
void delete_old_idempotent(Tx& tx, Time before);

// What people look like to people: ids of users and service accounts to names, for lists.
std::string display_of(Tx& tx, const PrincipalId& id);

}  // namespace imprimatur::store
