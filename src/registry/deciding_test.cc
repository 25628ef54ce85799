#include "registry/deciding.h"

#include "registry/world_for_test.h"

#include <gtest/gtest.h>

namespace imprimatur::registry {
namespace {

struct DecidingTest : RegistryTest {
  VersionRef a = world.create(ann, "a", "One."), b = world.create(ann, "b", "Two.");

  ReviewId submit_both(const std::string& environment = "production") {
    return World::must(registry.submit(as(ann), World::kProject, environment, {a, b}, ""));
  }
  void approve(const ReviewId& review) {
    World::must(registry.give_verdict(as(ben), review, {VerdictKind::approve, "", "", {}}));
  }
  ReviewState state_of(const ReviewId& review) {
    return World::must(world.queries->review(ann, review)).review.state;
  }
};

TEST_F(DecidingTest, RetiringAVersionEndsTheReviewThatHoldsItAlone) {
  const ReviewId review = world.submit(ann, a);
  approve(review);
  World::must(registry.retire(as(cleo), a, "production", ""));
  EXPECT_EQ(world.state(a), State::archived);
  EXPECT_EQ(state_of(review), ReviewState::withdrawn);
  expect_refused(registry.withdraw(as(ann), review, ""), ErrorCode::conflict, "withdrawn");
}

TEST_F(DecidingTest, AVersionInAReviewWithOthersIsNotRetired) {
  const ReviewId review = submit_both();
  approve(review);
  expect_refused(registry.retire(as(cleo), a, "production", ""), ErrorCode::conflict, review.text);
  EXPECT_EQ(world.state(a), State::approved);
  World::must(registry.withdraw(as(ann), review, ""));
  EXPECT_EQ(world.state(a), State::draft);
  world.submit(ann, b);
}

TEST_F(DecidingTest, OneOfAChangeSetIsNotDeployedPastIt) {
  world.protect(cleo, "production", {.protection = R"({"approvals":{"count":0}})"});
  const ReviewId review = submit_both();
  EXPECT_EQ(state_of(review), ReviewState::approved) << "the last environment asks for checks alone";
  expect_refused(registry.deploy(as(ben), a, "production", {}), ErrorCode::conflict, review.text);
  World::must(registry.withdraw(as(ann), review, ""));
  EXPECT_EQ(world.state(a), State::draft);
  EXPECT_EQ(world.state(b), State::draft);
}

TEST_F(DecidingTest, NeitherWhereNothingIsAskedAnyMore) {
  const ReviewId review = submit_both("staging");
  world.protect(cleo, "staging", {.protection = R"({"checks":[]})"});
  expect_refused(registry.deploy(as(ben), a, "staging", {}), ErrorCode::conflict, review.text);
}

TEST_F(DecidingTest, ATeamJoinedAfterTheApprovalWantsAnother) {
  const TeamId team{"tea_1"};
  World::must(world.store->write({world.project.text}, [&](store::Tx& tx) -> Status {
    store::insert_team(tx, {team, world.project, "safety"});
    tx.append(world.project.text, {"team.created", "test", "{}", ann.id});
    return Ok{};
  }));
  world.protect(cleo, "production", {.protection = R"({"approvals":{"count":1,"teams":{"safety":1}}})"});
  const ReviewId review = world.submit(ann, a);
  approve(review);
  EXPECT_EQ(world.state(a), State::in_review);
  World::must(world.store->write({world.project.text}, [&](store::Tx& tx) -> Status {
    store::put_member(tx, world.project, {ben.id, Role::reviewer, {team}, {}, true});
    tx.append(world.project.text,
              {"member.changed", "member:" + ben.id.text, R"({"teams":["tea_1"]})", ben.id});
    return Ok{};
  }));
  EXPECT_FALSE(World::must(world.queries->review(ben, review)).gate.met);
  expect_refused(registry.deploy(as(ben), a, "production", {}), ErrorCode::unprocessable, "safety");
  approve(review);
  EXPECT_TRUE(World::must(world.queries->review(ben, review)).gate.met);
  World::must(registry.deploy(as(ben), a, "production", {}));
  EXPECT_EQ(world.state(a), State::deployed);
}

TEST_F(DecidingTest, AYesThatNoVerdictBroughtAboutIsDeployed) {
  const ReviewId review = world.submit(ann, a);
  const ScanRecord current = World::must(world.queries->scans(ann, a, {})).items.front();
  World::must(world.store->write({world.project.text}, [&](store::Tx& tx) -> Status {
    ScanRecord stale = current;
    stale.id = {"scn_stale"};
    stale.ruleset = "sha256:older";
    store::insert_scan(tx, stale);
    tx.append(world.project.text, {"label.moved", "test:stale", "{}", ann.id});
    return Ok{};
  }));
  approve(review);
  EXPECT_EQ(world.state(a), State::in_review);
  expect_refused(registry.deploy(as(ben), a, "production", {}), ErrorCode::unprocessable, "scan");
  World::must(registry.scan(as(ann), a));
  EXPECT_EQ(world.state(a), State::in_review);
  World::must(registry.deploy(as(ben), a, "production", {}));
  EXPECT_EQ(world.state(a), State::deployed);
}

TEST_F(DecidingTest, AnotherEnvironmentDoesNotBecomeTheLastUnderAReview) {
  const auto put = [&](const std::string& name, const Registry::EnvironmentChange& change) {
    return registry.put_environment(as(cleo), World::kProject, name, change);
  };
  const ReviewId review = world.submit(ann, a);
  expect_refused(put("beyond", {}), ErrorCode::conflict, review.text);
  expect_refused(put("staging", {.order = 9}), ErrorCode::conflict, review.text);
  expect_refused(put("production", {.order = 0}), ErrorCode::conflict, review.text);
  World::must(put("canary", {.order = 0}));
  World::must(put("production", {.order = 7}));
  World::must(registry.withdraw(as(ann), review, ""));
  // Neither under one for the environment that would be the last.
  const ReviewId staged = world.submit(ann, a, "staging");
  expect_refused(put("staging", {.order = 9}), ErrorCode::conflict, staged.text);
  World::must(put("development", {.order = 9}));
}

TEST_F(DecidingTest, WhoContributedGivesNoVerdictAtAll) {
  const VersionRef own = world.create(ben, "own", "Three.");
  const ReviewId review = world.submit(ann, own);
  for (const VerdictKind kind : {VerdictKind::approve, VerdictKind::request_changes, VerdictKind::reject}) {
    expect_refused(registry.give_verdict(as(ben), review, {kind, "", "", {}}), ErrorCode::forbidden,
                   "withdraw");
  }
  EXPECT_EQ(world.state(own), State::in_review);
  World::must(registry.withdraw(as(ben), review, ""));
}

TEST_F(DecidingTest, AKeyOfOneEnvironmentMovesNoReviewOfAnother) {
  const Principal bound = world.key(cleo, {Scope::prompts_write, Scope::prompts_read}, "development");
  const ReviewId review = world.submit(ann, a);
  const VersionRef newer = world.save(ann, a.artifact, "Three.");
  expect_refused(registry.withdraw(as(bound), review, ""), ErrorCode::forbidden, "production");
  expect_refused(registry.update(as(bound), review, {newer}, ""), ErrorCode::forbidden, "production");
  EXPECT_EQ(state_of(review), ReviewState::open);
}

TEST_F(DecidingTest, ExpectingSomethingOfAnotherPromptIsAMistake) {
  const ReviewId review = submit_both();
  approve(review);
  const VersionRef c = world.create(ann, "c", "Three.");
  expect_refused(registry.deploy_review(as(ben), review, {{a.artifact, {}}, {c.artifact, {}}}),
                 ErrorCode::invalid, "");
  World::must(registry.deploy_review(as(ben), review, {{a.artifact, {}}, {b.artifact, {}}}));
}

TEST_F(DecidingTest, AModelRuleHoldsPromptsAndNotPolicies) {
  world.protect(cleo, "staging", {.protection = R"({"models":{"allowed":["gpt-4o"]}})"});
  NewArtifact policy;
  policy.name = "refunds";
  policy.kind = ArtifactKind::policy;
  policy.content.config = R"({"refundDays":30})";
  policy.content.output_schema = R"({"type":"object"})";
  const VersionRef rule = World::must(registry.create(as(ann), World::kProject, policy));
  EXPECT_TRUE(World::must(world.queries->gate(ann, rule, "staging")).answer.met);
  EXPECT_FALSE(World::must(world.queries->gate(ann, a, "staging")).answer.met);
}

TEST_F(DecidingTest, ARepeatedChangeOfAnEnvironmentIsAnsweredAsItWas) {
  using Outcome = Registry::EnvironmentOutcome;
  Command command = as(cleo);
  command.request_hash = "h";
  const auto put = [&](const std::string& key, const std::string& name,
                       const Registry::EnvironmentChange& change) {
    command.idempotency_key = key;
    return World::must(registry.put_environment(command, World::kProject, name, change));
  };
  EXPECT_EQ(put("1", "canary", {.order = 7}), Outcome::created);
  EXPECT_EQ(put("1", "canary", {.order = 7}), Outcome::created);
  EXPECT_EQ(put("2", "canary", {.order = 8}), Outcome::changed);
  EXPECT_EQ(put("2", "canary", {.order = 8}), Outcome::changed);
  world.make_live(ann, ben, a);
  world.person("dan", Role::admin);
  EXPECT_EQ(put("3", "production", {.protection = R"({"approvals":{"count":0}})"}), Outcome::waiting);
  EXPECT_EQ(put("3", "production", {.protection = R"({"approvals":{"count":0}})"}), Outcome::waiting);
}

}  // namespace
}  // namespace imprimatur::registry
