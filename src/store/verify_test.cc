// A store that verifies, and every way to tamper with it by hand.
#include "base/json.h"
#include "domain/name.h"
#include "journal/exported.h"
#include "journal/signing.h"
#include "store/backend_test.h"
#include "store/identity_rows.h"
#include "store/journal_rows.h"
#include "store/registry_rows.h"
#include "store/verify_rows.h"

#include <map>
#include <set>
#include <sstream>

namespace imprimatur::store {
namespace {

std::string sha(std::string_view text) { return "sha256:" + to_hex(sha256(text)); }

// Whoever tampers holds the file, so that no trigger and no foreign key stops them.
class VerifyTest : public StoreTest {
 protected:
  void SetUp() override {
    StoreTest::SetUp();
    if (!IsSkipped()) store_ = open();
  }

  void write(const std::function<void(Tx&)>& work) {
    const Status done = store_->write({"org", "prj_1"}, [&](Tx& tx) -> Status {
      work(tx);
      return Ok{};
    });
    ASSERT_TRUE(done.ok()) << done.error().detail;
    clock_.advance(seconds(1));
  }

  static void tell(Tx& tx, const std::string& action, const std::string& actor, const std::string& details) {
    const std::string canonical = canonical_json(parse_json(details).value()).value();
    const bool organisation =
        action.starts_with("org") || action.starts_with("user") || action == "project.registered";
    tx.append(organisation ? "org" : "prj_1", {action, "about:it", canonical, {actor}});
  }

  static Version version(std::int64_t number, const std::string& text, Time now) {
    Content content;
    content.name = "support/reply";
    content.semver = "1." + std::to_string(number) + ".0";
    content.text = text;
    content = checked_content(content).value();
    Version out;
    out.project = {"prj_1"};
    out.artifact = {"art_1"};
    out.number = number;
    out.semver = content.semver;
    out.digest = digest_of(content);
    out.content = canonical_content(content);
    out.author = {"usr_a"};
    out.base_version = number - 1;
    out.created_at = now;
    return out;
  }

  void tell_people();
  void tell_drafts();
  void tell_review();
  void tell_releases();
  void tell_all() {
    tell_people();
    tell_drafts();
    tell_review();
    tell_releases();
  }

  Verification verified(const std::vector<journal::SignedHead>& checkpoints = {}) {
    return store_->read([&](Tx& tx) -> Result<Verification> {
                   return verify(tx, {}, {checkpoints, ""});
                 })
        .value();
  }
  // The first fault once `sql` was done to the data, which is then taken back.
  std::string after(Database& database, const std::string& sql) {
    database.script("BEGIN");
    database.script(sql);
    for (const std::string& trigger : triggers_) database.script(trigger);
    Tx tx(database, clock_.now());
    const Verification found = verify(tx, {});
    database.script("ROLLBACK");
    if (found.ok()) return "nothing found";
    return found.faults[0].journal + " " + std::to_string(found.faults[0].seq) + ": " + found.faults[0].what;
  }
  // The data as whoever holds the file can change them. What they took away to get there is put back before
  // each look, or every look would find that.
  std::unique_ptr<Database> defenceless() {
    auto database = std::make_unique<Database>(ConnectionOptions{.target = ground_.target()});
    database->script("PRAGMA foreign_keys = OFF");
    const auto triggers = database->all("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'",
                                        [](const Row& row) { return std::pair(row.text(0), row.text(1)); });
    for (const auto& [name, sql] : triggers) {
      database->script("DROP TRIGGER " + name);
      triggers_.push_back(sql);
    }
    return database;
  }

