#include "identity/office_for_test.h"

#include <thread>

#include <gtest/gtest.h>

namespace imprimatur::identity {
namespace {

struct ProjectsTest : testing::TestWithParam<store::Backend> {
  ProjectsTest() : ann(office.person("ann")) {
    project = office.projects->create({ann}, "shop", "a shop").value().id;
  }
  ErrorCode put(const Principal& by, const std::string& email, Role role,
                std::optional<std::vector<std::string>> teams = {}) {
    const auto done = office.projects->put_member({by}, "shop", email, role, teams);
    return done.ok() ? kDone : done.error().code;
  }
  ErrorCode remove(const Principal& by, const std::string& email) {
    const auto done = office.projects->delete_member({by}, "shop", email);
    return done.ok() ? kDone : done.error().code;
  }
  Time right_since(const PrincipalId& person) {
    return office.store
        ->read([&](store::Tx& tx) -> Result<Time> {
          return store::membership(tx, project, person)->verdicts_since;
        })
        .value();
  }
  Result<IssuedKey> issue(NewKey wanted = {.name = "checkout", .scopes = {Scope::runtime_read}}) {
    return office.projects->create_key({ann}, "shop", wanted);
  }
  // No command of identity fails in this way.
  static constexpr ErrorCode kDone = ErrorCode::precondition_failed;
  Office office{GetParam()};
  Principal ann;
  ProjectId project;
};

TEST_P(ProjectsTest, ANewProjectHasTheThreeEnvironmentsOfTheContract) {
  const auto all = office.store
                       ->read([&](store::Tx& tx) -> Result<std::vector<Environment>> {
                         return store::environments(tx, project);
                       })
                       .value();
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].name, "development");
  EXPECT_TRUE(all[0].protection.asks_for_nothing());
  EXPECT_EQ(all[1].name, "staging");
  EXPECT_EQ(all[1].protection.checks, std::vector<std::string>{"scan"});
  EXPECT_EQ(all[1].protection.approvals.count, 0);
  EXPECT_EQ(all[2].name, "production");
  EXPECT_EQ(all[2].protection.checks, std::vector<std::string>{"scan"});
  EXPECT_EQ(all[2].protection.approvals.count, 1);
  EXPECT_EQ(office.projects->find(ann, "shop")->role, Role::admin);
  EXPECT_EQ(office.faults(), "");
}

TEST_P(ProjectsTest, NamesAreCheckedAndTaken) {
  const auto code = [&](std::string_view name) {
    const auto made = office.projects->create({ann}, name, "");
    return made.ok() ? kDone : made.error().code;
  };
  EXPECT_EQ(code("shop"), ErrorCode::conflict);
  for (const char* bad : {"", "Shop", "a b", "../x", "-a", "a-", "ä"})
    EXPECT_EQ(code(bad), ErrorCode::invalid) << bad;
  EXPECT_EQ(code(std::string(65, 'a')), ErrorCode::invalid);
  EXPECT_EQ(office.projects->create({ann}, "big", std::string(kMaxDescriptionBytes + 1, 'x')).error().code,
            ErrorCode::invalid);
}

TEST_P(ProjectsTest, OnePersonCreatesSoManyAndAnOrganisationAdminMore) {
  const auto given = [&](const PrincipalId& creator, std::int64_t many) {
    const Status done =
        office.store->write({std::string(journal::kOrganisation)}, [&](store::Tx& tx) -> Status {
          for (std::int64_t i = 0; i < many; ++i) {
            const std::string name = creator.text + "-" + std::to_string(i);
            store::insert_project(tx, {{"prj_" + name}, name, "", creator, tx.now()});
          }
          tx.append(journal::kOrganisation, {"user.changed", "test:projects", "{}", creator});
          return Ok{};
        });
    ASSERT_TRUE(done.ok()) << done.error().detail;
  };
  given(ann.id, kMaxProjectsCreated - 2);  // one she has
  EXPECT_TRUE(office.projects->create({ann}, "last", "").ok());
  const auto over = office.projects->create({ann}, "over", "");
  ASSERT_FALSE(over.ok());
  EXPECT_EQ(over.error().code, ErrorCode::conflict);
  EXPECT_NE(over.error().detail.find("organisation admin"), std::string::npos);
  given(office.admin.id, kMaxProjectsCreated);
  EXPECT_TRUE(office.projects->create({office.admin}, "over", "").ok());
}

