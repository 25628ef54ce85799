// A store that verifies, and every way to tamper with it by hand.
#include "base/json.h"
#include "domain/name.h"
#include "journal/commitment.h"
#include "journal/exported.h"
#include "journal/signing.h"
#include "store/backend_test.h"
#include "store/database.h"
#include "store/identity_rows.h"
#include "store/journal_rows.h"
#include "store/registry_rows.h"
#include "store/requirement_rows.h"
#include "store/retirement_rows.h"
#include "store/schema.h"
#include "store/verify_rows.h"
#include "store/witness_rows.h"

#include <fstream>
#include <map>
#include <set>
#include <sstream>

namespace imprimatur::store {
namespace {

std::string sha(std::string_view text) { return "sha256:" + to_hex(sha256(text)); }

constexpr const char* kSalt = "5a17";
std::string said(std::string_view text) { return journal::commitment(kSalt, text); }

const journal::Signer& witness_signer() {
  static const journal::Signer held(std::string(journal::kSeedBytes, 'w'));
  return held;
}
const journal::NoteKey kWitness{"witness.example/w1", journal::NoteAlgorithm::witness,
                                witness_signer().public_key()};

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
    const bool organisation = action.starts_with("org") || action.starts_with("user") ||
                              action.starts_with("witness") || action == "project.registered";
    tx.append(organisation ? "org" : "prj_1", {action, "about:it", canonical, {actor}});
  }

  static Version version(std::int64_t number, const std::string& text, Time now) {
    Content content;
    content.name = "support/reply";
    content.semver = "1." + std::to_string(number) + ".0";
    content.text = text;
    if (number == 2) {
      content.layers = {{"voice", "^1"}};
      content.lock = {{"voice", 4, "sha256:" + std::string(64, 'a')},
                      {"tone", 2, "sha256:" + std::string(64, 'b')}};
    }
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
    out.message = "changed";
    out.salt = kSalt;
    return out;
  }

  void tell_people();
  void tell_drafts();
  void tell_requirements();
  static void tell_dismissal(Tx& tx);
  void tell_review();
  void tell_releases();
  void tell_all() {
    tell_people();
    tell_drafts();
    tell_requirements();
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
    for (std::size_t at = 0; at < sql.size();) {
      const std::size_t end = std::min(sql.find("; ", at), sql.size());
      database.script(sql.substr(at, end - at));
      at = end + 2;
    }
    for (const std::string& trigger : triggers_) database.script(trigger);
    Tx tx(database, clock_.now());
    const Verification found = verify(tx, {});
    database.script("ROLLBACK");
    last_ = found;
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
  Verification last_;           // of after()
  std::string first_, second_;  // digests of the versions
};

void VerifyTest::tell_people() {
  write([&](Tx& tx) {
    const Time now = tx.now();
    const std::string key = journal::Signer(kSeed).public_key();
    tell(tx, "organisation.created", "system", R"({"signingKey":")" + sha(key) + R"("})");
    insert_user(tx, {{"usr_a"}, "a@example.com", "Ann", "hash", true, false, now, kSalt});
    tell(tx, "user.created", "system",
         R"({"user":"usr_a","organisationAdmin":true,"person":")" + said("a@example.com\nAnn") +
             R"(","passwordDigest":")" + sha("hash") + R"("})");
    insert_user(tx, {{"usr_b"}, "b@example.com", "Bob", "other hash", false, false, now, kSalt});
    tell(tx, "user.created", "usr_a",
         R"({"user":"usr_b","organisationAdmin":false,"person":")" + said("b@example.com\nBob") +
             R"(","passwordDigest":")" + sha("hash") + R"("})");
    tell(tx, "user.password_changed", "usr_b",
         R"({"user":"usr_b","sessionsRevoked":0,"passwordDigest":")" + sha("other hash") + R"("})");
    insert_witness(tx, {{"wit_1"}, kWitness, {"usr_a"}, now, {}});
    tell(tx, "witness.added", "usr_a",
         R"({"witness":"wit_1","keyDigest":")" + sha(kWitness.text()) + R"("})");
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
        R"("expiresAt":null,"nameDigest":")" +
            sha("bot") + R"(","hashDigest":")" + sha("h") + R"("})");
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
               R"(,"origin":"saved","message":")" + said("changed") + R"("})");
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