  std::unique_ptr<Store> store_;
  std::vector<std::string> triggers_;
  std::string first_, second_;  // digests of the versions
};

void VerifyTest::tell_people() {
  write([&](Tx& tx) {
    const Time now = tx.now();
    const std::string key = journal::Signer(kSeed).public_key();
    tell(tx, "organisation.created", "system", R"({"signingKey":")" + sha(key) + R"("})");
    insert_user(tx, {{"usr_a"}, "a@example.com", "Ann", "hash", true, false, now});
    tell(tx, "user.created", "system", R"({"user":"usr_a","organisationAdmin":true})");
    insert_user(tx, {{"usr_b"}, "b@example.com", "Bob", "hash", false, false, now});
    tell(tx, "user.created", "usr_a", R"({"user":"usr_b","organisationAdmin":false})");
    insert_project(tx, {{"prj_1"}, "demo", "", {"usr_a"}, now});
    tell(tx, "project.registered", "usr_a", R"({"project":"prj_1","nameDigest":")" + sha("demo") + R"("})");
    tell(tx, "project.created", "usr_a", R"({"project":"prj_1","nameDigest":")" + sha("demo") + R"("})");
    insert_team(tx, {{"tea_1"}, {"prj_1"}, "safety"});
    tell(tx, "team.created", "usr_a", R"({"team":"tea_1","nameDigest":")" + sha("safety") + R"("})");
    put_member(tx, {"prj_1"}, {.person = {"usr_a"}, .role = Role::admin, .teams = {}, .verdicts_since = now});
    tell(tx, "member.changed", "usr_a", R"({"user":"usr_a","role":"admin","previousRole":null,"teams":[]})");
    put_member(tx, {"prj_1"},
               {.person = {"usr_b"}, .role = Role::reviewer, .teams = {{"tea_1"}}, .verdicts_since = now});
    tell(tx, "member.changed", "usr_a",
         R"({"user":"usr_b","role":"reviewer","previousRole":null,"teams":["tea_1"]})");
    Environment environment{{"env_1"}, {"prj_1"}, "production", 3, {}, now};
    environment.protection.version = 1;
    environment.protection.approvals.count = 1;
    insert_environment(tx, environment);
    tell(tx, "environment.changed", "usr_a",
         R"({"environment":"env_1","nameDigest":")" + sha("production") +
             R"(","order":3,"protectionVersion":1,"protectionDigest":")" + digest_of(environment.protection) +
             R"(","weakened":false,"proposedBy":null})");
    insert_service_account(tx, {{"svc_1"}, {"prj_1"}, "bot", {"usr_a"}, false, now});
    tell(tx, "service_account.created", "usr_a",
         R"({"serviceAccount":"svc_1","owner":"usr_a","nameDigest":")" + sha("bot") + R"("})");
    ApiKey key_row{{"key_1"}, {"prj_1"}, {"svc_1"}, {"usr_a"}, "bot", "h", "imp_…", {Scope::runtime_read},
                   {},        now,       {},        {},        {}};
    insert_key(tx, key_row);
    tell(
        tx, "key.created", "usr_a",
        R"({"key":"key_1","serviceAccount":"svc_1","owner":"usr_a","scopes":["runtime:read"],"environment":null,)"
        R"("expiresAt":null})");
  });
}

void VerifyTest::tell_drafts() {
  write([&](Tx& tx) {
    const Time now = tx.now();
    Artifact artifact;
    artifact.id = {"art_1"};
    artifact.project = {"prj_1"};
    artifact.name = "support/reply";
    artifact.skeleton = skeleton_of(artifact.name);
    artifact.latest_version = 2;
    artifact.created_by = {"usr_a"};
    artifact.created_at = artifact.changed_at = now;
    insert_artifact(tx, artifact);
    tell(
        tx, "artifact.created", "usr_a",
        R"({"artifact":"art_1","kind":"prompt","type":"text","nameDigest":")" + sha(artifact.name) + R"("})");
    for (const Version& saved : {version(1, "one", now), version(2, "two", now)}) {
      insert_version(tx, saved);
      (saved.number == 1 ? first_ : second_) = saved.digest;
      const std::string base = saved.number == 1 ? "null" : "1";
      tell(tx, "version.saved", "usr_a",
           R"({"artifact":"art_1","number":)" + std::to_string(saved.number) + R"(,"digest":")" +
               saved.digest + R"(","author":"usr_a","accountable":null,"base":)" + base +
               R"(,"origin":"saved"})");
    }
    ScanRecord scan{{"scn_1"}, {"prj_1"}, {"art_1"},           1,         first_, sha("rules"), "pass",
                    3,         0,         "{\"findings\":[]}", {"usr_a"}, now};
    insert_scan(tx, scan);
    tell(tx, "scan.recorded", "usr_a",
         R"({"scan":"scn_1","artifact":"art_1","version":1,"digest":")" + first_ +
             R"(","status":"pass","scoreTenths":3,"critical":0,"ruleset":")" + sha("rules") +
             R"(","report":")" + sha(scan.report) + R"("})");
    put_label(tx, {"prj_1"}, {{"art_1"}, "stable", 2, {"usr_a"}, now});
    tell(tx, "label.moved", "usr_a", R"({"artifact":"art_1","label":"stable","version":2,"previous":null})");
  });
}

