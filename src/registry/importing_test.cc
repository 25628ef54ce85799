#include "registry/world_for_test.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

namespace imprimatur::registry {
namespace {

struct ImportingTest : RegistryTest {
  using Kind = ImportOutcome::Status;

  static NewArtifact item(const std::string& name, const std::string& text,
                          std::optional<std::string> semver = std::nullopt,
                          std::vector<std::string> tags = {}) {
    NewArtifact out;
    out.name = name;
    out.content.text = text;
    out.content.semver = std::move(semver);
    out.tags = std::move(tags);
    return out;
  }
  std::vector<ImportOutcome> import(std::vector<NewArtifact> items, bool dry_run = false) {
    return World::must(
        registry.import(as(ann), World::kProject, std::move(items), OnConflict::new_version, dry_run));
  }
  VersionView latest(const ArtifactId& id) {
    const auto view = World::must(world.queries->artifact(ann, id));
    return World::must(world.queries->version(ann, {id, view.artifact.latest_version}));
  }
};

TEST_F(ImportingTest, ANewVersionTakesTheSemverAndTagsOfTheFile) {
  const ArtifactId id = import({item("a", "One.", "2.1.0", {"x"})}).front().artifact;
  EXPECT_EQ(latest(id).version.semver, "2.1.0");
  import({item("a", "Two.", "3.0.0-rc.1", {"y", "z"})});
  EXPECT_EQ(latest(id).version.semver, "3.0.0-rc.1");
  EXPECT_EQ(latest(id).artifact.tags, (std::vector<std::string>{"y", "z"}));
  // A file that names none: the next step, and the tags that are there.
  import({item("a", "Three.")});
  EXPECT_EQ(latest(id).version.semver, "3.0.0");
  EXPECT_EQ(latest(id).artifact.tags.size(), 2U);
  EXPECT_EQ(import({item("a", "Three.")}).front().status, Kind::unchanged);
  // The same text under a semver of its own is another version; one that is no step up is refused.
  EXPECT_EQ(import({item("a", "Three.", "3.0.1")}).front().status, Kind::new_version);
  EXPECT_EQ(import({item("a", "Three.", "3.0.1")}).front().status, Kind::unchanged);
  EXPECT_EQ(import({item("a", "Three.", "3.0.1", {"z", "y"})}).front().status, Kind::unchanged);
  EXPECT_EQ(import({item("a", "Three.", {}, {"w"})}).front().status, Kind::new_version);
  EXPECT_EQ(latest(id).artifact.tags, (std::vector<std::string>{"w"}));
  EXPECT_EQ(latest(id).version.semver, "3.0.2");
  const ImportOutcome refused = import({item("a", "Four.", "1.0.0")}).front();
  EXPECT_EQ(refused.status, Kind::skipped);
  EXPECT_NE(refused.reason.find("not above"), std::string::npos) << refused.reason;
}

TEST_F(ImportingTest, ItemsOfOneNameBuildOnEachOther) {
  for (const bool dry_run : {true, false}) {
    const auto out = import({item("a", "One."), item("a", "Two."), item("a", "Two.")}, dry_run);
    EXPECT_EQ(out[0].status, Kind::created);
    EXPECT_EQ(out[1].status, Kind::new_version);
    EXPECT_EQ(out[2].status, Kind::unchanged);
    EXPECT_EQ(out[1].version, 2);
    EXPECT_EQ(out[2].artifact, out[0].artifact);
    EXPECT_EQ(out[0].artifact.empty(), dry_run);
  }
}

TEST_F(ImportingTest, ARepetitionIsAnsweredAsTheFirst) {
  Command command = as(ann);
  command.idempotency_key = "k";
  command.request_hash = "h";
  const auto send = [&](const std::string& text) {
    return registry.import(command, World::kProject, {item("a", text), item("../b", text)},
                           OnConflict::new_version, false);
  };
  const auto first = World::must(send("One."));
  EXPECT_EQ(first[0].status, Kind::created);
  world.save(ann, first[0].artifact, "Somebody else's.");
  const auto again = World::must(send("One."));
  ASSERT_EQ(again.size(), 2U);
  EXPECT_EQ(again[0].status, Kind::created) << "and not a third version";
  EXPECT_EQ(again[0].artifact, first[0].artifact);
  EXPECT_EQ(again[0].version, 1);
  EXPECT_EQ(again[1].reason, first[1].reason);
  EXPECT_EQ(latest(first[0].artifact).version.number, 2);
  command.request_hash = "another";
  expect_refused(send("Two."), ErrorCode::conflict, "Idempotency-Key");
}

TEST_F(ImportingTest, ARefusalHoldsUpAllWhereThatWasAsked) {
  const auto out = registry.import(as(ann), World::kProject, {item("a", "One."), item("../b", "Two.")},
                                   OnConflict::fail, false);
  ASSERT_FALSE(out.ok());
  EXPECT_EQ(out.error().fields.back().field, "items[1]");
  EXPECT_EQ(import({item("a", "One.")}).front().status, Kind::created);
}

TEST_F(ImportingTest, AnImportThatIsOvertakenIsPlannedAgain) {
  const ArtifactId id = import({item("a", "0")}).front().artifact;
  std::atomic<int> written{0};
  std::vector<std::thread> threads;
  for (int writer = 0; writer < 3; ++writer) {
    threads.emplace_back([&, writer] {
      for (int i = 0; i < 4; ++i) {
        const std::string text = "text " + std::to_string(writer) + "." + std::to_string(i);
        const auto out =
            registry.import(as(ann), World::kProject, {item("a", text)}, OnConflict::new_version, false);
        if (out.ok()) {
          EXPECT_EQ(out->front().status, Kind::new_version);
          ++written;
        } else {
          EXPECT_EQ(out.error().code, ErrorCode::conflict);
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_GE(written, 4);
  EXPECT_EQ(latest(id).version.number, 1 + written);
}

}  // namespace
}  // namespace imprimatur::registry