// An objection that somebody set aside.
void VerifyTest::tell_dismissal(Tx& tx) {
  Verdict objection{
      {"rev_1"}, 1,        {"usr_b"}, VerdictKind::request_changes, {"env_1"}, sha("items"), sha("base"), 1,
      "no",      tx.now(), kSalt};
  insert_verdict(tx, objection);
  tell(tx, "verdict.given", "usr_b",
       R"({"review":"rev_1","cycle":1,"protectionVersion":1,"person":"usr_b","verdict":"request_changes",)"
       R"("environment":"env_1","itemsDigest":")" +
           sha("items") + R"(","baseDigest":")" + sha("base") + R"(","comment":")" + said("no") + R"("})");
  insert_dismissal(tx, {{"rev_1"}, 2, {"usr_a"}, "a nit", tx.now(), kSalt});
  tell(tx, "verdict.dismissed", "usr_a",
       R"({"review":"rev_1","cycle":1,"verdict":2,"reason":")" + said("a nit") + R"("})");
}

// What stands beside reviews: a reported check, an accepted finding, owner rules.
void VerifyTest::tell_requirements() {
  write([&](Tx& tx) {
    const Time now = tx.now();
    insert_check(tx, {"chk_1",
                      {"prj_1"},
                      {"art_1"},
                      1,
                      "promptfoo",
                      first_,
                      CheckStatus::pass,
                      "48 of 48",
                      "https://ci.example.com/1",
                      {"svc_1"},
                      now,
                      kSalt});
    tell(tx, "check.reported", "svc_1",
         R"({"check":"chk_1","artifact":"art_1","version":1,"digest":")" + first_ + R"(","nameDigest":")" +
             sha("promptfoo") + R"(","status":"pass","said":")" + said("48 of 48\nhttps://ci.example.com/1") +
             R"("})");
    insert_acceptance(tx, {"acc_1",
                           {"prj_1"},
                           {"art_1"},
                           1,
                           first_,
                           "INJ-001",
                           "a test case",
                           {"usr_b"},
                           now,
                           now + days(3),
                           kSalt});
    tell(tx, "finding.accepted", "usr_b",
         R"({"acceptance":"acc_1","artifact":"art_1","version":1,"digest":")" + first_ +
             R"(","ruleDigest":")" + sha("INJ-001") + R"(","reason":")" + said("a test case") +
             R"(","expiresAt":")" + to_rfc3339(now + days(3)) + R"("})");
    const OwnerRules rules{1, {{NamePattern::of("support/**").value(), {}, {{"usr_b"}}}}};
    put_owner_rules(tx, {"prj_1"}, rules, now);
    tell(tx, "owners.changed", "usr_a",
         R"({"version":1,"digest":")" + digest_of(rules) + R"(","weakened":false,"proposedBy":null})");
    const OwnerRules wanted{2, {}};
    put_owner_proposal(tx, {"prj_1"}, {wanted, {"usr_a"}, now});
    tell(tx, "owners.proposed", "usr_a", R"({"digest":")" + digest_of(wanted) + R"("})");
  });
}