void VerifyTest::tell_review() {
  write([&](Tx& tx) {
    const Time now = tx.now();
    Review review{
        {"rev_1"}, {"prj_1"}, {"env_1"}, ReviewState::open, 1, {{{"art_1"}, 1, first_, {}}}, 1, {"usr_a"},
        "please",  now,       now};
    insert_review(tx, review);
    const std::string items =
        R"("items":[{"artifact":"art_1","version":1,"digest":")" + first_ + R"(","base":null}])";
    const std::string head = R"("review":"rev_1","cycle":1,"protectionVersion":1,)";
    tell(tx, "review.submitted", "usr_a",
         "{" + head + R"("environment":"env_1",)" + items +
             R"(,"moves":[{"artifact":"art_1","version":1,"from":"draft","to":"in_review","reason":null}]})");
    insert_comment(tx, {"com_1", {"rev_1"}, 1, {"usr_b"}, "looks good", now});
    tell(tx, "review.commented", "usr_b", R"({"review":"rev_1","comment":"com_1"})");
    insert_verdict(
        tx,
        {{"rev_1"}, 1, {"usr_b"}, VerdictKind::approve, {"env_1"}, sha("items"), sha("base"), 1, "", now});
    tell(tx, "verdict.given", "usr_b",
         "{" + head + R"("person":"usr_b","verdict":"approve","environment":"env_1","itemsDigest":")" +
             sha("items") + R"(","baseDigest":")" + sha("base") + R"("})");
    tell(
        tx, "review.approved", "usr_b",
        "{" + head + items +
            R"(,"moves":[{"artifact":"art_1","version":1,"from":"in_review","to":"approved","reason":null}]})");
    review.state = ReviewState::deployed;
    put_review(tx, review);
    Release release{{"rel_1"},
                    {"prj_1"},
                    {"env_1"},
                    {"art_1"},
                    1,
                    first_,
                    ReleaseKind::deploy,
                    "chs_1",
                    {"rev_1"},
                    {},
                    {},
                    1,
                    true,
                    "gate",
                    "",
                    "",
                    {"usr_a"},
                    now,
                    ReleaseEnd::live,
                    {}};
    insert_release(tx, release);
    put_version_state(tx, {"art_1"}, 1, State::deployed, ArchiveReason::none);
    tell(
        tx, "release.created", "usr_a",
        R"({"release":"rel_1","changeSet":"chs_1","environment":"env_1","artifact":"art_1","version":1,"digest":")" +
            first_ +
            R"(","review":"rev_1","replaced":null,"previous":null,"rollout":null,"protectionVersion":1,)" +
            R"("gate":")" + sha("gate") +
            R"(","moves":[{"artifact":"art_1","version":1,"from":"approved","to":"deployed","reason":null}]})");
    tell(tx, "review.deployed", "usr_a", R"({"review":"rev_1","cycle":1,"changeSet":"chs_1"})");
  });
}

