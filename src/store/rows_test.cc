// Every row comes back as it was written, on every database.
#include "store/backend.h"
#include "store/identity_rows.h"
#include "store/journal_rows.h"
#include "store/registry_rows.h"

namespace imprimatur::store {
namespace {

class RowsTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    if (!IsSkipped()) store_ = open();
  }
  // A write with an event, so that anything may change.
  template <class F>
  void change(F&& work) {
    const Status done = store_->write({"org"}, [&](Tx& tx) -> Status {
      work(tx);
      tx.append("org", {"test.changed", "organisation", "{}", {"system"}});
      return Ok{};
    });
    ASSERT_TRUE(done.ok()) << done.error().detail;
  }
  template <class F>
  auto look(F&& work) {
    using T = std::invoke_result_t<F, Tx&>;
    return store_->read([&](Tx& tx) -> Result<T> { return work(tx); }).value();
  }
  Project project_{{"prj_1"}, "shop", "what we sell", {"usr_1"}, Time{5}};
  std::unique_ptr<Store> store_;
};

TEST_P(RowsTest, ProjectsAndEnvironments) {
  Environment environment{{"env_1"}, project_.id, "production", 3, {}, Time{7}};
  environment.protection.version = 1;
  environment.protection.approvals.count = 1;
  environment.protection.checks = {"scan"};
  change([&](Tx& tx) {
    insert_project(tx, project_);
    insert_environment(tx, environment);
  });
  EXPECT_EQ(look([&](Tx& tx) { return project(tx, {"prj_1"}); })->description, "what we sell");
  EXPECT_FALSE(look([&](Tx& tx) { return project(tx, {"prj_2"}); }).has_value());
  EXPECT_EQ(look([&](Tx& tx) { return project_by_name(tx, "shop"); })->created_at, Time{5});
  EXPECT_EQ(look([&](Tx& tx) { return environments(tx, {"prj_1"}); }).at(0).protection,
            environment.protection);

  Environment stricter = environment;
  stricter.protection.version = 2;
  stricter.protection.approvals.count = 2;
  stricter.order = 9;
  change([&](Tx& tx) {
    put_environment(tx, stricter);
    put_proposal(tx, {environment, {"usr_9"}});
  });
  const auto now = look([&](Tx& tx) { return environment_by_name(tx, {"prj_1"}, "production"); });
  EXPECT_EQ(now->order, 9);
  EXPECT_EQ(now->protection.approvals.count, 2);
  EXPECT_EQ(look([&](Tx& tx) { return protection(tx, {"env_1"}, 1); })->approvals.count, 1);
  EXPECT_FALSE(look([&](Tx& tx) { return protection(tx, {"env_1"}, 3); }).has_value());
  EXPECT_EQ(look([&](Tx& tx) { return proposal(tx, {"env_1"}); })->by.text, "usr_9");
  change([&](Tx& tx) { delete_proposal(tx, {"env_1"}); });
  EXPECT_FALSE(look([&](Tx& tx) { return proposal(tx, {"env_1"}); }).has_value());
}

TEST_P(RowsTest, Audit) {
  for (int i = 0; i < 5; ++i) {
    clock_.advance(seconds(1));
    ASSERT_TRUE(store_
                    ->write({"org"},
                            [&](Tx& tx) -> Status {
                              tx.append("org", {i % 2 == 0 ? "version.saved" : "user.created",
                                                "artifact:art_" + std::to_string(i),
                                                "{}",
                                                {"usr_" + std::to_string(i % 3)}});
                              return Ok{};
                            })
                    .ok());
  }
  const auto seqs = [&](const AuditQuery& query, PageRequest page = {}) {
    std::vector<std::uint64_t> out;
    for (const auto& entry : look([&](Tx& tx) { return audit(tx, query, page).value(); }).items)
      out.push_back(entry.seq);
    return out;
  };
  using Seqs = std::vector<std::uint64_t>;
  const Time start{1'800'000'000'000'000};
  EXPECT_EQ(seqs({"org"}), (Seqs{5, 4, 3, 2, 1}));
  EXPECT_EQ(seqs({.journal = "org", .action = "version.*"}), (Seqs{5, 3, 1}));
  EXPECT_EQ(seqs({.journal = "org", .action = "user.created"}), (Seqs{4, 2}));
  EXPECT_EQ(seqs({.journal = "org", .action = "vers.*"}), (Seqs{}));
  EXPECT_EQ(seqs({.journal = "org", .actor = "usr_0"}), (Seqs{4, 1}));
  EXPECT_EQ(seqs({.journal = "org", .resource = "artifact:art_2"}), (Seqs{3}));
  EXPECT_EQ(seqs({.journal = "org", .since = start + seconds(2), .until = start + seconds(4)}),
            (Seqs{4, 3, 2}));
  EXPECT_EQ(seqs({.journal = "org", .since = start + seconds(9)}), (Seqs{}));
  EXPECT_EQ(seqs({.journal = "other"}), (Seqs{}));
  const auto first = look([&](Tx& tx) { return audit(tx, {"org"}, {.limit = 2}).value(); });
  EXPECT_EQ(seqs({"org"}, {.limit = 2, .cursor = first.next_cursor}), (Seqs{3, 2}));
  EXPECT_EQ(look([&](Tx& tx) { return audit(tx, {"org"}, {.cursor = "!!"}).ok(); }), false);
  EXPECT_EQ(look([&](Tx& tx) { return audit(tx, {"org"}, {.limit = 201}).ok(); }), false);
  EXPECT_EQ(look([&](Tx& tx) { return leaf_hashes(tx, "org", 5); }).size(), 5u);
  EXPECT_EQ(look([&](Tx& tx) { return head(tx, "org"); })->size, 5u);
}

IMPRIMATUR_ON_EVERY_BACKEND(RowsTest);

}  // namespace
}  // namespace imprimatur::store