void VerifyTest::tell_review() {
  write([&](Tx& tx) {
    const Time now = tx.now();
    Review review{{"rev_1"}, {"prj_1"},
                  {"env_1"}, ReviewState::open,
                  1,         {{{"art_1"}, 1, first_, {}}},
                  1,         {"usr_a"},
                  "please",  now,
                  now,       kSalt};
    insert_review(tx, review);
    const std::string items =
        R"("items":[{"artifact":"art_1","version":1,"digest":")" + first_ + R"(","base":null}])";
    const std::string head = R"("review":"rev_1","cycle":1,"protectionVersion":1,)";
    tell(tx, "review.submitted", "usr_a",
         "{" + head + R"("environment":"env_1","comment":")" + said("please") + R"(",)" + items +
             R"(,"moves":[{"artifact":"art_1","version":1,"from":"draft","to":"in_review","reason":null}]})");
    insert_comment(tx, {"com_1", {"rev_1"}, 1, {"usr_b"}, "looks good", now, kSalt});
    tell(tx, "review.commented", "usr_b",
         R"({"review":"rev_1","comment":"com_1","text":")" + said("looks good") + R"("})");
    insert_verdict(tx, {{"rev_1"},
                        1,
                        {"usr_b"},
                        VerdictKind::approve,
                        {"env_1"},
                        sha("items"),
                        sha("base"),
                        1,
                        "yes",
                        now,
                        kSalt,
                        sha("questions"),
                        R"({"brand":{"answer":"yes","note":""}})"});
    tell(tx, "verdict.given", "usr_b",
         "{" + head + R"("person":"usr_b","verdict":"approve","environment":"env_1","itemsDigest":")" +
             sha("items") + R"(","baseDigest":")" + sha("base") + R"(","comment":")" + said("yes") + R"("})");
    tell(tx, "checklist.answered", "usr_b",
         R"({"review":"rev_1","checklist":")" + sha("questions") + R"(","answers":")" +
             said(R"({"brand":{"answer":"yes","note":""}})") + R"("})");
    tell_dismissal(tx);
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
                    {},
                    kSalt};
    insert_release(tx, release);
    put_version_state(tx, {"prj_1"}, {{"art_1"}, 1}, State::deployed, ArchiveReason::none);
    tell(
        tx, "release.created", "usr_a",
        R"({"release":"rel_1","changeSet":"chs_1","environment":"env_1","artifact":"art_1","version":1,"digest":")" +
            first_ +
            R"(","review":"rev_1","replaced":null,"previous":null,"rollout":null,"protectionVersion":1,)" +
            R"("gate":")" + sha("gate") + R"(","reason":")" + said("") +
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
                    {},
                    kSalt};
    insert_release(tx, release);
    put_version_state(tx, {"prj_1"}, {{"art_1"}, 1}, State::archived, ArchiveReason::superseded);
    put_version_state(tx, {"prj_1"}, {{"art_1"}, 2}, State::deployed, ArchiveReason::none);
    tell(
        tx, "release.created", "usr_a",
        R"({"release":"rel_2","changeSet":"chs_2","environment":"env_1","artifact":"art_1","version":2,"digest":")" +
            second_ +
            R"(","review":null,"replaced":"rel_1","previous":"rel_1","rollout":null,"protectionVersion":1,)" +
            R"("gate":")" + sha("gate") + R"(","reason":")" + said("") +
            R"(","moves":[{"artifact":"art_1","version":1,"from":"deployed","to":"archived","reason":"superseded"},)" +
            R"({"artifact":"art_1","version":2,"from":"draft","to":"deployed","reason":null}]})");
    insert_retirement(tx, {"prj_1"}, {"art_1"}, 1, {"env_1"}, now);
    insert_retirement_reason(tx, {"prj_1"}, {{{"art_1"}, 1}, {"env_1"}, "too old", kSalt});
    put_version_state(tx, {"prj_1"}, {{"art_1"}, 1}, State::archived, ArchiveReason::retired);
    tell(
        tx, "version.retired", "usr_b",
        R"({"artifact":"art_1","version":1,"digest":")" + first_ +
            R"(","environment":"env_1","ended":null,"reason":")" + said("too old") + R"(",)" +
            R"("moves":[{"artifact":"art_1","version":1,"from":"archived","to":"archived","reason":"retired"}]})");
    Environment weaker{{"env_1"}, {"prj_1"}, "production", 3, {}, now};
    weaker.protection.version = 2;
    put_proposal(tx, {weaker, {"usr_a"}});
    tell(tx, "environment.proposed", "usr_a",
         R"({"environment":"env_1","order":3,"protectionDigest":")" + digest_of(weaker.protection) + R"("})");
  });
}

