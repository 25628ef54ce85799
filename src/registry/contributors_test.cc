// Whoever's text may stand in a version never counts among those who let it through, whatever happened
// before.
#include "base/property_test.h"
#include "registry/gating.h"
#include "registry/world_for_test.h"

#include <algorithm>
#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace imprimatur::registry {
namespace {

// What happened to one version of the only artifact, as the test itself saw it.
struct Written {
  PrincipalId author;
  bool approved = false;  // others let it into production, which asked for it
  bool taken_back = false;
};

// A prompt's life at random, remembered beside the program.
class History {
 public:
  explicit History(Random& random) : random_(random) {
    for (const char* name : {"ann", "ben", "cas", "dia"}) people_.push_back(world_.person(name, Role::admin));
    if (random_.one_in(2)) ask(0);
    const Principal& first = random_.pick(people_);
    artifact_ = world_.create(first, "p", "text 1").artifact;
    written_.push_back({first.id});
  }

  void step() {
    world_.clock.advance(seconds(1));
    switch (random_.below(8)) {
      case 0:
      case 1:
      case 2: save(); break;
      case 3:
      case 4:
      case 5: let_through(random_.between(1, static_cast<int>(written_.size()))); break;
      case 6: roll_back(); break;
      case 7: random_.one_in(3) ? ask(random_.between(0, 1)) : retire(); break;
    }
  }

  void check() {
    for (std::int64_t number = 1; number <= static_cast<std::int64_t>(written_.size()); ++number) {
      const auto said = World::must(world_.store->read([&](store::Tx& tx) -> Result<std::set<PrincipalId>> {
        return contributors(tx, artifact_, number, production(tx));
      }));
      for (const PrincipalId& person : whose_text_may_stand_in(number)) {
        EXPECT_TRUE(said.contains(person)) << "version " << number << " of " << told_;
      }
      // And the words of the definition: everyone since the one that is live.
      for (std::int64_t since = live_ + 1; since <= static_cast<std::int64_t>(written_.size()); ++since) {
        EXPECT_TRUE(said.contains(at(since).author)) << "version " << number << " of " << told_;
      }
    }
  }

 private:
  Written& at(std::int64_t number) { return written_.at(static_cast<std::size_t>(number - 1)); }

  static EnvironmentId production(store::Tx& tx) {
    return store::environment_by_name(tx, store::project_by_name(tx, World::kProject)->id, "production")->id;
  }

  // Each version is saved on top of the one before it, so it may hold its text and all that stands in it,
  // unless that was let through by others, or is live in front of everybody anyway.
  std::set<PrincipalId> whose_text_may_stand_in(std::int64_t number) {
    std::set<PrincipalId> out{at(number).author};
    for (std::int64_t below = number - 1; below > 0; --below) {
      const bool let = at(below).approved && !at(below).taken_back;
      if (let || below == live_) break;
      out.insert(at(below).author);
    }
    return out;
  }

  void save() {
    const bool by_key = random_.one_in(4);
    const Principal& owner = random_.pick(people_);
    const Principal who = by_key ? world_.key(owner, {Scope::prompts_write}) : owner;
    world_.save(who, artifact_, "text " + std::to_string(written_.size() + 1));
    written_.push_back({owner.id});
    told_ += "s";
  }

  void let_through(std::int64_t number) {
    const VersionRef version{artifact_, number};
    const Principal &submitter = random_.pick(people_), &judge = random_.pick(people_);
    const auto review =
        world_.registry->submit(World::command(submitter), World::kProject, "production", {version}, "");
    if (review.ok()) {
      const bool given =
          world_.registry->give_verdict(World::command(judge), *review, {VerdictKind::approve, "", "", {}})
              .ok();
      EXPECT_FALSE(given && whose_text_may_stand_in(number).contains(judge.id))
          << "version " << number << " approved by somebody whose text may stand in it: " << told_;
    }
    const auto released = world_.registry->deploy(World::command(submitter), version, "production", {});
    if (!released.ok()) {
      if (review.ok()) (void)world_.registry->withdraw(World::command(submitter), *review, "");
      return;
    }
    live_ = number;
    at(number).approved = at(number).approved || asks_ > 0;
    told_ += "d" + std::to_string(number);
  }

