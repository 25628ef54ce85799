// Content that was changed in the store by hand, behind the program's back.
#include "registry/gating.h"
#include "registry/world_for_test.h"
#include "store/database.h"

#include <gtest/gtest.h>

namespace imprimatur::registry {
namespace {

struct AlteredTest : testing::Test {
  World world;
  Principal ann = world.person("ann", Role::editor);
  Principal ben = world.person("ben", Role::reviewer);
  VersionRef v1 = world.create(ann, "a", "Good {{text}}.");

  void alter(const VersionRef& version) {
    const Status done = world.store->write({world.project.text}, [&](store::Tx& tx) -> Status {
      tx.database().script("DROP TRIGGER IF EXISTS contents_refuse_update");
      tx.database().exec(
          "UPDATE contents SET content = replace(content, 'Good', 'EVIL') WHERE artifact = ? AND "
          "number = ?",
          version.artifact, version.number);
      tx.append(world.project.text, {"label.moved", "test:altered", "{}", ann.id});
      return Ok{};
    });
    ASSERT_TRUE(done.ok()) << done.error().detail;
  }
  template <class T>
  void expect_refused(const Result<T>& result) {
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code, ErrorCode::unprocessable) << result.error().detail;
    std::string all = result.error().detail;
    for (const std::string& reason : result.error().reasons) all += "\n" + reason;
    EXPECT_NE(all.find("digest"), std::string::npos) << all;
  }
  Result<ReviewId> approve(const ReviewId& review) {
    return world.registry->give_verdict(World::command(ben), review, {VerdictKind::approve, "", "", {}});
  }
};

TEST_F(AlteredTest, AfterItsApprovalItDoesNotGoLive) {
  const ReviewId review = world.submit(ann, v1);
  World::must(approve(review));
  alter(v1);
  expect_refused(world.registry->deploy(World::command(ben), v1, "production", {}));
  expect_refused(world.registry->deploy_review(World::command(ben), review, {}));
  const auto view = world.queries->review(ben, review);
  ASSERT_TRUE(view.ok());
  EXPECT_FALSE(view->gate.met);
}

TEST_F(AlteredTest, NotEvenWhereNothingIsAsked) {
  alter(v1);
  expect_refused(world.registry->deploy(World::command(ben), v1, "development", {}));
}

TEST_F(AlteredTest, NobodyApprovesScansOrBuildsOnIt) {
  const ReviewId review = world.submit(ann, v1);
  alter(v1);
  expect_refused(approve(review));
  expect_refused(world.registry->scan(World::command(ann), v1));
  NewVersion next;
  next.message = "inherits the text";
  expect_refused(world.registry->save(World::command(ann), v1.artifact, next));
  World::must(world.registry->withdraw(World::command(ann), review, ""));
  expect_refused(world.registry->submit(World::command(ann), World::kProject, "production", {v1}, ""));
}

TEST(ScanAgain, ACurrentResultIsAnsweredAndNothingIsWritten) {
  World world;
  const Principal ann = world.person("ann", Role::editor);
  const VersionRef v1 = world.create(ann, "a", "Hello.");
  const auto scans = [&] { return World::must(world.queries->scans(ann, v1, {})).items; };
  ASSERT_EQ(scans().size(), 1u);
  const ScanRecord first = scans().front();
  EXPECT_EQ(World::must(world.registry->scan(World::command(ann), v1)).id, first.id);
  EXPECT_EQ(World::must(world.registry->scan({ann, "key", "hash"}, v1)).id, first.id);
  EXPECT_EQ(scans().size(), 1u);
  // An older pack's result is replaced.
  World::must(world.store->write({world.project.text}, [&](store::Tx& tx) -> Status {
    ScanRecord stale = first;
    stale.id = {"scn_stale"};
    stale.ruleset = "sha256:older";
    store::insert_scan(tx, stale);
    tx.append(world.project.text, {"label.moved", "test:stale", "{}", ann.id});
    return Ok{};
  }));
  EXPECT_NE(World::must(world.registry->scan(World::command(ann), v1)).id.text, "scn_stale");
  EXPECT_EQ(scans().size(), 3u);
}

TEST(ChangeSet, IsCountedBeforeAnythingIsRead) {
  World world;
  const Principal ann = world.person("ann", Role::editor);
  const VersionRef v1 = world.create(ann, "a", "Hello.");
  for (const std::size_t many : {std::size_t{2}, std::size_t{10'000}}) {
    const std::vector<VersionRef> items(many, v1);
    const auto refused =
        world.registry->submit(World::command(ann), World::kProject, "production", items, "");
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code, ErrorCode::invalid);
  }
}

}  // namespace
}  // namespace imprimatur::registry