void VerifyTest::tell_releases() {
  write([&](Tx& tx) {
    const Time now = tx.now();
    end_release(tx, {"rel_1"}, ReleaseEnd::superseded, now);
    Release release{{"rel_2"},
                    {"prj_1"},
                    {"env_1"},
                    {"art_1"},
                    2,
                    second_,
                    ReleaseKind::deploy,
                    "chs_2",
                    {},
                    {"rel_1"},
                    {"rel_1"},
                    1,
                    true,
                    "gate",
                    "",
                    "",
                    {"usr_a"},
                    now,
                    ReleaseEnd::live,
                    {}};
    insert_release(tx, release);
    put_version_state(tx, {"art_1"}, 1, State::archived, ArchiveReason::superseded);
    put_version_state(tx, {"art_1"}, 2, State::deployed, ArchiveReason::none);
    tell(
        tx, "release.created", "usr_a",
        R"({"release":"rel_2","changeSet":"chs_2","environment":"env_1","artifact":"art_1","version":2,"digest":")" +
            second_ +
            R"(","review":null,"replaced":"rel_1","previous":"rel_1","rollout":null,"protectionVersion":1,)" +
            R"("gate":")" + sha("gate") +
            R"(","moves":[{"artifact":"art_1","version":1,"from":"deployed","to":"archived","reason":"superseded"},)" +
            R"({"artifact":"art_1","version":2,"from":"draft","to":"deployed","reason":null}]})");
    insert_retirement(tx, {"prj_1"}, {"art_1"}, 1, {"env_1"}, now);
    put_version_state(tx, {"art_1"}, 1, State::archived, ArchiveReason::retired);
    tell(
        tx, "version.retired", "usr_b",
        R"({"artifact":"art_1","version":1,"digest":")" + first_ +
            R"(","environment":"env_1","ended":null,)" +
            R"("moves":[{"artifact":"art_1","version":1,"from":"archived","to":"archived","reason":"retired"}]})");
  });
}

TEST_P(VerifyTest, WhatTheProgramWroteVerifies) {
  EXPECT_TRUE(verified().ok());
  tell_all();
  const Verification found = verified();
  for (const Fault& fault : found.faults)
    ADD_FAILURE() << fault.journal << " " << fault.seq << " " << fault.what;
  EXPECT_EQ(found.entries, 24u);
}

// Columns that are no evidence: words for people, what derives from other rows, secrets that stand nowhere
// else.
bool is_evidence(const std::string& table, const std::string& column) {
  static const std::map<std::string, std::set<std::string>> kBeside = {
      {"users", {"email", "display_name", "password_hash", "created_at"}},
      {"projects", {"description", "created_by", "created_at"}},
      {"service_accounts", {"created_at"}},
      {"api_keys", {"name", "hash", "hint", "created_at"}},
      {"environments", {"changed_at"}},
      {"artifacts", {"tags", "created_by", "changed_at"}},
      {"versions", {"message"}},
      {"scans", {"number", "scanned_by"}},
      {"reviews", {"number", "comment", "changed_at"}},
      {"verdicts", {"comment"}},
      {"comments", {"number", "cycle", "body"}},
      {"releases", {"number", "reason"}}};
  const auto found = kBeside.find(table);
  return found == kBeside.end() || !found->second.contains(column);
}

TEST_P(VerifyTest, EveryColumnOfEvidenceIsWatched) {
  if (ground_.backend() != Backend::sqlite)
    GTEST_SKIP() << "the same checks, on a file that can be opened beside";
  tell_all();
  store_.reset();
  const auto database = defenceless();
  for (const char* table :
       {"users",    "projects",     "members",     "team_members", "teams",    "service_accounts",
        "api_keys", "environments", "protections", "artifacts",    "versions", "contents",
        "scans",    "labels",       "reviews",     "review_items", "verdicts", "comments",
        "releases", "retirements",  "entries",     "heads"}) {
    const auto columns =
        database->all(std::string("SELECT name, type FROM pragma_table_info('") + table + "')",
                      [](const Row& row) { return std::pair(row.text(0), row.text(1)); });
    EXPECT_GT(columns.size(), 1u) << table;
    for (const auto& [column, type] : columns) {
      if (!is_evidence(table, column)) continue;
      const std::string first = std::string(" WHERE (SELECT count(*) FROM ") + table + ") > 0";
      const std::string value = type == "INTEGER" ? column + " + 100" : column + " || 'x'";
      const std::string found =
          after(*database, std::string("UPDATE ") + table + " SET " + column + " = " + value + first);
      EXPECT_NE(found, "nothing found") << table << "." << column;
    }
    const std::string gone = after(*database, std::string("DELETE FROM ") + table);
    EXPECT_NE(gone, "nothing found") << "DELETE FROM " << table;
  }
}

