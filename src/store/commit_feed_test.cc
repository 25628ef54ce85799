#include "store/backend_test.h"

namespace imprimatur::store {
namespace {

using ListenerDeathTest = OpenStoreTest;

TEST_P(ListenerDeathTest, ThereIsOneListener) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  store_->on_commit([](const std::vector<journal::Entry>&) {});
  EXPECT_DEATH(store_->on_commit([](const std::vector<journal::Entry>&) {}), "a second listener");
}

// The rule stands above the databases, and the child of such a test would start a server of its own.
INSTANTIATE_TEST_SUITE_P(On, ListenerDeathTest, testing::Values(Backend::sqlite),
                         [](const auto& each) { return std::string(name_of(each.param)); });

}  // namespace
}  // namespace imprimatur::store
