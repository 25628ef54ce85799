// A project with people on a real store, for tests of what may happen in it.
#pragma once

#include "base/hash.h"
#include "domain/records.h"
#include "registry/queries.h"
#include "registry/registry.h"
#include "scan/ruleset.h"
#include "store/identity_rows.h"
#include "store/registry_rows.h"
#include "store/store.h"

#include <filesystem>
#include <memory>
#include <stdlib.h>
#include <string>

#include <gtest/gtest.h>

namespace imprimatur::registry {

class World {
 public:
  World() {
    char pattern[] = "/tmp/imprimatur-registry-XXXXXX";
    CHECK(mkdtemp(pattern) != nullptr);
    directory_ = pattern;
    auto opened = store::Store::open({.directory = directory_}, clock, std::string(32, 's'));
    CHECK(opened.ok(), opened.ok() ? "" : opened.error().detail);
    store = std::move(opened).value();
    store->open_writes();
    registry = std::make_unique<Registry>(*store, rules);
    queries = std::make_unique<Queries>(*store, *registry);
    project = {new_id("prj", 1)};
    make_project();
  }
  ~World() {
    queries.reset();
    registry.reset();
    store.reset();
    std::filesystem::remove_all(directory_);
  }

  // A person in a session with a role in the project.
  Principal person(const std::string& name, std::optional<Role> role) {
    const PrincipalId id{new_id("usr", 1)};
    must(store->write({"org"}, [&](store::Tx& tx) -> Status {
      store::insert_user(tx, {.id = id,
                              .email = name + "@example.org",
                              .display_name = name,
                              .password_hash = "x",
                              .created_at = tx.now()});
      tx.append("org", event("user.created", id));
      return Ok{};
    }));
    Principal principal;
    principal.id = id;
    principal.session = {"ses_" + name};
    if (role) set_role(principal, *role);
    return principal;
  }

  void set_role(const Principal& who, Role role, Time verdicts_since = {}) {
    must(store->write({project.text}, [&](store::Tx& tx) -> Status {
      Membership membership{who.id, role, {}, verdicts_since, true};
      store::put_member(tx, project, membership);
      tx.append(project.text, {"member.changed", "member:" + who.id.text,
                               R"({"role":")" + std::string(name_of(role)) + R"(","teams":[]})", who.id});
      return Ok{};
    }));
  }

  // Bound to an environment when one is named.
  Principal key(const Principal& owner, std::vector<Scope> scopes, const std::string& environment = "") {
    Principal principal;
    principal.kind = PrincipalKind::service_account;
    principal.id = {new_id("svc", 1)};
    principal.key = {new_id("key", 1)};
    principal.key_project = project;
    principal.scopes = scopes;
    principal.key_owner = owner.id;
    if (!environment.empty()) principal.key_environment = environment_named(environment).id;
    must(store->write({project.text}, [&](store::Tx& tx) -> Status {
      store::insert_service_account(tx, {principal.id, project, "bot", owner.id, false, tx.now()});
      store::insert_key(tx, {.id = principal.key,
                             .project = project,
                             .account = principal.id,
                             .owner = owner.id,
                             .name = "bot",
                             .hash = principal.key.text,
                             .hint = "imp_…",
                             .scopes = scopes,
                             .environment = principal.key_environment,
                             .created_at = tx.now()});
      tx.append(project.text, event("key.created", owner.id));
      return Ok{};
    }));
    return principal;
  }

  Environment environment_named(const std::string& name) {
    return must(store->read([&](store::Tx& tx) -> Result<Environment> {
      return *store::environment_by_name(tx, project, name);
    }));
  }

  void protect(const Principal& admin, const std::string& environment,
               const Registry::EnvironmentChange& change) {
    must(registry->put_environment(command(admin), kProject, environment, change));
  }

  VersionRef create(const Principal& who, const std::string& name, const std::string& text) {
    NewArtifact wanted;
    wanted.name = name;
    wanted.content.text = text;
    return must(registry->create(command(who), kProject, wanted));
  }

  VersionRef save(const Principal& who, const ArtifactId& artifact, const std::string& text) {
    NewVersion wanted;
    wanted.content.text = text;
    return must(registry->save(command(who), artifact, wanted));
  }

  ReviewId submit(const Principal& who, const VersionRef& version,
                  const std::string& environment = "production") {
    return must(registry->submit(command(who), kProject, environment, {version}, ""));
  }

  // Through review and into production.
  ReleaseId make_live(const Principal& author, const Principal& reviewer, const VersionRef& version) {
    const ReviewId review = submit(author, version);
    must(registry->give_verdict(command(reviewer), review, {VerdictKind::approve, "", "", {}}));
    return must(registry->deploy(command(reviewer), version, "production", {}));
  }

  State state(const VersionRef& version) {
    return must(store->read([&](store::Tx& tx) -> Result<State> {
      return store::version(tx, version.artifact, version.number)->state;
    }));
  }

  static Command command(const Principal& who) { return {who, "", ""}; }

  template <class T>
  static T must(Result<T> result) {
    CHECK(result.ok(), result.ok() ? "" : result.error().detail);
    return std::move(result).value();
  }

  static constexpr const char* kProject = "acme";
  ManualClock clock{Time{1'700'000'000'000'000}};
  scan::Ruleset rules = must(scan::Ruleset::built_in());
  std::unique_ptr<store::Store> store;
  std::unique_ptr<Registry> registry;
  std::unique_ptr<Queries> queries;
  ProjectId project;

 private:
  static journal::Event event(const std::string& action, const PrincipalId& id) {
    return {action, "test:" + id.text, "{}", id};
  }

  void make_project() {
    must(store->write({project.text}, [&](store::Tx& tx) -> Status {
      store::insert_project(tx, {project, kProject, "", {"system"}, tx.now()});
      const auto environment = [&](const std::string& name, std::int64_t order, Protection protection) {
        protection.version = 1;
        store::insert_environment(tx, {{new_id("env", order)}, project, name, order, protection, tx.now()});
      };
      Protection scanned, reviewed;
      scanned.checks = reviewed.checks = {"scan"};
      reviewed.approvals.count = 1;
      environment("development", 1, {});
      environment("staging", 2, scanned);
      environment("production", 3, reviewed);
      tx.append(project.text, event("project.created", {"system"}));
      return Ok{};
    }));
  }

  std::string directory_;
};

struct RegistryTest : testing::Test {
  World world;
  Principal ann = world.person("ann", Role::editor);
  Principal ben = world.person("ben", Role::reviewer);
  Principal cleo = world.person("cleo", Role::admin);
  Registry& registry = *world.registry;
  static Command as(const Principal& who) { return World::command(who); }

  template <class T>
  static void expect_refused(const Result<T>& result, ErrorCode code, std::string_view part = "") {
    ASSERT_FALSE(result.ok()) << "expected a refusal that says " << part;
    EXPECT_EQ(result.error().code, code) << result.error().detail;
    std::string all = result.error().detail;
    for (const std::string& reason : result.error().reasons) all += "\n" + reason;
    EXPECT_NE(all.find(part), std::string::npos) << all;
  }
};

}  // namespace imprimatur::registry