TEST_P(VerifyTest, ALongJournalIsReadInParts) {
  constexpr int kEntries = 2'500;
  write([&](Tx& tx) {
    tx.append("org", {"organisation.created",
                      "organisation",
                      "{\"signingKey\":\"" + sha(journal::Signer(kSeed).public_key()) + "\"}",
                      {"system"}});
    for (int i = 1; i < kEntries; ++i) {
      tx.append("org",
                {"login.failed", "organisation", "{\"reason\":\"unknown\",\"user\":null}", {"anonymous"}});
    }
  });
  std::uint64_t most = 0;
  const auto checked = store_->read([&](Tx& tx) -> Result<Verification> {
    return verify(tx, [&](std::uint64_t, std::uint64_t total) { most = std::max(most, total); });
  });
  ASSERT_TRUE(checked.ok());
  EXPECT_TRUE(checked->ok()) << checked->faults.front().what;
  EXPECT_EQ(checked->entries, kEntries);
  EXPECT_EQ(most, kEntries);
}

TEST_P(VerifyTest, AStreamedResultIsWholeAndInOrderWhateverRunsBetween) {
  const Status done = store_->read([&](Tx& tx) -> Status {
    Database& database = tx.database();
    for (const std::int64_t rows : {0, 1, 999, 1000, 1001, 2500}) {
      std::int64_t seen = 0;
      database.stream(
          "WITH RECURSIVE numbers (n) AS (SELECT CAST(? AS BIGINT) UNION ALL SELECT n + 1 FROM numbers "
          "WHERE n < ?) SELECT n, 'x' FROM numbers WHERE n > 0",
          [&](const Row& row) {
            EXPECT_EQ(row.integer(0), ++seen);
            if (seen % 700 == 0) database.each("SELECT id, name, id FROM projects", [](const Row&) {});
          },
          std::int64_t{0}, rows);
      EXPECT_EQ(seen, rows);
    }
    return Ok{};
  });
  EXPECT_TRUE(done.ok());
}

TEST_P(VerifyTest, PatienceEndsWithItsTransaction) {
  if (GetParam() == Backend::sqlite) GTEST_SKIP() << "SQLite limits no statement";
  Database database({.dialect = Dialect::postgresql, .target = ground_.target()});
  const auto timeout = [&] {
    return database.one("SHOW statement_timeout", [](const Row& row) { return row.text(0); }).value();
  };
  const std::string usual = timeout();
  database.begin_read();
  database.be_patient();
  EXPECT_NE(timeout(), usual);
  database.commit();
  EXPECT_EQ(timeout(), usual);
}

TEST_P(VerifyTest, WhatTheProgramWroteVerifies) {
  EXPECT_TRUE(verified().ok());
  tell_all();
  const Verification found = verified();
  for (const Fault& fault : found.faults)
    ADD_FAILURE() << fault.journal << " " << fault.seq << " " << fault.what;
  EXPECT_EQ(found.entries, 34u);
}

// What no entry accounts for, each with its reason; docs/journal.md holds the same list.
const std::map<std::string, std::string>& no_evidence() {
  static const std::map<std::string, std::string> kList = {
      {"writers", "bookkeeping of processes"},
      {"installation", "the version of Unicode that the skeletons were made with"},
      {"schema_versions", "compared with the steps of the program"},
      {"sessions", "secrets of a day; who signed in is in the journal"},
      {"failed_logins", "throttling"},
      {"idempotency", "answers kept for a day"},
      {"key_uses", "last uses"},
      {"cosignatures", "each proves itself by its own signature, which is checked"},
      {"artifact_tags", "search"},
      {"latest_texts", "search"},
      {"artifacts.tags", "search"},
      {"projects.description", "words that nothing refers to"},
      {"api_keys.hint", "what a person recognises a key by"},
      {"environments.changed_at", "the last touch, for sorting"},
      {"artifacts.changed_at", "the last touch, for sorting"},
      {"reviews.changed_at", "the last touch, for sorting"}};
  return kList;
}

