// Every list has its index: the plans that SQLite makes for all the reading statements hold no scan of a
// table.
#include "store/backend_test.h"
#include "store/database.h"
#include "store/identity_rows.h"
#include "store/journal_rows.h"
#include "store/lock_rows.h"
#include "store/registry_rows.h"
#include "store/requirement_rows.h"
#include "store/retirement_rows.h"
#include "store/witness_rows.h"

#include <mutex>
#include <set>
#include <sqlite3.h>

namespace imprimatur::store {
namespace {

class Statements {
 public:
  Interceptor interceptor() {
    return [this](Moment moment, std::string_view sql) {
      std::lock_guard guard(mutex_);
      const bool rows = sql.starts_with("SELECT") || sql.starts_with("UPDATE") || sql.starts_with("DELETE") ||
                        sql.starts_with("INSERT");
      if (moment == Moment::before && rows) seen_.emplace(sql);
    };
  }
  std::set<std::string> seen() const { return seen_; }

 private:
  std::mutex mutex_;
  std::set<std::string> seen_;
};

std::vector<std::string> plan_of(sqlite3* database, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  EXPECT_EQ(sqlite3_prepare_v2(database, ("EXPLAIN QUERY PLAN " + sql).c_str(), -1, &statement, nullptr),
            SQLITE_OK)
      << sql;
  std::vector<std::string> out;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    out.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(statement, 3)));
  }
  sqlite3_finalize(statement);
  return out;
}

void read_everything(Tx& tx) {
  const ProjectId p{"prj_1"};
  const ArtifactId a{"art_1"};
  const EnvironmentId e{"env_1"};
  const PageRequest next{.cursor = "dGE"};    // "ta"
  const PageRequest number{.cursor = "bjU"};  // "n5"
  (void)project(tx, p), project_by_name(tx, "x"), environments(tx, p), environment_by_name(tx, p, "x");
  (void)protection(tx, e, 1), proposal(tx, e), artifact(tx, a), artifact_by_skeleton(tx, p, "x");
  for (int mask = 0; mask < 32; ++mask) {
    ArtifactQuery query{p};
    if (mask & 1) query.name = "x";
    if (mask & 2) query.tag = "x";
    if (mask & 4) query.state = State::draft;
    if (mask & 8) query.only_live = true;
    if (mask & 16) query.text = "x";
    EXPECT_TRUE(artifacts(tx, query, next).ok());
    ReviewQuery review_query{p};
    if (mask & 1) review_query.state = ReviewState::open;
    if (mask & 2) review_query.submitted_by = {"usr_1"};
    if (mask & 4) review_query.artifact = a;
    if (mask & 8) review_query.environment = e;
    EXPECT_TRUE(reviews(tx, review_query, number).ok());
    AuditQuery audit_query{"org"};
    if (mask & 1) audit_query.actor = "x";
    if (mask & 2) audit_query.action = (mask & 4) ? "x.*" : "x";
    if (mask & 8) audit_query.resource = "x";
    if (mask & 16) audit_query.since = audit_query.until = Time{1};
    EXPECT_TRUE(audit(tx, audit_query, number).ok());
  }
  (void)version(tx, a, 1), version_bare(tx, a, 1), savers(tx, a, 1);
  (void)latest_scan(tx, a, 1), latest_scan_result(tx, a, 1);
  EXPECT_TRUE(versions(tx, a, number).ok() && scans(tx, a, 1, number).ok());
  (void)review(tx, {"rev_1"}), reviews_of(tx, a, 1), verdicts(tx, {"rev_1"});
  (void)standing_review(tx, p, e);
  EXPECT_TRUE(comments(tx, {"rev_1"}, number).ok() && releases(tx, a, e, number).ok());
  (void)release(tx, {"rel_1"}), live_release(tx, a, e), live_releases(tx, a), any_release(tx, e);
  (void)retired(tx, a, 1, e), let_through_below(tx, a, e, 9), labels(tx, a), deliverables(tx, a, e);
  (void)locks(tx, a, 1), dependants(tx, p, "x", 2, 5), artifact_by_name(tx, p, "x"),
      layer_candidates(tx, {a, p});
  (void)content_named(tx, p, "x", 1), was_let_through(tx, a, 1, e);
  (void)user(tx, {"usr_1"}), user_by_email(tx, "x"), membership(tx, p, {"usr_1"}), members(tx, p);
  EXPECT_TRUE(users(tx, next).ok());
  (void)standings(tx, {"usr_1"}), teams(tx, p), service_account(tx, {"svc_1"}), service_accounts(tx, p);
  (void)key(tx, {"key_1"}), keys(tx, p), session_by_hash(tx, "x"), failed_logins(tx, "x");
  (void)idempotent(tx, {"usr_1"}, "x", Time{}), display_of(tx, {"usr_1"});
  (void)retirement_reason(tx, p, {a, 1}, e), witness(tx, {"wit_1"}), witnesses(tx), cosignatures(tx, "org"),
      release_at(tx, a, e, Time{1});
  (void)latest_checks(tx, a, 1), check(tx, a, 1, "chk_1"), acceptances(tx, a, 1), dismissals(tx, {"rev_1"});
  EXPECT_TRUE(checks(tx, a, 1, number).ok() && count_checks(tx, a, 1) == 0);
  (void)owner_rules(tx, p), owner_proposal(tx, p), newest_release(tx, a, 1, e);
  (void)seq_not_before(tx, "org", Time{1});
  (void)head(tx, "org"), entries(tx, "org", 1, 10), each_leaf(tx, "org", 0, 1, [](const Hash256&) {});
}