TEST_P(ProjectsTest, AStrangerCannotTellThatItIsThere) {
  const Principal eve = office.person("eve");
  for (const Principal& who : {eve, office.admin}) {
    const Error there = office.projects->find(who, "shop").error();
    const Error absent = office.projects->find(who, "nowhere").error();
    EXPECT_EQ(there.code, ErrorCode::not_found);
    EXPECT_EQ(there.detail, absent.detail);
    EXPECT_EQ(office.projects->members(who, "shop", {}).error().code, ErrorCode::not_found);
    EXPECT_EQ(office.projects->teams(who, "shop", {}).error().code, ErrorCode::not_found);
    EXPECT_EQ(office.projects->keys(who, "shop", {}).error().code, ErrorCode::not_found);
    EXPECT_EQ(office.projects->create_team({who}, "shop", "safety").error().code, ErrorCode::not_found);
    EXPECT_EQ(put(who, "eve@example.com", Role::admin), ErrorCode::not_found);
    EXPECT_EQ(remove(who, "ann@example.com"), ErrorCode::not_found);
    EXPECT_TRUE(office.projects->of(who, {})->items.empty());
  }
}

TEST_P(ProjectsTest, OnlyAdminsManage) {
  for (const Role role : {Role::viewer, Role::editor, Role::reviewer}) {
    const std::string email = office.member(ann, std::string(name_of(role)), role);
    const Principal who = office.sign_in(email);
    EXPECT_EQ(put(who, email, Role::admin), ErrorCode::forbidden) << name_of(role);
    EXPECT_EQ(remove(who, "ann@example.com"), ErrorCode::forbidden);
    EXPECT_EQ(office.projects->create_team({who}, "shop", "safety").error().code, ErrorCode::forbidden);
    EXPECT_EQ(office.projects->create_service_account({who}, "shop", "robot").error().code,
              ErrorCode::forbidden);
    EXPECT_EQ(office.projects->create_key({who}, "shop", {.name = "k", .scopes = {Scope::runtime_read}})
                  .error()
                  .code,
              ErrorCode::forbidden);
    EXPECT_EQ(office.projects->keys(who, "shop", {}).error().code, ErrorCode::forbidden);
    EXPECT_TRUE(office.projects->members(who, "shop", {}).ok());
  }
  EXPECT_EQ(put(ann, "nobody@example.com", Role::viewer), ErrorCode::not_found);
}

TEST_P(ProjectsTest, TheLastAdminStays) {
  EXPECT_EQ(put(ann, "ann@example.com", Role::reviewer), ErrorCode::conflict);
  EXPECT_EQ(remove(ann, "ann@example.com"), ErrorCode::conflict);
  const std::string ben = office.member(ann, "ben", Role::admin);
  const Principal second = office.sign_in(ben);
  ASSERT_TRUE(office.identity->change_user({office.admin}, second.id, {.disabled = true}).ok());
  EXPECT_EQ(put(ann, "ann@example.com", Role::reviewer), ErrorCode::conflict) << "a disabled admin is none";
  ASSERT_TRUE(office.identity->change_user({office.admin}, second.id, {.disabled = false}).ok());
  EXPECT_EQ(put(ann, "ann@example.com", Role::reviewer), kDone);
  EXPECT_EQ(office.faults(), "");
}

TEST_P(ProjectsTest, TwoAdminsWhoDemoteEachOtherLeaveOne) {
  const Principal ben = office.sign_in(office.member(ann, "ben", Role::admin));
  for (int round = 0; round < 10; ++round) {
    ErrorCode one{}, two{};
    std::thread first([&] { one = put(ann, "ben@example.com", Role::editor); });
    std::thread second([&] { two = put(ben, "ann@example.com", Role::editor); });
    first.join();
    second.join();
    ASSERT_NE(one == kDone, two == kDone);
    const Principal& winner = one == kDone ? ann : ben;
    ASSERT_EQ(put(winner, one == kDone ? "ben@example.com" : "ann@example.com", Role::admin), kDone);
  }
  EXPECT_EQ(office.faults(), "");
}

TEST_P(ProjectsTest, TwoAdminsWhoDemoteThemselvesLeaveOne) {
  const Principal ben = office.sign_in(office.member(ann, "ben", Role::admin));
  ErrorCode one{}, two{};
  std::thread first([&] { one = put(ann, "ann@example.com", Role::editor); });
  std::thread second([&] { two = put(ben, "ben@example.com", Role::editor); });
  first.join();
  second.join();
  EXPECT_NE(one == kDone, two == kDone);
  EXPECT_TRUE(one == ErrorCode::conflict || two == ErrorCode::conflict);
}

