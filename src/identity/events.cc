#include "identity/events.h"

#include "base/hash.h"
#include "base/json.h"
#include "journal/commitment.h"

#include <algorithm>

#include <boost/json.hpp>

namespace imprimatur::identity {
namespace {

namespace json = boost::json;

json::value text_or_null(std::string_view text) { return text.empty() ? json::value() : json::value(text); }

journal::Event event(std::string_view action, std::string resource, json::object details,
                     const PrincipalId& actor) {
  auto text = canonical_json(json::value(std::move(details)));
  return {std::string(action), std::move(resource), std::move(text).value(), actor};
}

std::string user_resource(const PrincipalId& user) { return "user:" + user.text; }
std::string digest_of(std::string_view text) { return "sha256:" + to_hex(sha256(text)); }
std::string name_digest(std::string_view name) { return digest_of(name); }

std::string person_commitment(const User& user) {
  return journal::commitment(user.salt, journal::person_text(user.email, user.display_name));
}

json::object project_details(const Project& project) {
  return {{"project", project.id.text}, {"nameDigest", name_digest(project.name)}};
}

std::string_view name_of(LoginFailure why) {
  switch (why) {
    case LoginFailure::unknown: return "unknown";
    case LoginFailure::password: return "password";
    case LoginFailure::disabled: return "disabled";
  }
  CHECK(false, "unknown login failure");
}

}  // namespace

journal::Event organisation_created(std::string_view signing_key_digest) {
  return event("organisation.created", "organisation", {{"signingKey", signing_key_digest}},
               PrincipalId{std::string(kSystem)});
}

journal::Event user_created(const PrincipalId& actor, const User& user) {
  return event("user.created", user_resource(user.id),
               {{"user", user.id.text},
                {"organisationAdmin", user.organisation_admin},
                {"person", person_commitment(user)},
                {"passwordDigest", digest_of(user.password_hash)}},
               actor);
}

journal::Event user_changed(const PrincipalId& actor, const User& user, std::int64_t sessions_revoked) {
  return event("user.changed", user_resource(user.id),
               {{"user", user.id.text},
                {"disabled", user.disabled},
                {"organisationAdmin", user.organisation_admin},
                {"person", person_commitment(user)},
                {"sessionsRevoked", sessions_revoked}},
               actor);
}

journal::Event password_changed(const PrincipalId& actor, const User& user, std::int64_t sessions_revoked) {
  return event("user.password_changed", user_resource(user.id),
               {{"user", user.id.text},
                {"passwordDigest", digest_of(user.password_hash)},
                {"sessionsRevoked", sessions_revoked}},
               actor);
}

journal::Event session_opened(const Session& session) {
  return event("session.opened", "session:" + session.id.text,
               {{"session", session.id.text},
                {"user", session.person.text},
                {"expiresAt", to_rfc3339(session.expires_at)}},
               session.person);
}

journal::Event session_closed(const SessionId& session, const PrincipalId& person) {
  return event("session.closed", "session:" + session.text,
               {{"session", session.text}, {"user", person.text}}, person);
}

journal::Event login_failed(const std::optional<User>& user, LoginFailure why, std::int64_t attempts) {
  return event("login.failed", "organisation",
               {{"user", text_or_null(user ? user->id.text : std::string())},
                {"reason", name_of(why)},
                {"attempts", attempts}},
               PrincipalId{std::string(kAnonymous)});
}

journal::Event project_registered(const Project& project) {
  return event("project.registered", "project:" + project.id.text, project_details(project),
               project.created_by);
}

journal::Event project_created(const Project& project) {
  return event("project.created", "project:" + project.id.text, project_details(project), project.created_by);
}

journal::Event member_changed(const PrincipalId& actor, const Membership& member,
                              std::optional<Role> previous) {
  std::vector<std::string> teams;
  for (const TeamId& team : member.teams) teams.push_back(team.text);
  std::sort(teams.begin(), teams.end());
  return event("member.changed", "member:" + member.person.text,
               {{"user", member.person.text},
                {"role", imprimatur::name_of(member.role)},
                {"previousRole", previous ? json::value(imprimatur::name_of(*previous)) : json::value()},
                {"teams", json::array(teams.begin(), teams.end())}},
               actor);
}

journal::Event member_removed(const PrincipalId& actor, const Membership& member) {
  return event("member.removed", "member:" + member.person.text,
               {{"user", member.person.text}, {"previousRole", imprimatur::name_of(member.role)}}, actor);
}

journal::Event team_created(const PrincipalId& actor, const Team& team) {
  return event("team.created", "team:" + team.id.text,
               {{"team", team.id.text}, {"nameDigest", name_digest(team.name)}}, actor);
}

journal::Event service_account_created(const PrincipalId& actor, const ServiceAccount& account) {
  return event("service_account.created", "service_account:" + account.id.text,
               {{"serviceAccount", account.id.text},
                {"owner", account.owner.text},
                {"nameDigest", name_digest(account.name)}},
               actor);
}

journal::Event service_account_changed(const PrincipalId& actor, const ServiceAccount& account) {
  return event("service_account.changed", "service_account:" + account.id.text,
               {{"serviceAccount", account.id.text}, {"disabled", account.disabled}}, actor);
}

journal::Event key_created(const PrincipalId& actor, const ApiKey& key) {
  json::array scopes;
  for (const Scope scope : key.scopes) scopes.push_back(json::value(imprimatur::name_of(scope)));
  return event("key.created", "key:" + key.id.text,
               {{"key", key.id.text},
                {"serviceAccount", key.account.text},
                {"owner", key.owner.text},
                {"nameDigest", name_digest(key.name)},
                {"hashDigest", digest_of(key.hash)},
                {"scopes", std::move(scopes)},
                {"environment", text_or_null(key.environment.text)},
                {"expiresAt", key.expires_at ? json::value(to_rfc3339(*key.expires_at)) : json::value()}},
               actor);
}

journal::Event key_revoked(const PrincipalId& actor, const KeyId& key) {
  return event("key.revoked", "key:" + key.text, {{"key", key.text}}, actor);
}

journal::Event environment_created(const PrincipalId& actor, const Environment& environment) {
  return event("environment.changed", "environment:" + environment.id.text,
               {{"environment", environment.id.text},
                {"nameDigest", name_digest(environment.name)},
                {"order", environment.order},
                {"protectionVersion", environment.protection.version},
                {"protectionDigest", imprimatur::digest_of(environment.protection)},
                {"weakened", false},
                {"proposedBy", nullptr}},
               actor);
}

}  // namespace imprimatur::identity
