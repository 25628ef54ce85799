#include "domain/access.h"

#include <algorithm>
#include <map>
#include <set>

#include <gtest/gtest.h>

namespace imprimatur {
namespace {

constexpr int kPermissions = static_cast<int>(Permission::read_runtime) + 1;
constexpr int kScopeCount = static_cast<int>(Scope::audit_read) + 1;

Permission permission_at(int value) { return static_cast<Permission>(value); }

Principal person() {
  Principal principal;
  principal.id = {"usr_1"};
  principal.session = {"ses_1"};
  return principal;
}

Principal service(std::vector<Scope> scopes) {
  Principal principal;
  principal.id = {"svc_1"};
  principal.kind = PrincipalKind::service_account;
  principal.key = {"key_1"};
  principal.key_project = {"prj_1"};
  principal.key_owner = {"usr_1"};
  principal.scopes = std::move(scopes);
  return principal;
}

Membership member(Role role) { return {{"usr_1"}, role, {}, {}, true}; }

std::set<std::string> names(const std::vector<Permission>& permissions) {
  std::set<std::string> out;
  for (const Permission permission : permissions) out.emplace(name_of(permission));
  return out;
}

// Written out once more, by hand, so that a slip in the table does not pass.
TEST(Access, RolesHoldExactlyThis) {
  const std::set<std::string> viewer{"read_live", "read_audit", "read_runtime"};
  std::set<std::string> editor = viewer;
  editor.insert({"read_drafts", "save", "scan", "submit", "comment", "deploy_open"});
  std::set<std::string> reviewer = editor;
  reviewer.insert({"give_verdict", "deploy", "roll_back", "retire"});
  std::set<std::string> admin = reviewer;
  admin.insert({"manage_members", "manage_protection"});
  const std::map<Role, std::set<std::string>> expected{
      {Role::viewer, viewer}, {Role::editor, editor}, {Role::reviewer, reviewer}, {Role::admin, admin}};
  for (const auto& [role, permissions] : expected) {
    const Membership membership = member(role);
    EXPECT_EQ(names(permissions_of(person(), &membership)), permissions) << name_of(role);
  }
}

TEST(Access, ScopesHoldExactlyThis) {
  const std::map<Scope, std::set<std::string>> expected{
      {Scope::runtime_read, {"read_runtime"}},
      {Scope::prompts_read, {"read_live", "read_drafts"}},
      {Scope::prompts_write, {"save", "scan", "submit"}},
      {Scope::checks_write, {"report_check"}},
      {Scope::releases_deploy, {"deploy", "deploy_open", "roll_back"}},
      {Scope::audit_read, {"read_audit"}}};
  ASSERT_EQ(expected.size(), static_cast<std::size_t>(kScopeCount));
  for (const auto& [scope, permissions] : expected) {
    EXPECT_EQ(names(permissions_of(service({scope}), nullptr)), permissions) << name_of(scope);
  }
}

TEST(Access, NoKeyGivesAVerdictOrManagesWhateverItHolds) {
  std::vector<Scope> all;
  for (int value = 0; value < kScopeCount; ++value) all.push_back(static_cast<Scope>(value));
  const Membership admin = member(Role::admin);
  Principal key_of_admin = service(all);
  // A key that names a person, carries a session and meets an admin's membership is still a key.
  key_of_admin.kind = PrincipalKind::person;
  key_of_admin.id = admin.person;
  key_of_admin.session = {"ses_1"};
  key_of_admin.organisation_admin = true;
  for (const Permission forbidden :
       {Permission::give_verdict, Permission::manage_members, Permission::manage_protection}) {
    EXPECT_FALSE(access(service(all), &admin, forbidden).allowed) << name_of(forbidden);
    EXPECT_FALSE(access(key_of_admin, &admin, forbidden).allowed) << name_of(forbidden);
  }
  // A service account that authenticated without a key has nothing.
  Principal bare = service(all);
  bare.key = {};
  bare.scopes.clear();
  EXPECT_TRUE(permissions_of(bare, &admin).empty());
}

TEST(Access, EveryRefusalSaysSomethingAndNoPermissionCarriesReasons) {
  std::vector<Membership> members{member(Role::viewer), member(Role::editor), member(Role::reviewer),
                                  member(Role::admin)};
  members.push_back(member(Role::admin));
  members.back().active = false;
  for (int value = 0; value < kPermissions; ++value) {
    const Permission permission = permission_at(value);
    for (const Principal& principal : {person(), service({}), service({Scope::runtime_read})}) {
      std::vector<const Membership*> standings{nullptr};
      for (const Membership& one : members) standings.push_back(&one);
      for (const Membership* standing : standings) {
        const AccessAnswer answer = access(principal, standing, permission);
        EXPECT_EQ(answer.allowed, answer.reasons.empty());
        const Status status = require(principal, standing, permission);
        EXPECT_EQ(status.ok(), answer.allowed);
        EXPECT_EQ(status.ok() ? std::vector<std::string>() : status.error().reasons, answer.reasons);
      }
    }
  }
}

TEST(Access, RefusalsNameWhatWouldHelp) {
  const Membership editor = member(Role::editor);
  EXPECT_EQ(access(person(), &editor, Permission::give_verdict).reasons.front(),
            "giving a verdict needs the role reviewer or admin in this project; yours is editor");
  EXPECT_EQ(access(service({Scope::runtime_read}), nullptr, Permission::save).reasons.front(),
            "saving a version needs a key with the scope prompts:write");
  EXPECT_EQ(access(person(), nullptr, Permission::read_live).reasons.front(),
            "reading what is deployed needs membership in this project; one of its admins can add you");
  const Membership admin = member(Role::admin);
  EXPECT_EQ(access(person(), &admin, Permission::report_check).reasons.front(),
            "reporting a check is for service accounts with the scope checks:write");
}

TEST(Access, DisabledPeopleStrangersAndOrganisationAdminsHaveNothing) {
  Membership disabled = member(Role::admin);
  disabled.active = false;
  EXPECT_TRUE(permissions_of(person(), &disabled).empty());
  Principal organisation_admin = person();
  organisation_admin.organisation_admin = true;
  EXPECT_TRUE(permissions_of(organisation_admin, nullptr).empty());
  Membership somebody_else = member(Role::admin);
  somebody_else.person = {"usr_2"};
  EXPECT_TRUE(permissions_of(person(), &somebody_else).empty());
}

TEST(Access, AVerdictNeedsASession) {
  Principal without = person();
  without.session = {};
  const Membership reviewer = member(Role::reviewer);
  EXPECT_FALSE(access(without, &reviewer, Permission::give_verdict).allowed);
  EXPECT_TRUE(access(person(), &reviewer, Permission::give_verdict).allowed);
}

TEST(Access, NamesReadBack) {
  for (const Role role : {Role::viewer, Role::editor, Role::reviewer, Role::admin}) {
    EXPECT_EQ(role_of(name_of(role)), role);
  }
  for (int value = 0; value < kScopeCount; ++value) {
    EXPECT_EQ(scope_of(name_of(static_cast<Scope>(value))), static_cast<Scope>(value));
  }
  EXPECT_EQ(role_of("owner"), std::nullopt);
  EXPECT_EQ(role_of(""), std::nullopt);
  EXPECT_EQ(scope_of("runtime:write"), std::nullopt);
}

}  // namespace
}  // namespace imprimatur