TEST_P(ProjectsTest, WithoutAnActiveAdminAnOrganisationAdminAppointsOneAndNothingElse) {
  const std::string ben = office.member(ann, "ben", Role::editor);
  ASSERT_TRUE(office.identity->change_user({office.admin}, ann.id, {.disabled = true}).ok());
  EXPECT_EQ(put(office.admin, ben, Role::reviewer), ErrorCode::not_found);
  EXPECT_EQ(remove(office.admin, ben), ErrorCode::not_found);
  EXPECT_EQ(put(office.sign_in(ben), ben, Role::admin), ErrorCode::forbidden);
  EXPECT_EQ(put(office.admin, ben, Role::admin), kDone);
  EXPECT_EQ(put(office.admin, "admin@localhost", Role::admin), ErrorCode::not_found) << "there is one again";
}

TEST_P(ProjectsTest, TheRightToGiveVerdictsBeginsAnewOnlyWhenItWasLost) {
  const Principal ben = office.sign_in(office.member(ann, "ben", Role::reviewer));
  const Time first = right_since(ben.id);
  office.clock.advance(seconds(10));
  ASSERT_EQ(put(ann, "ben@example.com", Role::admin), kDone);
  EXPECT_EQ(right_since(ben.id), first) << "reviewer to admin keeps it";
  ASSERT_EQ(put(ann, "ben@example.com", Role::reviewer), kDone);
  EXPECT_EQ(right_since(ben.id), first);
  ASSERT_EQ(put(ann, "ben@example.com", Role::editor), kDone);
  office.clock.advance(seconds(10));
  ASSERT_EQ(put(ann, "ben@example.com", Role::reviewer), kDone);
  const Time second = right_since(ben.id);
  EXPECT_GT(second, first + seconds(19));
  office.clock.advance(seconds(10));
  ASSERT_EQ(remove(ann, "ben@example.com"), kDone);
  ASSERT_EQ(put(ann, "ben@example.com", Role::reviewer), kDone);
  EXPECT_GT(right_since(ben.id), second + seconds(9));
  office.clock.advance(seconds(10));
  ASSERT_TRUE(office.identity->change_user({office.admin}, ben.id, {.disabled = true}).ok());
  ASSERT_TRUE(office.identity->change_user({office.admin}, ben.id, {.disabled = false}).ok());
  EXPECT_GT(right_since(ben.id), second + seconds(19)) << "a disabled account is a lost right";
  EXPECT_EQ(office.faults(), "");
}

TEST_P(ProjectsTest, ARightThatCameBackIsYoungerThanTheLossEvenWhenTheClockStands) {
  const Principal ben = office.sign_in(office.member(ann, "ben", Role::reviewer));
  const Time first = right_since(ben.id);
  ASSERT_EQ(put(ann, "ben@example.com", Role::editor), kDone);
  ASSERT_EQ(put(ann, "ben@example.com", Role::reviewer), kDone);
  const Time second = right_since(ben.id);
  EXPECT_GT(second, first);
  office.clock.advance(seconds(-3600));
  ASSERT_EQ(put(ann, "ben@example.com", Role::editor), kDone);
  ASSERT_EQ(put(ann, "ben@example.com", Role::reviewer), kDone);
  EXPECT_GT(right_since(ben.id), second) << "nor when it was set back";
  EXPECT_EQ(office.faults(), "");
}

TEST_P(ProjectsTest, TeamsAreKeptNamedAndChecked) {
  const std::string ben = office.member(ann, "ben", Role::reviewer);
  EXPECT_EQ(put(ann, ben, Role::reviewer, {{"safety"}}), ErrorCode::invalid) << "there is no such team";
  ASSERT_TRUE(office.projects->create_team({ann}, "shop", "safety").ok());
  EXPECT_EQ(office.projects->create_team({ann}, "shop", "safety").error().code, ErrorCode::conflict);
  EXPECT_EQ(office.projects->create_team({ann}, "shop", "Safety!").error().code, ErrorCode::invalid);
  EXPECT_EQ(put(ann, ben, Role::reviewer, {{"safety"}}), kDone);
  EXPECT_EQ(put(ann, ben, Role::editor), kDone);
  const auto teams = office.projects->teams(ann, "shop", {});
  ASSERT_EQ(teams->items.size(), 1U);
  EXPECT_EQ(teams->items[0].members, std::vector<std::string>{ben}) << "teams left out stay";
  EXPECT_EQ(put(ann, ben, Role::editor, {std::vector<std::string>{}}), kDone);
  EXPECT_TRUE(office.projects->teams(ann, "shop", {})->items[0].members.empty());
  EXPECT_EQ(office.faults(), "");
}

