#include "server/delivery_feed.h"

#include "identity/identity.h"
#include "identity/projects.h"
#include "registry/registry.h"
#include "scan/ruleset.h"
#include "store/database.h"

#include <atomic>
#include <filesystem>
#include <future>
#include <stdlib.h>
#include <thread>

#include <gtest/gtest.h>

namespace imprimatur::server {
namespace {

template <class T>
T must(Result<T> result) {
  CHECK(result.ok(), result.ok() ? "" : result.error().detail);
  return std::move(result).value();
}

// A project with a key and a prompt in development, told to delivery through the store's listener, with reads
// that fail whenever the test wants them to.
class DeliveryFeedTest : public testing::Test {
 protected:
  enum class Reads { work, lose_the_database, meet_a_defect };

  DeliveryFeedTest() {
    char pattern[] = "/tmp/imprimatur-feed-XXXXXX";
    CHECK(mkdtemp(pattern) != nullptr, "a temporary directory");
    directory_ = pattern;
    store::StoreOptions options{.directory = directory_};
    options.interceptor = [this](store::Moment moment, std::string_view sql) {
      if (on_statement_ && moment == store::Moment::before) on_statement_(sql);
      if (failing_ == Reads::lose_the_database) throw store::DatabaseGone("the test cut the connection");
      if (failing_ == Reads::meet_a_defect) throw std::runtime_error("the test broke the statement");
    };
    store_ = must(store::Store::open(options, clock_, std::string(32, 's')));
    store_->open_writes();
    identity_.emplace(*store_, clock_, std::string(32, 'x'), identity::least_cost());
    projects_.emplace(*store_, clock_, identity_->seals());
    registry_.emplace(*store_, rules_);
    delivery_.emplace([this](std::string_view key) { return identity_->seals().of_key(key); });
    feed_.emplace(*store_, *delivery_);
    store_->on_commit([this](const auto& entries) {
      // Only what the feed reads fails: the command itself has committed.
      failing_ = during_the_feed_;
      feed_->on_entries(entries);
      failing_ = Reads::work;
    });
    must(identity_->bootstrap("the admin's password", "sha256:00"));
    const auto in = must(identity_->login(identity::kFirstAdmin, "the admin's password"));
    admin_ = {must(identity_->authenticate(in.token)), "", ""};
    must(projects_->create(admin_, "shop", ""));
    key_ = must(projects_->create_key(admin_, "shop", {.name = "app", .scopes = {Scope::runtime_read}}));
    registry::NewArtifact wanted;
    wanted.name = "reply";
    wanted.content.text = "Be brief.";
    version_ = must(registry_->create(admin_, "shop", wanted));
    must(registry_->deploy(admin_, version_, "development", {}));
  }
  ~DeliveryFeedTest() override {
    store_.reset();
    std::filesystem::remove_all(directory_);
  }

  bool key_works() {
    return delivery_->snapshots().get()->key(identity_->seals().of_key(key_.secret)) != nullptr;
  }
  bool is_served() {
    const auto snapshot = delivery_->snapshots().get();
    const auto environment = snapshot->directory->find(key_.view.key.project.text, "development");
    return environment && snapshot->entry(*environment, "reply") != nullptr;
  }
  void revoke() { must(projects_->revoke_key(admin_, "shop", key_.view.key.id)); }