TEST_P(VerifyTest, TheEntryIsNamed) {
  if (ground_.backend() != Backend::sqlite)
    GTEST_SKIP() << "the same checks, on a file that can be opened beside";
  tell_all();
  store_.reset();
  const auto database = defenceless();
  const auto seq_of = [&](const std::string& action, int nth) {
    return database
        ->one(
            "SELECT seq FROM entries WHERE journal = 'prj_1' AND action = ? ORDER BY seq LIMIT 1 OFFSET ?",
            [](const Row& row) { return row.integer(0); }, action, nth)
        .value();
  };
  const auto expect = [&](const std::string& sql, std::int64_t seq, const std::string& what) {
    const std::string found = after(*database, sql);
    EXPECT_TRUE(found.starts_with("prj_1 " + std::to_string(seq) + ": ")) << sql << ": " << found;
    EXPECT_NE(found.find(what), std::string::npos) << sql << ": " << found;
  };
  expect("UPDATE versions SET state = 'approved' WHERE number = 2", seq_of("release.created", 1),
         "version art_1 2: state is \"approved\" in the table and \"deployed\" by the journal");
  expect("UPDATE contents SET content = replace(content, 'one', 'evil') WHERE number = 1",
         seq_of("version.retired", 0), "content is");
  expect("UPDATE contents SET content = replace(content, 'two', 'evil') WHERE number = 2",
         seq_of("release.created", 1), "content is");
  expect("UPDATE releases SET version = 1, digest = '" + first_ + "' WHERE id = 'rel_2'",
         seq_of("release.created", 1), "release rel_2: digest is");
  expect("UPDATE members SET role = 'admin' WHERE person = 'usr_b'", seq_of("member.changed", 1),
         "role is \"admin\"");
  expect("UPDATE verdicts SET given_by = 'usr_a'", seq_of("verdict.given", 0), "person");
  expect("UPDATE scans SET report = '{}'", seq_of("scan.recorded", 0), "report");
  expect("UPDATE api_keys SET scopes = '[\"prompts:write\"]'", seq_of("key.created", 0), "scopes");
  expect("UPDATE entries SET details = '{}' WHERE journal = 'prj_1' AND seq = 5", 5, "hash");
  expect("UPDATE entries SET time = time + 1 WHERE journal = 'prj_1' AND seq = 5", 5, "hash");
  expect("DELETE FROM entries WHERE journal = 'prj_1' AND seq = 5", 5, "entry 5 is missing");
  expect("UPDATE heads SET signature = '' WHERE journal = 'prj_1'", 0, "signature");
  expect("INSERT INTO labels VALUES ('prj_1', 'art_1', 'evil', 1, 'usr_a', 1)", 0,
         "no entry accounts for it");
  EXPECT_TRUE(after(*database, "INSERT INTO labels VALUES ('prj_9', 'art_1', 'evil', 1, 'usr_a', 1)")
                  .starts_with("prj_9 0: labels"));
}