// Every column of every table that the migrations make is either watched or in the list: a new one without a
// decision fails here.
TEST_P(VerifyTest, EveryColumnIsWatchedOrSaidNotToBe) {
  if (ground_.backend() != Backend::sqlite)
    GTEST_SKIP() << "the same checks, on a file that can be opened beside";
  tell_all();
  store_.reset();
  const auto database = defenceless();
  std::set<std::string> decided;
  const auto is_beside = [&](const std::string& name) {
    return decided.insert(name), no_evidence().contains(name);
  };
  const auto tables = database->all("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name",
                                    [](const Row& row) { return row.text(0); });
  EXPECT_GT(tables.size(), 25u);
  for (const std::string& table : tables) {
    if (is_beside(table)) continue;
    const auto rows =
        database->one("SELECT count(*) FROM " + table, [](const Row& row) { return row.integer(0); });
    EXPECT_GT(rows.value_or(0), 0) << table << " has no row in this story, so nothing is tried on it";
    const auto columns = database->all("SELECT name, type FROM pragma_table_info('" + table + "')",
                                       [](const Row& row) { return std::pair(row.text(0), row.text(1)); });
    for (const auto& [column, type] : columns) {
      const std::string value = type == "INTEGER" ? column + " + 100" : column + " || 'x'";
      const std::string found = after(*database, "UPDATE " + table + " SET " + column + " = " + value);
      if (is_beside(table + "." + column)) {
        EXPECT_EQ(found, "nothing found") << table << "." << column << " is watched; take it off the list";
      } else {
        EXPECT_NE(found, "nothing found") << table << "." << column;
      }
    }
    EXPECT_NE(after(*database, "DELETE FROM " + table), "nothing found") << "DELETE FROM " << table;
  }
  for (const auto& [name, reason] : no_evidence()) EXPECT_TRUE(decided.contains(name)) << name << " is gone";
}

TEST(VerifyPage, TheListOfWhatIsNoEvidenceIsInTheDocumentation) {
  std::ifstream file(std::string(IMPRIMATUR_SOURCE_DIR) + "/docs/journal.md");
  std::ostringstream page;
  page << file.rdbuf();
  for (const auto& [name, reason] : no_evidence()) {
    EXPECT_NE(page.str().find("| `" + name + "` | " + reason + " |"), std::string::npos) << name;
  }
}

// Edits that leave each value plausible.
TEST_P(VerifyTest, WhatLooksRightIsNoticedToo) {
  if (ground_.backend() != Backend::sqlite)
    GTEST_SKIP() << "the same checks, on a file that can be opened beside";
  tell_all();
  store_.reset();
  const auto database = defenceless();
  const std::vector<std::string> edits = {
      // the release history reversed
      "UPDATE releases SET number = 1000 - number",
      // one person's verdicts become another's
      "UPDATE users SET email = id || '@x'; UPDATE users SET email = CASE id WHEN 'usr_a' THEN "
      "'b@example.com' ELSE "
      "'a@example.com' END, display_name = CASE id WHEN 'usr_a' THEN 'Bob' ELSE 'Ann' END",
      "UPDATE users SET password_hash = 'mine'",
      "UPDATE api_keys SET hash = 'mine'",
      "UPDATE verdicts SET comment = 'I do NOT agree'",
      "UPDATE verdicts SET comment = '', salt = ''",
      "UPDATE releases SET reason = 'approved by the head'",
      "UPDATE retirement_reasons SET reason = 'too new'",
      "UPDATE comments SET body = 'looks bad'",
      "INSERT INTO team_members VALUES ('prj_1', 'usr_b', 'tea_1,tea_2')",
      "UPDATE team_members SET team = 'tea_1,tea_1'",
      "UPDATE entries SET hash = upper(hash), previous = upper(previous)",
      "UPDATE entries SET previous = '' WHERE seq = 1",
      "UPDATE entries SET previous = upper(previous)",
      "UPDATE versions SET digest = upper(digest)",
      "UPDATE heads SET last_hash = upper(last_hash)",
      "UPDATE artifacts SET skeleton = 'x' || skeleton",
      "UPDATE schema_versions SET version = version + 100",
      // another layer, one that was not asked for, two in each other's place, one more, one less
      "UPDATE locks SET layer_number = 3 WHERE position = 0",
      "UPDATE locks SET direct = 1 - direct",
      "UPDATE locks SET direct = 7 WHERE direct = 1",
      "UPDATE locks SET position = 9 WHERE position = 0; UPDATE locks SET position = 0 WHERE position = 1; "
      "UPDATE locks SET position = 1 WHERE position = 9",
      "INSERT INTO locks VALUES ('prj_1', 'art_1', 2, 2, 'x', 1, 0)",
      "INSERT INTO locks VALUES ('prj_1', 'art_1', 1, 0, 'x', 1, 1)",
      "INSERT INTO locks VALUES ('prj_1', 'art_9', 1, 0, 'x', 1, 1)",
      "DELETE FROM locks WHERE position = 1",
  };
  for (const std::string& edit : edits) EXPECT_NE(after(*database, edit), "nothing found") << edit;
}

