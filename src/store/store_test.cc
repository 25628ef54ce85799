// What a store promises about commands, reads and commits, on every database.
#include "store/store.h"

#include "store/backend_test.h"
#include "store/database.h"
#include "store/identity_rows.h"
#include "store/journal_rows.h"
#include "store/schema.h"

#include <atomic>
#include <barrier>
#include <latch>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace imprimatur::store {
namespace {

journal::Event event(const std::string& action = "test.happened") {
  return {action, "organisation", "{}", {"system"}};
}

class Heard {
 public:
  CommitListener listener() {
    return [this](const std::vector<journal::Entry>& entries) {
      std::lock_guard guard(mutex_);
      for (const journal::Entry& entry : entries) {
        std::uint64_t& last = last_[entry.journal];
        if (entry.seq != last + 1) out_of_order_ += 1;
        last = entry.seq;
        total_ += 1;
      }
    };
  }
  std::uint64_t total() const {
    std::lock_guard guard(mutex_);
    return total_;
  }
  std::uint64_t out_of_order() const {
    std::lock_guard guard(mutex_);
    return out_of_order_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t> last_;
  std::uint64_t total_ = 0, out_of_order_ = 0;
};

class CommandTest : public OpenStoreTest {
 protected:
  Status put(const std::string& account, int count) {
    return store_->write({"org"}, [&](Tx& tx) -> Status {
      put_failed_logins(tx, account, {count, tx.now()});
      tx.append("org", event());
      return Ok{};
    });
  }
  int count(const std::string& account) {
    return look([&](Tx& tx) { return failed_logins(tx, account).count; });
  }
  std::int64_t commits() {
    const auto number = [](const Row& row) { return row.integer(0); };
    return look([&](Tx& tx) { return *tx.database().one("SELECT max(group_number) FROM writers", number); });
  }
};

TEST_P(CommandTest, AReadAfterAWriteSeesIt) {
  for (int i = 1; i <= 20; ++i) {
    ASSERT_TRUE(put("a", i).ok());
    ASSERT_EQ(count("a"), i);
  }
  EXPECT_EQ(expect_intact(*store_), 20u);
}

TEST_P(CommandTest, SixtyFourWritersShareCommitsAndFailAlone) {
  constexpr int kWriters = 64, kRounds = 5;
  Heard heard;
  store_->on_commit(heard.listener());
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kWriters; ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < kRounds; ++round) {
        const std::string account = std::to_string(i) + "/" + std::to_string(round);
        const std::string project = "prj_" + std::to_string(i % 3);
        bool thrown = false;
        std::optional<Result<int>> done;
        try {
          done = store_->write({project, "org"}, [&](Tx& tx) -> Result<int> {
            put_failed_logins(tx, account, {1, tx.now()});
            tx.append("org", event());
            tx.append(project, event());
            if (i % 4 == 1) return conflict("no");
            if (i % 4 == 2) throw std::logic_error("no");
            if (i % 4 == 3) {
              tx.database().exec(
                  "INSERT INTO writers (id, group_number, seen_at) SELECT id, 0, 0 FROM writers");
            }
            return i;
          });
        } catch (const std::logic_error&) {
          thrown = true;
        }
        if (thrown != (i % 4 == 2)) wrong += 1;
        if (!thrown && done->ok() != (i % 4 == 0)) wrong += 1;
        if (!thrown && !done->ok() && done->error().code != ErrorCode::conflict) wrong += 1;
        if (count(account) != (i % 4 == 0 ? 1 : 0)) wrong += 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(expect_intact(*store_), 2u * kWriters / 4 * kRounds);
  EXPECT_EQ(heard.total(), 2u * kWriters / 4 * kRounds);
  EXPECT_EQ(heard.out_of_order(), 0u);
  // Counted up with every commit; a commit that failed is counted, too.
  EXPECT_LT(commits(), kWriters / 4 * kRounds / 2) << "commits for " << kWriters / 4 * kRounds << " writes";
}

TEST_P(CommandTest, TimeNeverGoesBackInAJournal) {
  ASSERT_TRUE(put("a", 1).ok());
  clock_.set(Time{1'000'000});
  ASSERT_TRUE(put("a", 2).ok());
  EXPECT_EQ(look([&](Tx& tx) { return entries(tx, "org", 2, 1).at(0).time; }), Time{1'800'000'000'000'001});
  EXPECT_EQ(expect_intact(*store_), 2u);
}

TEST_P(CommandTest, WhatAListenerFailedOnComesAgain) {
  Heard heard;
  std::atomic<int> failures = 2;
  store_->on_commit([&, listener = heard.listener()](const std::vector<journal::Entry>& entries) {
    if (failures > 0) {
      --failures;
      throw std::runtime_error("the test's listener is not ready");
    }
    listener(entries);
  });
  ASSERT_TRUE(put("a", 1).ok()) << "what is committed is acknowledged";
  ASSERT_TRUE(put("a", 2).ok());
  for (int i = 0; i < 6000 && heard.total() < 2; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_EQ(heard.total(), 2u);
  EXPECT_EQ(heard.out_of_order(), 0u);
}

TEST_P(CommandTest, ListenersHearBeforeTheWriterIsAnswered) {
  Heard heard;
  store_->on_commit(heard.listener());
  for (std::uint64_t i = 1; i <= 10; ++i) {
    ASSERT_TRUE(put("a", 1).ok());
    ASSERT_EQ(heard.total(), i);
  }
}

TEST_P(CommandTest, RefusedWritesSayWhyAndReadsGoOn) {
  ASSERT_TRUE(put("a", 1).ok());
  store_->refuse_writes("the journal is broken at entry 7");
  EXPECT_TRUE(store_->why_refused());
  const Status refused = put("a", 2);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  EXPECT_EQ(refused.error().detail, "the journal is broken at entry 7");
  EXPECT_EQ(count("a"), 1);
  store_->open_writes();
  EXPECT_TRUE(put("a", 3).ok());
}

// Another process may take an idle writer for a forgotten one; its marker comes back with its next commit.
TEST_P(CommandTest, AForgottenMarkerComesBack) {
  ASSERT_TRUE(store_
                  ->write({},
                          [](Tx& tx) -> Status {
                            tx.database().touch("DELETE FROM writers");
                            return Ok{};
                          })
                  .ok());
  ASSERT_TRUE(store_
                  ->write({},
                          [](Tx& tx) -> Status {
                            tx.database().touch("DELETE FROM writers");
                            return Ok{};
                          })
                  .ok());
  ASSERT_TRUE(put("a", 1).ok());
  if (ground_.faults() != nullptr) {
    EXPECT_GE(commits(), 3);
  } else {
    EXPECT_EQ(commits(), 3);
  }
}

TEST_P(CommandTest, AReadCannotWrite) {
  EXPECT_THROW((void)store_->read([](Tx& tx) -> Status {
    put_failed_logins(tx, "a", {1, Time{1}});
    return Ok{};
  }),
               std::exception);
  EXPECT_EQ(count("a"), 0);
}

TEST_P(CommandTest, AReadIsOneSnapshot) {
  ASSERT_TRUE(put("a", 1).ok());
  const auto seen = look([&](Tx& tx) {
    const int before = failed_logins(tx, "a").count;
    EXPECT_TRUE(put("a", 2).ok());
    return std::make_pair(before, failed_logins(tx, "a").count);
  });
  EXPECT_EQ(seen.first, 1);
  EXPECT_EQ(seen.second, 1);
  EXPECT_EQ(count("a"), 2);
}

TEST_P(CommandTest, DataOutliveTheStore) {
  ASSERT_TRUE(put("a", 5).ok());
  store_.reset();
  store_ = open();
  EXPECT_EQ(count("a"), 5);
  ASSERT_TRUE(put("a", 6).ok());
  EXPECT_EQ(expect_intact(*store_), 2u);
}

TEST_P(CommandTest, ANewerSchemaIsRefused) {
  ASSERT_TRUE(store_
                  ->write({},
                          [](Tx& tx) -> Status {
                            tx.database().touch("INSERT INTO schema_versions (version) VALUES (?)",
                                                newest_schema() + 1);
                            return Ok{};
                          })
                  .ok());
  store_.reset();
  const auto opened = Store::open(ground_.options(), clock_, kSeed);
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().detail.find("newer program"), std::string::npos);
}

TEST_P(CommandTest, FullQueuesAndSlowCommandsAreRefusedInTime) {
  store_.reset();
  if (ground_.faults() != nullptr) ground_.faults()->rest();  // the slow command runs once
  StoreOptions options = ground_.options();
  options.queue = 1;
  options.write_timeout = milliseconds(300);
  options.readers = 1;
  options.read_timeout = milliseconds(300);
  store_ = open(options);
  std::latch running(1), go_on(1);
  std::thread slow([&] {
    EXPECT_TRUE(store_
                    ->write({},
                            [&](Tx&) -> Status {
                              running.count_down();
                              go_on.wait();
                              return Ok{};
                            })
                    .ok());
  });
  running.wait();
  std::thread waiting([&] {
    const Status late = put("late", 1);
    EXPECT_FALSE(late.ok());
    EXPECT_EQ(late.error().code, ErrorCode::unavailable);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const Status full = put("full", 1);
  EXPECT_FALSE(full.ok());
  waiting.join();
  go_on.count_down();
  slow.join();
  EXPECT_EQ(count("late"), 0);

  const Status crowded =
      store_->read([&](Tx&) -> Status { return store_->read([](Tx&) -> Status { return Ok{}; }); });
  ASSERT_FALSE(crowded.ok());
  EXPECT_EQ(crowded.error().code, ErrorCode::unavailable);
}

TEST_P(CommandTest, ABulkCommandIsOneSavepoint) {
  ASSERT_TRUE(store_
                  ->write({"org"},
                          [](Tx& tx) -> Status {
                            for (int i = 0; i < 500; ++i) {
                              put_failed_logins(tx, std::to_string(i), {i, Time{}});
                              tx.append("org", event());
                            }
                            return Ok{};
                          })
                  .ok());
  EXPECT_EQ(count("499"), 499);
  EXPECT_EQ(expect_intact(*store_), 500u);
}

using CommandDeathTest = CommandTest;

TEST_P(CommandDeathTest, AGovernedChangeWithoutAnEventAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH((void)store_->write({"org"},
                                   [](Tx& tx) -> Status {
                                     insert_user(tx, {{"usr_1"}, "a@b.c", "A", "", false, false, Time{1}});
                                     return Ok{};
                                   }),
               "without an event");
}

TEST_P(CommandDeathTest, AnUnlockedJournalAborts) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH((void)store_->write({"org"},
                                   [](Tx& tx) -> Status {
                                     tx.append("prj_1", event());
                                     return Ok{};
                                   }),
               "not locked");
}

IMPRIMATUR_ON_EVERY_BACKEND(CommandTest);
// The rule stands above the databases, and the child of such a test would start a server of its own.
INSTANTIATE_TEST_SUITE_P(On, CommandDeathTest, testing::Values(Backend::sqlite),
                         [](const auto& each) { return std::string(name_of(each.param)); });

TEST(DirectoryTest, OneProcessServesADirectory) {
  Ground ground(Backend::sqlite);
  ManualClock clock(Time{1});
  auto first = Store::open(ground.options(), clock, kSeed);
  ASSERT_TRUE(first.ok());
  const auto second = Store::open(ground.options(), clock, kSeed);
  ASSERT_FALSE(second.ok());
  EXPECT_NE(second.error().detail.find("another process"), std::string::npos);
  first.value().reset();
  EXPECT_TRUE(Store::open(ground.options(), clock, kSeed).ok());
}

TEST(DirectoryTest, APlaceThatCannotBeMadeIsRefused) {
  ManualClock clock(Time{1});
  StoreOptions options;
  options.directory = "/proc/nowhere/data";
  const auto opened = Store::open(options, clock, kSeed);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::unavailable);
}

TEST(DirectoryTest, AnUnreachableServerIsRefused) {
  ManualClock clock(Time{1});
  StoreOptions options;
  for (const char* url : {"postgresql://127.0.0.1:1/none", "postgresql://%zz", "mysql://x"}) {
    options.url = url;
    const auto opened = Store::open(options, clock, kSeed);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().code, ErrorCode::unavailable);
  }
}

// The schema as the database tells it.
std::string schema_of(const Ground& ground, Dialect dialect) {
  Database database({.dialect = dialect, .target = ground.target(), .access = Access::read_only});
  std::string out;
  const auto add = [&](const Row& row) { out += row.text(0) + "\n"; };
  switch (dialect) {
    case Dialect::sqlite:
      database.each("SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_master ORDER BY 1",
                    add);
      break;
    case Dialect::postgresql:
      for (const char* sql :
           {"SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || "
            "ordinal_position FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1",
            "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
            "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1",
            "SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint "
            "WHERE connamespace = 'public'::regnamespace ORDER BY 1"}) {
        database.each(sql, add);
      }
      break;
  }
  database.each("SELECT '' || version FROM schema_versions ORDER BY version", add);
  return out;
}

class UpgradeTest : public StoreTest {
 protected:
  Dialect dialect() const {
    return ground_.backend() == Backend::postgresql ? Dialect::postgresql : Dialect::sqlite;
  }
  // The first `steps` of the schema, as a program that knew no more left it, with a writer of that time.
  static void leave_old_data(const Ground& ground, Dialect dialect, std::size_t steps) {
    Database database({.dialect = dialect, .target = ground.target()});
    const auto run = [&](std::string_view statement) {
      for (const std::string& text : in_dialect(dialect, statement)) database.script(text);
    };
    run("CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER NOT NULL PRIMARY KEY) STRICT");
    for (const Migration& step : migrations().first(steps)) {
      std::string_view rest = step.statements;
      for (std::size_t end = 0; end != std::string_view::npos; rest.remove_prefix(end + 3)) {
        end = rest.find("\n;\n");
        std::string_view statement = rest.substr(0, end);
        statement.remove_prefix(statement.find_first_not_of('\n'));
        run(statement.substr(0, statement.find_last_not_of('\n') + 1));
        if (end == std::string_view::npos) break;
      }
      database.touch("INSERT INTO schema_versions (version) VALUES (?)", step.version);
    }
    database.touch("INSERT INTO writers (id, group_number, seen_at) VALUES ('wri_old', 7, ?)",
                   Time{1'800'000'000'000'000});
  }
};

TEST_P(UpgradeTest, EveryEarlierStepIsBroughtToTheNewestWithItsData) {
  open();
  const std::string wanted = schema_of(ground_, dialect());
  EXPECT_GT(wanted.size(), 5000u);
  for (std::size_t steps = 1; steps < migrations().size(); ++steps) {
    const Ground old(GetParam());
    leave_old_data(old, dialect(), steps);
    ASSERT_NE(schema_of(old, dialect()), wanted);
    const auto store = open(old.options());
    EXPECT_EQ(schema_of(old, dialect()), wanted) << "from step " << steps;
    const auto number = store->read([](Tx& tx) -> Result<std::int64_t> {
      const auto first = [](const Row& row) { return row.integer(0); };
      return tx.database().one("SELECT group_number FROM writers WHERE id = 'wri_old'", first).value_or(0);
    });
    EXPECT_EQ(number.value(), 7) << "from step " << steps;
  }
}

IMPRIMATUR_ON_EVERY_DATABASE(UpgradeTest);

thread_local bool about_to_open = false;

// Threads with connections of their own are to the database what processes are. Here each waits until all are
// about to look for the schema, so that without the lock they would all make it.
TEST(SharedTest, ThoseWhoOpenAnEmptyDatabaseTogetherMakeOneSchema) {
  constexpr int kRounds = 4, kOpeners = 3;
  if (!Ground(Backend::postgresql).available()) GTEST_SKIP() << "PostgreSQL 15 is not installed";
  std::string wanted;
  for (int round = 0; round < kRounds; ++round) {
    const Ground ground(Backend::postgresql);
    ManualClock clock(Time{1'800'000'000'000'000});
    std::barrier together(kOpeners);
    StoreOptions options = ground.options();
    options.interceptor = [&](Moment moment, std::string_view sql) {
      const bool begins = moment == Moment::before && sql == "BEGIN ISOLATION LEVEL READ COMMITTED";
      if (begins && std::exchange(about_to_open, false)) together.arrive_and_wait();
    };
    std::vector<std::string> went(kOpeners);
    {
      std::vector<std::jthread> threads;
      for (std::string& how : went) {
        threads.emplace_back([&] {
          try {
            about_to_open = true;
            const auto opened = Store::open(options, clock, kSeed);
            how = opened.ok() ? "opened" : opened.error().detail;
            if (!opened.ok()) return;
            const Status done = (*opened)->write({"org"}, [&](Tx& tx) -> Status {
              tx.append("org", event());
              return Ok{};
            });
            if (!done.ok()) how = done.error().detail;
          } catch (const std::exception& error) {
            how = error.what();
          }
        });
      }
    }
    EXPECT_EQ(went, std::vector<std::string>(kOpeners, "opened"));
    const std::string schema = schema_of(ground, Dialect::postgresql);
    if (wanted.empty()) wanted = schema;
    EXPECT_EQ(schema, wanted);
    StoreOptions plain = ground.options();
    EXPECT_EQ(expect_intact(*Store::open(plain, clock, kSeed).value()), kOpeners);
    if (HasFailure()) break;
  }
}

// Two processes on one PostgreSQL: no gap in any journal, and each hears everything once and in order.
TEST(SharedTest, TwoStoresAppendToOneJournal) {
  Ground ground(Backend::postgresql);
  if (!ground.available()) GTEST_SKIP() << "PostgreSQL 15 is not installed";
  ManualClock clock(Time{1'800'000'000'000'000});
  StoreOptions options = ground.options();
  options.poll_interval = milliseconds(5);
  auto one = Store::open(options, clock, kSeed).value();
  auto two = Store::open(options, clock, kSeed).value();
  Heard heard_one, heard_two;
  one->on_commit(heard_one.listener());
  two->on_commit(heard_two.listener());
  constexpr int kThreads = 8, kRounds = 20;
  std::vector<std::thread> threads;
  std::atomic<int> failed = 0;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      Store& store = i % 2 == 0 ? *one : *two;
      for (int round = 0; round < kRounds; ++round) {
        const std::string project = "prj_" + std::to_string(round % 2);
        const Status done = store.write({"org", project}, [&](Tx& tx) -> Status {
          tx.append("org", event());
          tx.append(project, event());
          return Ok{};
        });
        if (!done.ok()) failed += 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed, 0);
  constexpr std::uint64_t kTotal = 2 * kThreads * kRounds;
  EXPECT_EQ(expect_intact(*one), kTotal);
  for (int i = 0; i < 200 && (heard_one.total() < kTotal || heard_two.total() < kTotal); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(heard_one.total(), kTotal);
  EXPECT_EQ(heard_two.total(), kTotal);
  EXPECT_EQ(heard_one.out_of_order(), 0u);
  EXPECT_EQ(heard_two.out_of_order(), 0u);
}

}  // namespace
}  // namespace imprimatur::store