TEST_P(ProjectsTest, ListsComeInPages) {
  for (const char* name : {"ben", "cleo", "dan", "eve"}) office.member(ann, name, Role::viewer);
  std::vector<std::string> seen;
  store::PageRequest at{.limit = 2};
  do {
    const auto page = office.projects->members(ann, "shop", at);
    ASSERT_TRUE(page.ok());
    EXPECT_LE(page->items.size(), 2U);
    for (const MemberView& member : page->items) seen.push_back(member.display_name);
    at.cursor = page->next_cursor;
  } while (!at.cursor.empty());
  EXPECT_EQ(seen, (std::vector<std::string>{"ann", "ben", "cleo", "dan", "eve"}));
  EXPECT_EQ(office.projects->members(ann, "shop", {.cursor = "%%%"}).error().code, ErrorCode::invalid);
}

TEST_P(ProjectsTest, AKeyWorksFromTheNextRequestUntilItIsRevoked) {
  const auto issued =
      issue({.name = "checkout", .scopes = {Scope::runtime_read}, .environment = "production"});
  ASSERT_TRUE(issued.ok()) << issued.error().detail;
  EXPECT_TRUE(looks_like_api_key(issued->secret));
  EXPECT_EQ(issued->view.service_account, "checkout");
  const auto who = office.identity->authenticate(issued->secret);
  ASSERT_TRUE(who.ok());
  EXPECT_EQ(who->kind, PrincipalKind::service_account);
  EXPECT_FALSE(who->interactive());
  EXPECT_EQ(who->key_project, project);
  EXPECT_EQ(who->key_owner, ann.id);
  EXPECT_FALSE(who->key_environment.empty());
  EXPECT_EQ(who->scopes, std::vector<Scope>{Scope::runtime_read});
  const KeyId id = issued->view.key.id;
  ASSERT_TRUE(office.projects->revoke_key({ann}, "shop", id).ok());
  EXPECT_EQ(office.identity->authenticate(issued->secret).error().code, ErrorCode::unauthenticated);
  EXPECT_TRUE(office.projects->revoke_key({ann}, "shop", id).ok()) << "again does nothing";
  EXPECT_EQ(office.projects->find(*who, "shop").error().code, ErrorCode::unauthenticated)
      << "a request that was already in is refused inside";
  EXPECT_EQ(office.faults(), "");
}

TEST_P(ProjectsTest, KeysSurviveARestartAndExpire) {
  const Time end = office.clock.now() + hours(1);
  const auto brief = issue({.name = "brief", .scopes = {Scope::audit_read}, .expires_at = end});
  const auto lasting = issue();
  const auto revoked = issue();
  ASSERT_TRUE(office.projects->revoke_key({ann}, "shop", revoked->view.key.id).ok());
  office.close();
  office.open();
  EXPECT_TRUE(office.identity->authenticate(brief->secret).ok());
  EXPECT_TRUE(office.identity->authenticate(lasting->secret).ok());
  EXPECT_FALSE(office.identity->authenticate(revoked->secret).ok());
  office.clock.set(end);
  EXPECT_FALSE(office.identity->authenticate(brief->secret).ok());
  EXPECT_TRUE(office.identity->authenticate(lasting->secret).ok());
}

TEST_P(ProjectsTest, LastUseIsWrittenNowAndThen) {
  const auto issued = issue();
  ASSERT_TRUE(office.identity->upkeep().ok());
  const auto last_used = [&] { return office.projects->keys(ann, "shop", {})->items[0].key.last_used_at; };
  EXPECT_FALSE(last_used().has_value());
  ASSERT_TRUE(office.identity->authenticate(issued->secret).ok());
  ASSERT_TRUE(office.identity->upkeep().ok());
  const Time first = office.clock.now();
  EXPECT_EQ(last_used(), first);
  office.clock.advance(kUseNotedEvery);
  const Time then = office.clock.now();
  office.clock.advance(hours(1));
  office.identity->keys().used(issued->view.key.id, then);
  ASSERT_TRUE(office.identity->upkeep().ok());
  EXPECT_EQ(last_used(), first + kUseNotedEvery);
}