void change_everything(Tx& tx) {
  delete_expired_sessions(tx, Time{1});
  delete_sessions_of(tx, {"usr_1"});
  delete_old_idempotent(tx, Time{1});
  put_key_used(tx, {"key_1"}, Time{1});
  put_key_revoked(tx, {"key_1"}, Time{1});
  put_version_state(tx, {"prj_1"}, {{"art_1"}, 1}, State::draft, ArchiveReason::none);
  end_release(tx, {"rel_1"}, ReleaseEnd::superseded, Time{1});
  delete_label(tx, {"art_1"}, "x");
  delete_proposal(tx, {"env_1"});
  delete_member(tx, {"prj_1"}, {"usr_1"});
  Artifact artifact;
  artifact.id = {"art_1"};
  put_artifact(tx, artifact);
  Review review;
  put_review(tx, review);
  insert_verdict(tx, {});
  insert_comment(tx, {});
  insert_dismissal(tx, {});
  delete_owner_proposal(tx, {"prj_1"});
  put_witness_removed(tx, {"wit_1"}, Time{1});
  tx.append("org", {"test.happened", "organisation", "{}", {"system"}});
}

TEST(PlanTest, NoStatementScansATable) {
  Ground ground(Backend::sqlite);
  ManualClock clock(Time{1'800'000'000'000'000});
  Statements statements;
  StoreOptions options = ground.options();
  options.interceptor = statements.interceptor();
  {
    const auto store = Store::open(options, clock, kSeed).value();
    ASSERT_TRUE(store
                    ->write({"org"},
                            [](Tx& tx) -> Status {
                              change_everything(tx);
                              return Ok{};
                            })
                    .ok());
    ASSERT_TRUE(store
                    ->read([](Tx& tx) -> Status {
                      read_everything(tx);
                      return Ok{};
                    })
                    .ok());
  }
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open(ground.target().c_str(), &database), SQLITE_OK);
  EXPECT_GT(statements.seen().size(), 80u);
  for (const std::string& sql : statements.seen()) {
    // The whole of these is what is asked for, once, when a store opens.
    if (sql.find("schema_versions") != std::string::npos || sql.find("DELETE FROM writers") == 0 ||
        sql == "SELECT journal, size FROM heads" || sql == "SELECT unicode FROM installation" ||
        sql == "SELECT project, id, name FROM artifacts ORDER BY project, created_at, id" ||
        sql == "UPDATE artifacts SET skeleton = id") {
      continue;
    }
    // A page is found by its key, but lists of filters may pick any index and then sort what is left.
    for (const std::string& step : plan_of(database, sql)) {
      EXPECT_NE(step.substr(0, 5), "SCAN ") << step << "\n" << sql;
    }
  }
  sqlite3_close(database);
}

}  // namespace
}  // namespace imprimatur::store
