// For tests: the databases that every store has to behave the same on, started and stopped by the test
// program.
#pragma once

#include "store/store.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace imprimatur::store {

enum class Backend { sqlite, postgresql };
std::string_view name_of(Backend backend);
// For suites that cannot be set up before they are skipped: without PostgreSQL where it is not installed.
std::vector<Backend> installed_backends();

// An empty database of its own, gone at the end.
class Ground {
 public:
  explicit Ground(Backend backend);
  ~Ground();
  Ground(const Ground&) = delete;
  Ground& operator=(const Ground&) = delete;

  // False where PostgreSQL is not installed.
  bool available() const { return available_; }
  StoreOptions options() const;
  Backend backend() const { return backend_; }
  // What Database takes to open it directly.
  std::string target() const;
  // PostgreSQL: as if the server went away, and as if it came back.
  void cut() const;
  void mend() const;

 private:
  Backend backend_;
  bool available_ = true;
  std::string place_;  // a directory, or the name of a database
};

inline constexpr std::string_view kSeed = "0123456789abcdef0123456789abcdef";

// A suite that runs on every backend. PostgreSQL is skipped, visibly, where it is not installed.
class StoreTest : public testing::TestWithParam<Backend> {
 protected:
  StoreTest();
  void SetUp() override;
  std::unique_ptr<Store> open();
  std::unique_ptr<Store> open(const StoreOptions& options);

  Ground ground_;
  ManualClock clock_{Time{1'800'000'000'000'000}};
};

// A suite with an open store and short ways to write and to read.
class OpenStoreTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    if (!IsSkipped()) store_ = open();
  }
  // A write with an event, so that anything may change.
  Status change(const std::function<void(Tx&)>& work) {
    return store_->write({"org"}, [&](Tx& tx) -> Status {
      work(tx);
      tx.append("org", {"test.changed", "organisation", "{}", {"system"}});
      return Ok{};
    });
  }
  template <class F>
  auto look(F&& work) {
    using T = std::invoke_result_t<F, Tx&>;
    return store_->read([&](Tx& tx) -> Result<T> { return work(tx); }).value();
  }
  std::unique_ptr<Store> store_;
};

// Every journal: no gap, each entry bound to the one before, heads that fit and are signed. The number of
// entries.
std::uint64_t expect_intact(Store& store);

#define IMPRIMATUR_ON_EVERY_BACKEND(Suite)                                                   \
  INSTANTIATE_TEST_SUITE_P(On, Suite, testing::Values(Backend::sqlite, Backend::postgresql), \
                           [](const auto& each) { return std::string(name_of(each.param)); })

}  // namespace imprimatur::store