// Views, triggers and indexes decide what is read and what may be written, so they are evidence too.
TEST_P(VerifyTest, TheSchemaIsTheOneThatTheMigrationsMake) {
  tell_all();
  EXPECT_TRUE(verified().ok());
  store_.reset();
  const bool sqlite = ground_.backend() == Backend::sqlite;
  ConnectionOptions options;
  options.dialect = sqlite ? Dialect::sqlite : Dialect::postgresql;
  options.target = ground_.target();
  Database database(std::move(options));
  const auto expect = [&](const std::vector<std::string>& statements, const std::string& what) {
    database.script("BEGIN");
    for (const std::string& statement : statements) database.script(statement);
    Tx tx(database, clock_.now());
    const Verification found = verify(tx, {});
    database.script("ROLLBACK");
    EXPECT_FALSE(found.ok()) << statements.front();
    if (!found.ok()) {
      EXPECT_EQ(found.faults.back().what, what) << statements.front();
    }
  };
  const std::string on = sqlite ? "" : " ON releases";
  expect({"DROP INDEX releases_stable"}, "the index releases_stable is missing in the database");
  expect({"DROP INDEX artifacts_by_skeleton",
          "CREATE INDEX artifacts_by_skeleton ON artifacts (project, skeleton)"},
         "the index artifacts_by_skeleton is not the one that this program makes");
  expect({"DROP INDEX releases_stable",
          "CREATE UNIQUE INDEX releases_stable ON releases (project, artifact, "
          "environment) WHERE ended = 'never' AND rollout = ''"},
         "the index releases_stable is not the one that this program makes");
  expect({"DROP TRIGGER releases_refuse_update" + on},
         "the trigger releases_refuse_update is missing in the database");
  expect({"CREATE TABLE hidden (a INTEGER)"}, "the table hidden is none that this program makes");
  expect({"ALTER TABLE releases ADD COLUMN more TEXT"},
         "the table releases is not the one that this program makes");
  expect({"CREATE VIEW seen AS SELECT * FROM contents"}, "the view seen is none that this program makes");
  if (sqlite) {
    expect({"CREATE TRIGGER more AFTER INSERT ON verdicts BEGIN SELECT 1; END"},
           "the trigger more is none that this program makes");
    expect({"PRAGMA legacy_alter_table = ON", "ALTER TABLE contents RENAME TO real_contents",
            "CREATE VIEW contents AS SELECT project, artifact, number, replace(content, 'one', 'evil') AS "
            "content FROM real_contents"},
           "the view contents is none that this program makes");
  } else {
    expect({"ALTER TABLE releases DISABLE TRIGGER releases_refuse_update"},
           "the trigger releases_refuse_update is not the one that this program makes");
    expect({"CREATE OR REPLACE FUNCTION releases_refuse_update() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN "
            "RETURN NEW; END'"},
           "the trigger releases_refuse_update is not the one that this program makes");
    expect({"CREATE RULE less AS ON UPDATE TO heads DO INSTEAD NOTHING"},
           "the table heads is not the one that this program makes");
    expect({"ALTER TABLE contents RENAME TO real_contents",
            "CREATE VIEW contents AS SELECT * FROM real_contents"},
           "the view contents is none that this program makes");
  }
}

TEST_P(VerifyTest, AnExportIsCheckedOffline) {
  tell_people();
  tell_drafts();
  std::vector<journal::SignedHead> checkpoints;
  const auto keep = [&](Tx& tx) -> Status {
    for (const Head& head : heads(tx)) checkpoints.push_back(signed_head(head));
    return Ok{};
  };
  tell_review();
  ASSERT_TRUE(store_->read(keep).ok());
  ASSERT_EQ(checkpoints.size(), 2u);
  EXPECT_TRUE(verified(checkpoints).ok());
  tell_releases();
  EXPECT_TRUE(verified(checkpoints).ok());
  std::string exported;
  ASSERT_TRUE(store_
                  ->read([&](Tx& tx) -> Status {
                    each_export_line(tx, [&](std::string_view line) { exported.append(line).append("\n"); });
                    return Ok{};
                  })
                  .ok());
  std::istringstream whole(exported);
  const auto found = journal::verify_export(whole, {checkpoints, ""});
  ASSERT_TRUE(found.ok()) << found.error().detail;
  for (const Fault& fault : found->faults)
    ADD_FAILURE() << fault.journal << " " << fault.seq << " " << fault.what;

  std::string altered = exported;
  altered.replace(altered.find("\"state\":\"deployed\""), 18, "\"state\":\"approved\"");
  std::istringstream tampered(altered);
  EXPECT_FALSE(journal::verify_export(tampered, {}).value().ok());
}

IMPRIMATUR_ON_EVERY_BACKEND(VerifyTest);

}  // namespace
}  // namespace imprimatur::store
