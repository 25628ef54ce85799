// Databases that fail at every moment: nothing is half-written, what was acknowledged is there, and the
// journals are intact.
#include "store/backend_test.h"
#include "store/database.h"
#include "store/identity_rows.h"
#include "store/journal_rows.h"
#include "store/schema.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <map>
#include <set>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace imprimatur::store {
namespace {

journal::Event event(const std::string& resource) { return {"test.happened", resource, "{}", {"system"}}; }

// One change and its two events.
Status put(Store& store, const std::string& account) {
  return store.write({"org", "prj_1"}, [&](Tx& tx) -> Status {
    put_failed_logins(tx, account, {1, tx.now()});
    tx.append("org", event(account));
    tx.append("prj_1", event(account));
    return Ok{};
  });
}

// Every change has its events and every event its change.
void expect_whole(Store& store, const std::set<std::string>& acknowledged) {
  expect_intact(store);
  const Status done = store.read([&](Tx& tx) -> Status {
    std::set<std::string> rows, org, project;
    tx.database().each("SELECT account FROM failed_logins",
                       [&](const Row& row) { rows.insert(row.text(0)); });
    for (const auto& entry : entries(tx, "org", 1, 100'000)) org.insert(entry.event.resource);
    for (const auto& entry : entries(tx, "prj_1", 1, 100'000)) project.insert(entry.event.resource);
    EXPECT_EQ(rows, org);
    EXPECT_EQ(rows, project);
    for (const std::string& account : acknowledged) EXPECT_TRUE(rows.contains(account)) << account;
    return Ok{};
  });
  EXPECT_TRUE(done.ok());
}

// Fails the n-th statement from when it was armed, or that one and all after it.
class Fault {
 public:
  void arm(int n, Moment moment, bool for_good) {
    seen_ = 0;
    n_ = n;
    moment_ = moment;
    for_good_ = for_good;
  }
  void disarm() { n_ = 0; }
  bool reached() const { return seen_ >= n_; }
  Interceptor interceptor() {
    return [this](Moment moment, std::string_view) {
      if (n_ == 0 || moment != moment_) return;
      const int seen = ++seen_;
      if (seen == n_ || (for_good_ && seen > n_)) throw DatabaseGone("the test cut the connection");
    };
  }

 private:
  std::atomic<int> seen_ = 0, n_ = 0;
  std::atomic<Moment> moment_ = Moment::before;
  std::atomic<bool> for_good_ = false;
};

class FaultTest : public StoreTest {
 protected:
  void every_n(Moment moment, bool for_good) {
    int round = 0;
    std::set<std::string> acknowledged;
    Fault fault;
    StoreOptions options = ground_.options();
    options.interceptor = fault.interceptor();
    options.write_timeout = milliseconds(100);
    std::map<std::string, std::uint64_t> heard;
    std::uint64_t disordered = 0;
    const auto listen = [&](Store& store) {
      store.on_commit([&](const std::vector<journal::Entry>& entries) {
        for (const auto& entry : entries) {
          if (entry.seq != heard[entry.journal] + 1) disordered += 1;
          heard[entry.journal] = entry.seq;
        }
      });
    };
    std::unique_ptr<Store> store = open(options);
    listen(*store);
    bool reached = true;
    while (reached) {
      ++round;
      fault.arm(round, moment, for_good);
      for (int i = 0; i < 2; ++i) {
        const std::string account = std::to_string(round) + "." + std::to_string(i);
        const Status done = put(*store, account);
        if (done.ok()) acknowledged.insert(account);
        EXPECT_TRUE(done.ok() || for_good) << "one lost statement is repaired";
      }
      reached = fault.reached();
      fault.disarm();
      // And it recovers by itself.
      EXPECT_TRUE(put(*store, std::to_string(round) + ".after").ok());
      acknowledged.insert(std::to_string(round) + ".after");
      ASSERT_LT(round, 200);
      if (HasFailure()) break;
    }
    EXPECT_GT(round, 15);
    EXPECT_EQ(disordered, 0u);
    expect_whole(*store, acknowledged);
    const auto heads_now = store->read([](Tx& tx) -> Result<std::vector<Head>> { return heads(tx); }).value();
    for (const Head& head : heads_now) EXPECT_EQ(heard[head.journal], head.size) << head.journal;
  }
};

TEST_P(FaultTest, EveryStatementFailsOnce) { every_n(Moment::before, false); }
TEST_P(FaultTest, EveryAnswerIsLostOnce) { every_n(Moment::after, false); }
TEST_P(FaultTest, EveryStatementFailsForAWhile) { every_n(Moment::before, true); }
TEST_P(FaultTest, EveryAnswerIsLostForAWhile) { every_n(Moment::after, true); }

TEST_P(FaultTest, ReadsAreUnavailableWhileTheDatabaseIsGone) {
  Fault fault;
  StoreOptions options = ground_.options();
  options.interceptor = fault.interceptor();
  const std::unique_ptr<Store> store = open(options);
  ASSERT_TRUE(put(*store, "a").ok());
  fault.arm(1, Moment::before, true);
  const Result<int> lost = store->read([](Tx& tx) -> Result<int> { return failed_logins(tx, "a").count; });
  ASSERT_FALSE(lost.ok());
  EXPECT_EQ(lost.error().code, ErrorCode::unavailable);
  fault.disarm();
  EXPECT_EQ(store->read([](Tx& tx) -> Result<int> { return failed_logins(tx, "a").count; }).value(), 1);
}

IMPRIMATUR_ON_EVERY_DATABASE(FaultTest);

// A migration that stops in the middle leaves nothing behind; one that was committed is whole.
class MigrationTest : public StoreTest {};

TEST_P(MigrationTest, EveryStatementOfTheSchemaFails) {
  const bool sqlite = ground_.backend() == Backend::sqlite;
  const std::string tables_there =
      sqlite ? "SELECT count(*) FROM sqlite_master"
             : "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace";
  Fault fault;
  StoreOptions options = ground_.options();
  options.interceptor = fault.interceptor();
  std::vector<std::int64_t> sizes;  // after each failure
  for (bool opened = false; !opened;) {
    fault.arm(static_cast<int>(sizes.size()) + 1, Moment::before, false);
    opened = Store::open(options, clock_, kSeed).ok();
    fault.disarm();
    Database database(
        {.dialect = sqlite ? Dialect::sqlite : Dialect::postgresql, .target = ground_.target()});
    sizes.push_back(*database.one(tables_there, [](const Row& row) { return row.integer(0); }));
    ASSERT_LT(sizes.size(), 1000u);
  }
  std::size_t statements = 0;
  for (const Migration& step : migrations()) {
    for (std::size_t at = 0; (at = step.statements.find("\n;\n", at)) != std::string_view::npos; ++at) {
      ++statements;
    }
    ++statements;
  }
  EXPECT_EQ(sizes.front(), 0);
  EXPECT_GT(sizes.back(), 40);
  EXPECT_EQ(std::set(sizes.begin(), sizes.end()).size(), 2u) << "nothing, or everything";
  EXPECT_GT(std::ranges::count(sizes, 0), static_cast<std::ptrdiff_t>(statements)) << "each of them failed";
}

IMPRIMATUR_ON_EVERY_DATABASE(MigrationTest);

// The server goes away and comes back.
TEST(OutageTest, StoresRecoverByThemselves) {
  Ground ground(Backend::postgresql);
  if (!ground.available()) GTEST_SKIP() << "PostgreSQL 15 is not installed";
  ManualClock clock(Time{1'800'000'000'000'000});
  StoreOptions options = ground.options();
  options.write_timeout = milliseconds(500);
  const auto store = Store::open(options, clock, kSeed).value();
  const auto count = [&] {
    return store->read([](Tx& tx) -> Result<int> { return failed_logins(tx, "a").count; });
  };
  ASSERT_TRUE(put(*store, "a").ok());
  ASSERT_TRUE(count().ok());
  ground.cut();
  EXPECT_EQ(put(*store, "b").error().code, ErrorCode::unavailable);
  EXPECT_EQ(count().error().code, ErrorCode::unavailable);
  ground.mend();
  EXPECT_TRUE(put(*store, "c").ok());
  EXPECT_EQ(count().value(), 1);
  expect_whole(*store, {"a", "c"});
}

// kill -9 in the middle of writing: whatever was acknowledged is there.
class CrashTest : public StoreTest {
 protected:
  // The child writes until it is killed, and says through the pipe what was acknowledged.
  [[noreturn]] void write_for_ever(int pipe, int round) {
    const std::unique_ptr<Store> store = open();
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        for (int n = 0;; ++n) {
          const std::string account =
              std::to_string(round) + "." + std::to_string(i) + "." + std::to_string(n) + "\n";
          if (!put(*store, account).ok()) ::_exit(3);
          // Shorter than PIPE_BUF, so whole.
          if (::write(pipe, account.data(), account.size()) < 0) ::_exit(4);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    ::_exit(5);
  }
};

TEST_P(CrashTest, KilledInTheMiddle) {
  constexpr int kKills = 12;
  std::set<std::string> acknowledged;
  open();
  for (int round = 0; round < kKills; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) write_for_ever(ends[1], round);
    ::close(ends[1]);
    std::string said;
    char buffer[4096];
    // Some rounds end before the first commit, some after many.
    const std::size_t enough = static_cast<std::size_t>(round) * 60 + 1;
    while (said.size() < enough) {
      const ssize_t n = ::read(ends[0], buffer, sizeof buffer);
      if (n <= 0) break;
      said.append(buffer, static_cast<std::size_t>(n));
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status)) << WEXITSTATUS(status);
    for (ssize_t n; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;)
      said.append(buffer, static_cast<std::size_t>(n));
    ::close(ends[0]);
    for (std::size_t at = 0, end; (end = said.find('\n', at)) != std::string::npos; at = end + 1) {
      acknowledged.insert(said.substr(at, end - at + 1));
    }
    const std::unique_ptr<Store> store = open();
    expect_whole(*store, acknowledged);
    if (HasFailure()) return;
  }
  EXPECT_GT(acknowledged.size(), 20u);
}

IMPRIMATUR_ON_EVERY_DATABASE(CrashTest);

}  // namespace
}  // namespace imprimatur::store
