// For tests: the databases that every store has to behave the same on, started and stopped by the test
// program.
#pragma once

#include "store/connection.h"
#include "store/store.h"

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace imprimatur::store {

// failing: SQLite, decorated so that the store's writer keeps losing statements; see Faults.
enum class Backend { sqlite, postgresql, failing };
std::string_view name_of(Backend backend);
// For suites that cannot be set up before they are skipped: the databases, without PostgreSQL where it is not
// installed.
std::vector<Backend> installed_backends();

// Makes the statements of a store's writer fail: of whoever begins a write, but for the thread that made this
// one, which opens the stores.
class Faults {
 public:
  // From the beginning every other attempt at a group of commands fails once, each time a statement later:
  // the connection is lost before it, its answer is lost, or the database is busy. The writer has to repair
  // all of these by itself.
  Interceptor interceptor();
  void rest() { mode_ = Mode::resting; }
  void resume() { mode_ = Mode::losing; }
  // Instead, the n-th statement of the next command is one that the schema refuses.
  void refuse(int n);
  bool refused() const { return refused_; }
  // Of the last command, without its savepoint.
  int statements() const { return statements_; }

 private:
  enum class Mode { losing, refusing, resting };
  void hear(Moment moment, std::string_view sql);
  void lose(Moment moment, std::string_view sql);
  const std::thread::id home_ = std::this_thread::get_id();
  std::atomic<std::thread::id> writer_;
  std::atomic<Mode> mode_ = Mode::losing;
  std::atomic<int> refuse_at_ = 0, statements_ = 0;
  std::atomic<bool> refused_ = false;
  // Of the writer's thread alone.
  bool in_group_ = false, in_command_ = false, spared_ = false;
  int seen_ = 0, place_ = 0;
};

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
  Faults* faults() const { return faults_.get(); }  // null: the database does not fail
  // What Database takes to open it directly.
  std::string target() const;
  // PostgreSQL: as if the server went away, and as if it came back.
  void cut() const;
  void mend() const;
  // SQLite: every row but the writers' marks, for comparing.
  std::string contents() const;

 private:
  Backend backend_;
  std::unique_ptr<Faults> faults_;
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
  // A write with an event, so that anything may change. On a failing database, first each of its statements
  // is refused in turn, which has to leave everything as it was.
  Status change(const std::function<void(Tx&)>& work);
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

// EVERY_DATABASE: for suites that make their own faults, or that tamper.
#define IMPRIMATUR_ON_EVERY_DATABASE(Suite)                                                  \
  INSTANTIATE_TEST_SUITE_P(On, Suite, testing::Values(Backend::sqlite, Backend::postgresql), \
                           [](const auto& each) { return std::string(name_of(each.param)); })
#define IMPRIMATUR_ON_EVERY_BACKEND(Suite)                                                          \
  INSTANTIATE_TEST_SUITE_P(On, Suite,                                                               \
                           testing::Values(Backend::sqlite, Backend::postgresql, Backend::failing), \
                           [](const auto& each) { return std::string(name_of(each.param)); })

}  // namespace imprimatur::store