  void roll_back() {
    const auto back = world_.registry->roll_back(World::command(random_.pick(people_)), artifact_,
                                                 "production", std::nullopt, {}, "");
    if (!back.ok()) return;
    at(live_).taken_back = true;
    live_ = World::must(world_.store->read([&](store::Tx& tx) -> Result<std::int64_t> {
      return store::live_release(tx, artifact_, production(tx))->version;
    }));
    told_ += "b" + std::to_string(live_);
  }

  void retire() {
    const std::int64_t number = random_.between(1, static_cast<int>(written_.size()));
    const Command command = World::command(random_.pick(people_));
    if (!world_.registry->retire(command, {artifact_, number}, "production", "").ok()) return;
    at(number).taken_back = true;
    if (live_ == number) live_ = 0;
    told_ += "r" + std::to_string(number);
  }

  // Two admins agree on how many approvals production asks for.
  void ask(int approvals) {
    for (const Principal& admin : {people_[0], people_[1]}) {
      World::must(world_.registry->put_environment(
          World::command(admin), World::kProject, "production",
          {.protection = R"({"approvals":{"count":)" + std::to_string(approvals) + "}}"}));
    }
    asks_ = approvals;
    told_ += "a" + std::to_string(approvals);
  }

  Random& random_;
  World world_;
  std::vector<Principal> people_;
  ArtifactId artifact_;
  std::vector<Written> written_;
  std::int64_t live_ = 0;
  int asks_ = 1;
  std::string told_;
};

TEST(Contributors, NobodyWhoseTextMayStandInAVersionIsLeftOut) {
  for_random(5, [](Random& random) {
    History history(random);
    for (int i = 0; i < 30 && !testing::Test::HasFailure(); ++i) {
      history.step();
      history.check();
    }
  });
}

struct ContributorsTest : testing::Test {
  World world;
  Principal ann = world.person("ann", Role::editor);
  Principal ben = world.person("ben", Role::reviewer);
  Principal cas = world.person("cas", Role::reviewer);

  bool counts(const VersionRef& version, const Principal& who, const std::string& environment) {
    const ReviewId review = world.submit(ann, version, environment);
    const auto given =
        world.registry->give_verdict(World::command(who), review, {VerdictKind::approve, "", "", {}});
    World::must(world.registry->withdraw(World::command(ann), review, ""));
    return given.ok();
  }
};

TEST_F(ContributorsTest, OfAVersionOlderThanTheLiveOneAreThoseItWasBuiltOn) {
  const VersionRef v1 = world.create(ann, "p", "clean");
  world.save(ben, v1.artifact, "bad");
  const VersionRef v3 = world.save(ann, v1.artifact, "bad!");
  world.make_live(ann, cas, world.save(ann, v1.artifact, "clean"));
  EXPECT_FALSE(counts(v3, ben, "production"));
  EXPECT_TRUE(counts(v3, cas, "production"));
}

TEST_F(ContributorsTest, GoBackToWhatOthersLetThroughAndNoFurther) {
  const VersionRef v1 = world.create(ben, "p", "one");
  world.make_live(ann, cas, v1);
  const VersionRef v2 = world.save(ann, v1.artifact, "two");
  world.make_live(ann, cas, world.save(ann, v1.artifact, "three"));
  EXPECT_TRUE(counts(v2, ben, "production"));  // ben's text went live with an approval of somebody else
  // Once it was taken back, it may not come in again by his own approval.
  World::must(world.registry->retire(World::command(cas), v1, "production", ""));
  EXPECT_FALSE(counts(v2, ben, "production"));
}

TEST_F(ContributorsTest, WhatWentLiveWithoutAnApprovalVouchesForNothingOlder) {
  // Staging asks for the scan alone.
  const VersionRef v1 = world.create(ben, "p", "bad");
  World::must(world.registry->deploy(World::command(cas), v1, "staging", {}));
  const VersionRef v2 = world.save(ann, v1.artifact, "bad!");
  World::must(
      world.registry->deploy(World::command(cas), world.save(ann, v1.artifact, "clean"), "staging", {}));
  const Principal admin = world.person("root", Role::admin);
  World::must(world.registry->put_environment(World::command(admin), World::kProject, "staging",
                                              {.protection = R"({"approvals":{"count":1}})"}));
  EXPECT_FALSE(counts(v2, ben, "staging"));
  EXPECT_TRUE(counts(v2, cas, "staging"));
}

}  // namespace
}  // namespace imprimatur::registry