// A cosignature has no event: it proves itself, or it is a fault.
TEST_P(VerifyTest, AStoredCosignatureMustHold) {
  tell_all();
  const auto keep = [&](std::uint64_t less, const journal::Signer& by) {
    return store_->write({"org"}, [&](Tx& tx) -> Status {
      const Head seen = *head(tx, "prj_1");
      journal::Checkpoint checkpoint{journal::origin_of(seen.public_key, "prj_1"), seen.size - less, {}};
      checkpoint.root = journal::root_of_first(checkpoint.size, [&](auto begin, auto end, const auto& take) {
        each_leaf(tx, "prj_1", begin, end, take);
      });
      const auto signature =
          journal::cosign_note(by, kWitness.name, Time{1'700'000'000'000'000}, checkpoint.to_text());
      put_cosignature(tx, {"prj_1", {"wit_1"}, checkpoint.size, checkpoint.root, signature.bytes});
      return Ok{};
    });
  };
  for (const std::uint64_t less : {0u, 1u, 7u}) {
    ASSERT_TRUE(keep(less, witness_signer()).ok());
    EXPECT_TRUE(verified().ok()) << verified().faults[0].what;
    const auto stored =
        store_->read([](Tx& tx) -> Result<std::vector<Cosignature>> { return cosignatures(tx, "prj_1"); });
    EXPECT_EQ(stored.value().size(), 1u) << "the latest of each witness";
  }
  ASSERT_TRUE(keep(2, journal::Signer(kSeed)).ok());
  EXPECT_FALSE(verified().ok()) << "by another key than the witness's";
  ASSERT_TRUE(keep(0, witness_signer()).ok());
  if (ground_.backend() != Backend::sqlite) return;
  store_.reset();
  const auto database = defenceless();
  for (const char* edit : {"size = size - 1", "size = size + 1", "size = -1", "root = upper(root)",
                           "root = substr(root, 2) || substr(root, 1, 1)", "signature = 'AAAA'",
                           "signature = 'x'", "witness = 'wit_9'", "journal = 'org'"}) {
    EXPECT_NE(after(*database, std::string("UPDATE cosignatures SET ") + edit), "nothing found") << edit;
  }
}

// What a fault names is not served; the rest is.
TEST_P(VerifyTest, WhatMustNotBeServedIsNamed) {
  if (ground_.backend() != Backend::sqlite)
    GTEST_SKIP() << "the same checks, on a file that can be opened beside";
  tell_all();
  store_.reset();
  const auto database = defenceless();
  const auto doubtful = [&](const std::string& sql) {
    after(*database, sql);
    return last_.doubtful;
  };
  using Names = std::set<std::string>;
  const std::string evil = "UPDATE contents SET content = replace(content, 'two', 'evil')";
  EXPECT_EQ(doubtful(evil), Names{"artifact art_1"});
  EXPECT_EQ(doubtful(evil + "; UPDATE entries SET actor = 'usr_b' WHERE journal = 'prj_1' AND seq = 2"),
            Names{"artifact art_1"});
  EXPECT_EQ(doubtful("UPDATE releases SET ended = 'rolled_back' WHERE id = 'rel_1'"),
            Names{"artifact art_1"});
  EXPECT_EQ(doubtful("DELETE FROM labels"), Names{"artifact art_1"});
  EXPECT_EQ(doubtful("UPDATE environments SET name = 'staging'"), Names{"environment env_1"});
  EXPECT_EQ(doubtful("UPDATE api_keys SET hash = 'mine'"), Names{"key key_1"});
  EXPECT_EQ(doubtful("UPDATE projects SET name = 'other'"), Names{"project prj_1"});
  EXPECT_EQ(doubtful("UPDATE verdicts SET comment = 'no'"), Names{});
  EXPECT_EQ(doubtful("CREATE TABLE hidden (a INTEGER)"), Names{});
  EXPECT_TRUE(
      doubtful("ALTER TABLE labels ADD COLUMN more TEXT").contains(std::string(journal::kEverything)));
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
         seq_of("version.saved", 0), "content is");
  expect("UPDATE contents SET content = replace(content, 'two', 'evil') WHERE number = 2",
         seq_of("version.saved", 1), "content is");
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
  const auto proposed = seq_of("environment.proposed", 0);
  expect("UPDATE proposals SET proposed_by = 'usr_b'", proposed, "proposal env_1: by");
  expect("UPDATE proposals SET rule = replace(rule, '\"count\":0', '\"count\":9')", proposed,
         "proposal env_1: protectionDigest");
  expect("UPDATE proposals SET changed_at = changed_at + 1000000", proposed, "proposal env_1: at");
  expect("DELETE FROM proposals", proposed, "proposal env_1");
  // What waits made to be in force by hand.
  expect(
      "INSERT INTO protections SELECT project, environment, 2, rule FROM proposals; "
      "UPDATE environments SET protection_version = 2",
      seq_of("environment.changed", 0), "environment env_1");
  expect(
      "INSERT INTO proposals SELECT project, 'env_9', name, 1, 2, rule, changed_at, proposed_by FROM "
      "proposals",
      0, "no entry accounts for it");
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

// Whoever holds the file can give the tree of an index to a table of their own, and write there what the
// table proper does not say.
TEST_P(VerifyTest, AnIndexRepeatsItsTable) {
  if (ground_.backend() != Backend::sqlite) GTEST_SKIP() << "PostgreSQL's own tools check its indexes";
  tell_all();
  store_.reset();
  const auto change = [&](const std::vector<std::string>& statements) {
    Database database(ConnectionOptions{.target = ground_.target()});
    database.script("PRAGMA writable_schema = ON");
    for (const std::string& statement : statements) database.script(statement);
  };
  change(
      {"INSERT INTO sqlite_schema SELECT 'table', 'forged', 'forged', rootpage, 'CREATE TABLE forged "
       "(project "
       "TEXT, artifact TEXT, environment TEXT, number INTEGER, id TEXT, PRIMARY KEY (project, artifact, "
       "environment, number, id)) WITHOUT ROWID' FROM sqlite_schema WHERE name = 'releases_by_number'"});
  change({"UPDATE forged SET number = number + 1000", "DELETE FROM sqlite_schema WHERE name = 'forged'"});
  store_ = open();
  const Verification found = verified();
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.faults[0].what.find("the database file is damaged or altered: "), 0u)
      << found.faults[0].what;
  EXPECT_TRUE(found.doubtful.contains(std::string(journal::kEverything)));
}

TEST_P(VerifyTest, AFileThatCannotBeReadIsOneFault) {
  if (ground_.backend() != Backend::sqlite) GTEST_SKIP() << "a file of SQLite's";
  tell_all();
  store_.reset();
  std::int64_t at = 0;
  {
    Database database(ConnectionOptions{.target = ground_.target()});
    at = database
             .one(
                 "SELECT (rootpage - 1) * (SELECT page_size FROM pragma_page_size) FROM sqlite_schema WHERE "
                 "name = 'contents'",
                 [](const Row& row) { return row.integer(0); })
             .value();
  }
  {
    std::fstream file(ground_.target(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(at);
    file << std::string(512, '\xff');
  }
  store_ = open();
  const Verification found = verified();
  ASSERT_EQ(found.faults.size(), 1u);
  EXPECT_TRUE(found.faults[0].what.starts_with("the database file is damaged")) << found.faults[0].what;
  EXPECT_TRUE(found.doubtful.contains(std::string(journal::kEverything)));
}

// Data that nobody can have written are a broken environment: the caller hears so, and the program lives on.
TEST_P(VerifyTest, BrokenDataAreAnsweredAndNoBug) {
  tell_people();
  const auto broken = [](Tx&) -> Status { throw DataBroken("a thing is missing"); };
  for (const Status& done : {store_->read(broken), store_->write({"org"}, broken)}) {
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().code, ErrorCode::unavailable);
    EXPECT_NE(done.error().detail.find("imprimatur verify"), std::string::npos);
  }
  ASSERT_TRUE(store_
                  ->write({"org"},
                          [](Tx& tx) -> Status {
                            tx.database().touch("UPDATE heads SET frontier = 'broken'");
                            return Ok{};
                          })
                  .ok());
  const Status read = store_->read([](Tx& tx) -> Status {
    head(tx, "org");
    return Ok{};
  });
  EXPECT_EQ(read.error().detail, broken_data().detail);
  const Status written = store_->write({"org"}, [](Tx& tx) -> Status {
    tx.append("org", {"test.changed", "organisation", "{}", {"system"}});
    return Ok{};
  });
  EXPECT_EQ(written.error().detail, broken_data().detail);
}

TEST_P(VerifyTest, DataOfATrialVersionAreRefused) {
  ASSERT_TRUE(store_
                  ->write({"org"},
                          [](Tx& tx) -> Status {
                            tx.database().touch("UPDATE schema_versions SET version = version - " +
                                                std::to_string(newest_schema() - 4));
                            return Ok{};
                          })
                  .ok());
  store_.reset();
  const auto opened = Store::open(ground_.options(), clock_, kSeed);
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().detail.find("trial version (schema 4)"), std::string::npos)
      << opened.error().detail;
}

// A name may look like another one by the next version of Unicode: then the older one keeps the look.
TEST_P(VerifyTest, SkeletonsAreMadeAnewForAnotherVersionOfUnicode) {
  tell_people();
  tell_drafts();
  ASSERT_TRUE(store_
                  ->write({"org"},
                          [](Tx& tx) -> Status {
                            tx.database().touch("UPDATE installation SET unicode = 'ICU 1'");
                            tx.database().touch("UPDATE artifacts SET skeleton = 'as it was'");
                            return Ok{};
                          })
                  .ok());
  EXPECT_TRUE(verified().ok()) << "skeletons of another version cannot be judged";
  store_ = nullptr;
  store_ = open();
  EXPECT_TRUE(verified().ok());
  const auto skeleton = [&] {
    return store_->read([](Tx& tx) -> Result<std::string> { return artifact(tx, {"art_1"})->skeleton; })
        .value();
  };
  EXPECT_EQ(skeleton(), skeleton_of("support/reply"));
  const auto set = [&](const std::string& to) {
    return store_->write({"org"}, [&](Tx& tx) -> Status {
      tx.database().touch("UPDATE artifacts SET skeleton = ?", to);
      return Ok{};
    });
  };
  ASSERT_TRUE(set(skeleton_of("support/reply") + "?art_1").ok());
  EXPECT_FALSE(verified().ok()) << "nobody else has the look";
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

IMPRIMATUR_ON_EVERY_DATABASE(VerifyTest);

}  // namespace
}  // namespace imprimatur::store