  ManualClock clock_{Time{1'800'000'000'000'000}};
  scan::Ruleset rules_ = must(scan::Ruleset::built_in());
  std::string directory_;
  std::atomic<Reads> failing_ = Reads::work;
  Reads during_the_feed_ = Reads::work;
  std::function<void(std::string_view)> on_statement_;
  std::unique_ptr<store::Store> store_;
  std::optional<identity::Identity> identity_;
  std::optional<identity::Projects> projects_;
  std::optional<registry::Registry> registry_;
  std::optional<delivery::Delivery> delivery_;
  std::optional<DeliveryFeed> feed_;
  registry::Command admin_;
  identity::IssuedKey key_;
  VersionRef version_;
};

TEST_F(DeliveryFeedTest, EveryCommitIsToldBeforeItIsAnswered) {
  EXPECT_TRUE(key_works());
  EXPECT_TRUE(is_served());
  must(registry_->retire(admin_, version_, "development", "leaks"));
  EXPECT_FALSE(is_served());
  revoke();
  EXPECT_FALSE(key_works());
  EXPECT_FALSE(feed_->behind());
}

// What a version includes is put in place when it is told, at once and at a start alike; a layer whose
// content is not what was locked takes what includes it out.
TEST_F(DeliveryFeedTest, LayersAreServedInPlaceOrNotAtAll) {
  registry::NewArtifact wanted;
  wanted.name = "whole";
  wanted.content.text = "{{> reply}} Be kind.";
  wanted.content.layers = std::vector<LayerRef>{{"reply", "^1"}};
  const VersionRef whole = must(registry_->create(admin_, "shop", wanted));
  must(registry_->deploy(admin_, whole, "development", {}));
  const auto served = [&]() -> std::string {
    const auto snapshot = delivery_->snapshots().get();
    const auto environment = snapshot->directory->find(key_.view.key.project.text, "development");
    const auto* entry = snapshot->entry(*environment, "whole");
    return entry == nullptr || entry->live == nullptr ? "" : std::string(entry->live->body());
  };
  EXPECT_NE(served().find("\"content\":\"Be brief. Be kind.\""), std::string::npos) << served();
  must(feed_->load());
  EXPECT_NE(served().find("\"content\":\"Be brief. Be kind.\""), std::string::npos);
  must(store_->write({key_.view.key.project.text}, [&](store::Tx& tx) -> Status {
    tx.database().script("DROP TRIGGER IF EXISTS contents_refuse_update");
    tx.database().exec("UPDATE contents SET content = replace(content, 'brief', 'rude') WHERE artifact = ?",
                       version_.artifact);
    tx.append(key_.view.key.project.text, {"test.happened", "test", "{}", {"system"}});
    return Ok{};
  }));
  must(feed_->load());
  EXPECT_EQ(served().find("rude"), std::string::npos);
  const auto before = delivery_->altered_contents();
  delivery_.emplace([this](std::string_view key) { return identity_->seals().of_key(key); });
  feed_.emplace(*store_, *delivery_);
  must(feed_->load());
  EXPECT_EQ(served(), "");
  EXPECT_EQ(delivery_->altered_contents(), 2U) << "the layer and what includes it; before " << before;
}

TEST_F(DeliveryFeedTest, ARevokedKeyStopsWorkingEvenWhenNothingCanBeRead) {
  during_the_feed_ = Reads::lose_the_database;
  revoke();
  EXPECT_FALSE(key_works());
  EXPECT_TRUE(feed_->behind());
}

TEST_F(DeliveryFeedTest, CatchingUpRemovesWhatEndedMeanwhile) {
  during_the_feed_ = Reads::lose_the_database;
  must(registry_->retire(admin_, version_, "development", "leaks"));
  EXPECT_TRUE(feed_->behind());
  feed_->catch_up();
  EXPECT_FALSE(is_served());
  EXPECT_TRUE(key_works());
  EXPECT_FALSE(feed_->behind());
}

TEST_F(DeliveryFeedTest, ADefectWhileReadingLeavesItBehindAndNotBroken) {
  during_the_feed_ = Reads::meet_a_defect;
  must(registry_->retire(admin_, version_, "development", "leaks"));
  EXPECT_TRUE(feed_->behind());
  failing_ = Reads::meet_a_defect;
  feed_->catch_up();
  EXPECT_TRUE(feed_->behind()) << "it was not read yet";
  failing_ = Reads::work;
  feed_->catch_up();
  EXPECT_FALSE(is_served());
}

// The load has read the key and not told it when the key is revoked.
TEST_F(DeliveryFeedTest, ALoadNeverBringsBackWhatWasRevokedBesideIt) {
  std::promise<void> read;
  std::atomic<bool> waited = false;
  std::thread::id loading;
  on_statement_ = [&](std::string_view sql) {
    if (std::this_thread::get_id() != loading || sql.find("FROM releases") == sql.npos) return;
    if (waited.exchange(true)) return;
    read.set_value();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  };
  std::thread loader([&] {
    loading = std::this_thread::get_id();
    must(feed_->load());
  });
  read.get_future().wait();
  revoke();
  loader.join();
  on_statement_ = nullptr;
  EXPECT_FALSE(key_works());
}

}  // namespace
}  // namespace imprimatur::server