TEST_P(ProjectsTest, AKeyGivesNoRightsOverPeopleOrKeys) {
  const auto issued = issue({.name = "all",
                             .scopes = {Scope::runtime_read, Scope::prompts_read, Scope::prompts_write,
                                        Scope::checks_write, Scope::releases_deploy, Scope::audit_read}});
  const Principal key = *office.identity->authenticate(issued->secret);
  EXPECT_EQ(put(key, "ann@example.com", Role::viewer), ErrorCode::forbidden);
  EXPECT_EQ(
      office.projects->create_key({key}, "shop", {.name = "k", .scopes = {Scope::runtime_read}}).error().code,
      ErrorCode::forbidden);
  EXPECT_EQ(office.projects->create({key}, "another", "").error().code, ErrorCode::forbidden);
  EXPECT_EQ(office.identity->users(key, {}).error().code, ErrorCode::forbidden);
  EXPECT_EQ(office.identity->logout(key).error().code, ErrorCode::forbidden);
  EXPECT_EQ(office.identity->change_password(key, kPassword, "quite another one").error().code,
            ErrorCode::forbidden);
  ASSERT_TRUE(office.projects->create({ann}, "other", "").ok());
  EXPECT_EQ(office.projects->find(key, "other").error().code, ErrorCode::not_found);
  EXPECT_EQ(office.projects->of(key, {})->items.size(), 1U);
  EXPECT_EQ(office.projects->find(key, "shop")->role, std::nullopt);
}

TEST_P(ProjectsTest, AKeysWishesAreChecked) {
  const auto code = [&](NewKey wanted) {
    const auto made = issue(std::move(wanted));
    return made.ok() ? kDone : made.error().code;
  };
  EXPECT_EQ(code({.name = "k"}), ErrorCode::invalid) << "no scope";
  EXPECT_EQ(code({.name = "k", .scopes = {Scope::runtime_read, Scope::runtime_read}}), ErrorCode::invalid);
  EXPECT_EQ(code({.name = "", .scopes = {Scope::runtime_read}}), ErrorCode::invalid);
  EXPECT_EQ(code({.name = "k", .scopes = {Scope::runtime_read}, .environment = "mars"}),
            ErrorCode::unprocessable);
  EXPECT_EQ(code({.name = "k", .scopes = {Scope::runtime_read}, .expires_at = office.clock.now()}),
            ErrorCode::invalid);
  EXPECT_EQ(code({.name = "k", .scopes = {Scope::runtime_read}, .service_account = "nobody"}),
            ErrorCode::unprocessable);
  ASSERT_TRUE(office.projects->create_service_account({ann}, "shop", "robot").ok());
  EXPECT_EQ(office.projects->create_service_account({ann}, "shop", "robot").error().code,
            ErrorCode::conflict);
  const auto one = issue({.name = "k", .scopes = {Scope::runtime_read}, .service_account = "robot"});
  const auto two = issue({.name = "k", .scopes = {Scope::runtime_read}, .service_account = "robot"});
  EXPECT_EQ(one->view.key.account, two->view.key.account);
  const auto odd = issue({.name = "Ünusual name", .scopes = {Scope::runtime_read}});
  EXPECT_TRUE(odd->view.service_account.starts_with("key-"));
}

TEST_P(ProjectsTest, ARepeatedKeyCreationMakesNoSecondKeyAndShowsNoSecret) {
  const store::Command asked{ann, "key-1", "hash-1"};
  const NewKey wanted{.name = "checkout", .scopes = {Scope::runtime_read}};
  const auto first = office.projects->create_key(asked, "shop", wanted);
  ASSERT_TRUE(first.ok());
  const Error again = office.projects->create_key(asked, "shop", wanted).error();
  EXPECT_EQ(again.code, ErrorCode::conflict);
  EXPECT_NE(again.detail.find(first->view.key.id.text), std::string::npos);
  EXPECT_EQ(office.projects->keys(ann, "shop", {})->items.size(), 1U);
}

TEST_P(ProjectsTest, AnotherProjectsKeyIsNotThere) {
  const auto issued = issue();
  ASSERT_TRUE(office.projects->create({ann}, "other", "").ok());
  EXPECT_EQ(office.projects->revoke_key({ann}, "other", issued->view.key.id).error().code,
            ErrorCode::not_found);
  EXPECT_TRUE(office.identity->authenticate(issued->secret).ok());
}

IMPRIMATUR_ON_INSTALLED_BACKENDS(ProjectsTest);

}  // namespace
}  // namespace imprimatur::identity
