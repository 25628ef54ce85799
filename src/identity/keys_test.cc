#include "identity/keys.h"

#include "identity/office_for_test.h"

#include <atomic>
#include <chrono>
#include <future>

#include <gtest/gtest.h>

namespace imprimatur::identity {
namespace {

using KeysTest = testing::TestWithParam<store::Backend>;

TEST_P(KeysTest, ARevocationOutlastsARowThatWasReadBeforeIt) {
  std::atomic<bool> armed = false;
  std::unique_ptr<Keys> keys;
  journal::Entry revocation;
  std::future<void> revoked;
  // Another process revokes the key when its row is read and not published yet.
  Office office(GetParam(), [&](store::Moment moment, std::string_view sql) {
    const bool rows = sql.starts_with("SELECT") && sql.find("FROM api_keys") != std::string_view::npos;
    if (moment != store::Moment::after || !rows || !armed.exchange(false)) return;
    revoked = std::async(std::launch::async, [&] { keys->on_entry(revocation); });
    revoked.wait_for(std::chrono::milliseconds(200));
  });
  const Principal ann = office.person("ann");
  const ProjectId project = office.projects->create({ann}, "shop", "")->id;
  keys = std::make_unique<Keys>(*office.store, office.clock, office.identity->seals());
  ASSERT_TRUE(keys->load().ok());
  const auto issued =
      office.projects->create_key({ann}, "shop", {.name = "k", .scopes = {Scope::runtime_read}});
  ASSERT_TRUE(issued.ok());
  const journal::Entry creation = office.journal(project.text).back();
  ASSERT_EQ(creation.event.action, "key.created");
  revocation = creation;
  revocation.event.action = "key.revoked";

  armed = true;
  keys->on_entry(creation);
  ASSERT_TRUE(revoked.valid());
  revoked.wait();
  EXPECT_FALSE(keys->authenticate(issued->secret).ok());
  keys->on_entry(creation);
  EXPECT_TRUE(keys->authenticate(issued->secret).ok()) << "the row itself still says that it works";
}

IMPRIMATUR_ON_INSTALLED_BACKENDS(KeysTest);

}  // namespace
}  // namespace imprimatur::identity
