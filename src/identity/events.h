// The journal events of people, sessions, projects and keys, as api/events.yaml describes them.
#pragma once

#include "domain/records.h"
#include "journal/entry.h"

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace imprimatur::identity {

// The actors that are no principal.
inline constexpr std::string_view kSystem = "system";
inline constexpr std::string_view kAnonymous = "anonymous";

journal::Event organisation_created(std::string_view signing_key_digest);
journal::Event user_created(const PrincipalId& actor, const User& user);
journal::Event user_changed(const PrincipalId& actor, const User& user, std::int64_t sessions_revoked);
journal::Event password_changed(const PrincipalId& actor, const User& user, std::int64_t sessions_revoked);
journal::Event session_opened(const Session& session);
journal::Event session_closed(const SessionId& session, const PrincipalId& person);
enum class LoginFailure { unknown, password, disabled };
journal::Event login_failed(const std::optional<User>& user, LoginFailure why, std::int64_t attempts = 1);
journal::Event project_registered(const Project& project);

journal::Event project_created(const Project& project);
journal::Event member_changed(const PrincipalId& actor, const Membership& member,
                              std::optional<Role> previous);
journal::Event member_removed(const PrincipalId& actor, const Membership& member);
journal::Event team_created(const PrincipalId& actor, const Team& team);
journal::Event service_account_created(const PrincipalId& actor, const ServiceAccount& account);
journal::Event service_account_changed(const PrincipalId& actor, const ServiceAccount& account);
journal::Event key_created(const PrincipalId& actor, const ApiKey& key);
journal::Event key_revoked(const PrincipalId& actor, const KeyId& key);
journal::Event environment_created(const PrincipalId& actor, const Environment& environment);

}  // namespace imprimatur::identity
