// The evidence of a release, read as somebody outside reads it.
#include "api/talk.h"
#include "base/hash.h"
#include "evidence/report.h"
#include "evidence/statement.h"
#include "journal/commitment.h"
#include "journal/entry.h"
#include "journal/envelope.h"
#include "journal/evidence_file.h"
#include "journal/merkle.h"
#include "journal/note.h"
#include "store/database.h"
#include "store/registry_rows.h"

#include <algorithm>
#include <sstream>

namespace imprimatur::tests {
namespace {

namespace json = boost::json;

Hash256 hash_in(const json::value& text) {
  const std::string_view written = text.as_string();
  EXPECT_TRUE(written.starts_with("sha256:")) << written;
  return hash_from_hex(written.substr(7)).value_or(Hash256{});
}

class EvidenceOfAReleaseTest : public Talk {
 protected:
  EvidenceOfAReleaseTest() {
    for (const char* name : {"ann", "ben", "cas", "dan", "vic"}) add_person(name);
    done("POST", "/api/v1/projects", "ann", {{{"name", "shop"}}});
    for (const auto& [name, role] : {std::pair("ben", "reviewer"), std::pair("cas", "editor"),
                                     std::pair("dan", "editor"), std::pair("vic", "viewer")}) {
      add_member("shop", "ann", name, role);
    }
    prompt_ = text_of(done("POST", "/api/v1/prompts", "cas",
                           {{{"project", "shop"},
                             {"name", "reply"},
                             {"type", "text"},
                             {"content", "one \U0001f600"},
                             {"message", "the first"}}}),
                      "id");
  }

  std::string path() const { return "/api/v1/prompts/" + prompt_; }
  void save(const std::string& who, const std::string& text) {
    done("PUT", path(), who, {{{"content", text}}});
  }
  std::string submit(std::int64_t version) {
    return text_of(done("POST", path() + "/versions/" + std::to_string(version) + "/submit", "cas",
                        {{{"comment", "please"}}}),
                   "id");
  }
  void approve(const std::string& review) {
    done("POST", "/api/v1/reviews/" + review + "/approve", "ben", {{{"comment", "reads well"}}});
  }
  std::string deploy(std::int64_t version, const std::string& environment = "production") {
    return text_of(done("POST", path() + "/versions/" + std::to_string(version) + "/deploy", "ben",
                        {{{"environment", environment}}}),
                   "id");
  }
  std::string make_live(std::int64_t version) {
    approve(submit(version));
    return deploy(version);
  }

  json::value envelope_of(const std::string& release, const std::string& who = "ann") {
    return done("GET", "/api/v1/releases/" + release + "/evidence", who);
  }
  // The predicate, once everything that can be checked from outside was.
  json::value predicate_of(const std::string& release, const std::string& who = "ann") {
    const auto envelope = journal::envelope_from_json(json::serialize(envelope_of(release, who))).value();
    const json::value checkpoint = done("GET", "/api/v1/audit-logs/checkpoint?project=shop", who);
    const std::string key = from_base64(text_of(checkpoint, "publicKey")).value();
    EXPECT_TRUE(journal::signed_by(envelope, key));
    const auto verified = journal::verify_evidence(envelope.to_json(), {{}, journal::key_digest(key)});
    for (const journal::Fault& fault : verified.value().faults)
      ADD_FAILURE() << fault.seq << " " << fault.what;
    const json::value statement = parse_json(envelope.payload, {.bytes = 64 * 1024 * 1024}).value();
    EXPECT_EQ(canonical_json(statement).value(), envelope.payload);
    EXPECT_EQ(text_of(statement, "predicateType"), "urn:imprimatur:release-evidence:v1");
    const json::value predicate = statement.at("predicate");
    EXPECT_EQ("sha256:" + text_of(statement.at("subject").at(0).at("digest"), "sha256"),
              text_of(predicate.at("version"), "digest"));
    check_journal(predicate.at("journal"), key);
    return predicate;
  }

  static void check_journal(const json::value& journal, const std::string& key) {
    const auto note = journal::note_from_text(text_of(journal, "checkpoint")).value();
    const auto checkpoint = journal::checkpoint_in(note).value();
    EXPECT_EQ(journal::signed_by(note, {checkpoint.origin, journal::NoteAlgorithm::log, key}),
              journal::Signed::holds);
    std::int64_t last = 0;
    for (json::value entry : journal.at("entries").as_array()) {
      std::vector<Hash256> proof;
      for (const json::value& hash : entry.at("path").as_array()) proof.push_back(hash_in(hash));
      entry.as_object().erase("path");
      const auto read = journal::entry_from_json(canonical_json(entry).value()).value();
      EXPECT_EQ(journal::hash_of(read), read.hash);
      EXPECT_TRUE(journal::verify_inclusion(journal::leaf_of(read), read.seq - 1, checkpoint.size, proof,
                                            checkpoint.root));
      EXPECT_GT(static_cast<std::int64_t>(read.seq), last) << "each once, in order";
      last = static_cast<std::int64_t>(read.seq);
    }
  }

  static json::value entry_of(const json::value& predicate, const std::string& action,
                              const std::string& resource = "") {
    for (const json::value& entry : predicate.at("journal").at("entries").as_array()) {
      if (text_of(entry, "action") == action &&
          (resource.empty() || text_of(entry, "resource") == resource)) {
        return entry;
      }
    }
    ADD_FAILURE() << "no " << action;
    return json::object{{"details", json::object{}}};
  }
  static void expect_words(const json::value& words, const std::string& text, const json::value& commitment) {
    EXPECT_EQ(text_of(words, "text"), text);
    EXPECT_EQ(words.at("commitment"), commitment);
    EXPECT_EQ(journal::commitment(text_of(words, "salt"), text), text_of(words, "commitment"));
  }
  // The statement has ids alone; whose they are is known from elsewhere.
  std::string name_of(const json::value& actor) {
    EXPECT_EQ(actor.as_object().size(), 1u) << "a name would be signed that no journal is asked for";
    const std::string id = text_of(actor, "id");
    for (const char* name : {"ann", "ben", "cas", "dan", "vic"}) {
      if (text_of(done("GET", "/api/v1/auth/me", name), "id") == id) return name;
    }
    return id;
  }
  std::string contributors(const json::value& predicate) {
    std::ostringstream out;
    out << "after " << predicate.at("contributors").at("after").as_int64();
    std::vector<std::string> all;
    for (const json::value& one : predicate.at("contributors").at("people").as_array()) {
      all.push_back(name_of(one.at("by")) + " " + json::serialize(one.at("versions")));
    }
    std::sort(all.begin(), all.end());
    for (const std::string& one : all) out << ", " << one;
    return out.str();
  }
  // As whoever holds the database, under a server that runs.
  void tamper(const std::string& sql) {
    const auto done = world_.store().write({"org"}, [&](store::Tx& tx) -> Status {
      for (const char* table : {"verdicts", "releases", "entries", "contents", "versions", "reviews",
                                "protections", "retirement_reasons", "artifacts"}) {
        tx.database().script("DROP TRIGGER IF EXISTS " + std::string(table) + "_refuse_update");
      }
      tx.database().script(sql);
      tx.database().touch("UPDATE installation SET unicode = unicode");
      return Ok{};
    });
    ASSERT_TRUE(done.ok()) << done.error().detail;
  }

  std::string prompt_;
};

TEST_F(EvidenceOfAReleaseTest, EveryPartRestsOnAnEntryThatIsProved) {
  const std::string review = submit(1);
  approve(review);
  const std::string release = deploy(1);
  const json::value predicate = predicate_of(release);

  const json::value made = entry_of(predicate, "release.created", "release:" + release);
  EXPECT_EQ(text_of(predicate.at("release"), "id"), release);
  EXPECT_EQ(text_of(predicate.at("release"), "letThroughBy"), release);
  EXPECT_EQ(name_of(predicate.at("release").at("by")), "ben");
  expect_words(predicate.at("release").at("reason"), "", made.at("details").at("reason"));
  EXPECT_EQ(text_of(predicate.at("environment"), "name"), "production");
  EXPECT_EQ(text_of(predicate.at("project"), "name"), "shop");

  const json::value& version = predicate.at("version");
  EXPECT_EQ(text_of(version, "name"), "reply");
  EXPECT_EQ(text_of(version.at("content"), "content"), "one \U0001f600");
  const std::string hashed = "imprimatur-version-v1\n" + canonical_json(version.at("content")).value();
  EXPECT_EQ(text_of(version, "digest"), "sha256:" + to_hex(sha256(hashed)));
  expect_words(version.at("message"), "the first",
               entry_of(predicate, "version.saved").at("details").at("message"));

  const json::value& gate = predicate.at("gate");
  EXPECT_TRUE(gate.at("answer").at("met").as_bool());
  EXPECT_EQ(text_of(gate, "digest"), "sha256:" + to_hex(sha256(canonical_json(gate.at("answer")).value())));
  EXPECT_EQ(gate.at("digest"), made.at("details").at("gate"));
  EXPECT_EQ(predicate.at("protection").at("digest"),
            entry_of(predicate, "environment.changed").at("details").at("protectionDigest"));
  EXPECT_EQ(predicate.at("protection").at("rule").at("approvals").at("count").as_int64(), 1);

  ASSERT_TRUE(predicate.at("review").is_object());
  EXPECT_EQ(text_of(predicate.at("review"), "id"), review);
  const json::value verdict = predicate.at("review").at("verdicts").at(0);
  EXPECT_EQ(name_of(verdict.at("by")), "ben");
  EXPECT_EQ(text_of(verdict, "verdict"), "approve");
  expect_words(verdict.at("comment"), "reads well",
               entry_of(predicate, "verdict.given").at("details").at("comment"));
  EXPECT_EQ(predicate.at("scans").as_array().size(), 1u);
  EXPECT_EQ(contributors(predicate), "after 0, cas [1]");
}

// Contributors are those of the moment of the deploy, as the gate counted them.
TEST_F(EvidenceOfAReleaseTest, ContributorsAreThoseSinceWhatWasLive) {
  const std::string first = make_live(1);
  save("dan", "two");
  save("cas", "three");
  const std::string second = make_live(3);
  save("dan", "four");
  EXPECT_EQ(contributors(predicate_of(first)), "after 0, cas [1]");
  EXPECT_EQ(contributors(predicate_of(second)), "after 1, cas [3], dan [2]");
  // One that is older than what is live rests on what others let through before it.
  const std::string older = make_live(2);
  EXPECT_EQ(contributors(predicate_of(older)), "after 1, cas [3], dan [2,4]");
}

// What was rolled back from vouches for nothing that comes later.
TEST_F(EvidenceOfAReleaseTest, ContributorsAreNotCountedFromWhatWasTakenBack) {
  make_live(1);
  save("dan", "two");
  make_live(2);
  done("POST", path() + "/rollback", "ben", {{{"environment", "production"}}});
  save("cas", "three");
  save("dan", "four");
  make_live(4);
  EXPECT_EQ(contributors(predicate_of(make_live(3))), "after 1, cas [3], dan [2,4]");
}

TEST_F(EvidenceOfAReleaseTest, ARollBackRestsOnTheDeployThatItRestores) {
  const std::string first = make_live(1);
  save("dan", "two");
  const std::string second = make_live(2);
  const std::string back = text_of(
      done("POST", path() + "/rollback", "ben", {{{"environment", "production"}, {"reason", "too long"}}}),
      "id");
  const json::value predicate = predicate_of(back);
  EXPECT_EQ(text_of(predicate.at("release"), "kind"), "roll_back");
  EXPECT_EQ(text_of(predicate.at("release"), "replaced"), second);
  EXPECT_EQ(text_of(predicate.at("release"), "letThroughBy"), first);
  EXPECT_EQ(predicate.at("release").at("restores").at(0), json::value(first));
  expect_words(predicate.at("release").at("reason"), "too long",
               entry_of(predicate, "release.rolled_back", "release:" + back).at("details").at("reason"));
  EXPECT_EQ(predicate.at("version").at("number").as_int64(), 1);
  EXPECT_EQ(contributors(predicate), "after 0, cas [1]");
}

TEST_F(EvidenceOfAReleaseTest, WhereNothingIsAskedThereIsNoReview) {
  const std::string release = deploy(1, "development");
  const json::value predicate = predicate_of(release);
  EXPECT_TRUE(predicate.at("review").is_null());
  EXPECT_TRUE(predicate.at("gate").at("answer").at("requirements").as_array().empty());
}

TEST_F(EvidenceOfAReleaseTest, EveryCycleOfAReviewIsThere) {
  const std::string review = submit(1);
  done("POST", "/api/v1/reviews/" + review + "/request-changes", "ben", {{{"comment", "too short"}}});
  save("cas", "longer");
  done("POST", "/api/v1/reviews/" + review + "/update", "cas", json::object{});
  approve(review);
  const json::value predicate = predicate_of(deploy(2));
  const json::array& verdicts = predicate.at("review").at("verdicts").as_array();
  ASSERT_EQ(verdicts.size(), 2u);
  EXPECT_EQ(text_of(verdicts[0], "verdict"), "request_changes");
  EXPECT_EQ(verdicts[0].at("cycle").as_int64(), 1);
  EXPECT_EQ(text_of(verdicts[1], "verdict"), "approve");
  EXPECT_EQ(predicate.at("review").at("cycle").as_int64(), 2);
  EXPECT_EQ(predicate.at("review").at("items").at(0).at("version").as_int64(), 2);
}

// Whoever may not read drafts gets the commitments, and the content of what is live.
TEST_F(EvidenceOfAReleaseTest, WordsAreForThoseWhoMayReadThem) {
  const std::string first = make_live(1);
  const json::value live = predicate_of(first, "vic");
  EXPECT_TRUE(live.at("review").at("verdicts").at(0).at("comment").at("text").is_null());
  EXPECT_TRUE(live.at("review").at("verdicts").at(0).at("comment").at("salt").is_null());
  EXPECT_EQ(text_of(live.at("review").at("verdicts").at(0).at("comment"), "commitment").size(), 71u);
  EXPECT_TRUE(live.at("version").at("content").is_object());
  save("cas", "two");
  make_live(2);
  EXPECT_TRUE(predicate_of(first, "vic").at("version").at("content").is_null());
  EXPECT_TRUE(predicate_of(first, "ann").at("version").at("content").is_object());
}

// This key signs nothing that the journal does not say.
TEST_F(EvidenceOfAReleaseTest, WhatWasAlteredIsNotSigned) {
  const std::string release = make_live(1);
  const std::string target = "/api/v1/releases/" + release + "/evidence";
  const struct {
    const char* what;
    std::string edit, undo;
  } kEdits[] = {
      {"a comment", "UPDATE verdicts SET comment = 'no'", "UPDATE verdicts SET comment = 'reads well'"},
      {"a gate answer", "UPDATE releases SET gate = replace(gate, '\"met\":true', '\"met\":false')",
       "UPDATE releases SET gate = replace(gate, '\"met\":false', '\"met\":true')"},
      {"who deployed", "UPDATE releases SET released_by = released_by || 'x'",
       "UPDATE releases SET released_by = substr(released_by, 1, 30)"},
      {"whether the protection was met", "UPDATE releases SET protection_met = 0",
       "UPDATE releases SET protection_met = 1"},
      {"its kind", "UPDATE releases SET kind = 'roll_back'", "UPDATE releases SET kind = 'deploy'"},
      {"its change set", "UPDATE releases SET change_set = change_set || 'x'",
       "UPDATE releases SET change_set = substr(change_set, 1, 30)"},
      {"the semver", "UPDATE versions SET semver = '9.9.9'", "UPDATE versions SET semver = '1.0.0'"},
      {"a verdict", "UPDATE verdicts SET kind = 'reject'", "UPDATE verdicts SET kind = 'approve'"},
      {"a name", "UPDATE artifacts SET name = 'other'", "UPDATE artifacts SET name = 'reply'"},
      {"the content", "UPDATE contents SET content = replace(content, 'one', 'two')",
       "UPDATE contents SET content = replace(content, 'two', 'one')"},
      {"an entry", "UPDATE entries SET actor = actor || 'x' WHERE action = 'verdict.given'",
       "UPDATE entries SET actor = substr(actor, 1, 30) WHERE action = 'verdict.given'"},
      {"another entry's hash",
       "UPDATE entries SET hash = substr(hash, 2) || substr(hash, 1, 1) WHERE action = 'team.created' OR seq "
       "= 2",
       "UPDATE entries SET hash = substr(hash, 64) || substr(hash, 1, 63) WHERE action = 'team.created' OR "
       "seq = 2"},
      {"the head", "UPDATE heads SET frontier = replace(frontier, 'a', 'b')", ""},
  };
  ASSERT_EQ(ask("GET", target, "ann").status, 200);
  for (const auto& [what, edit, undo] : kEdits) {
    tamper(edit);
    EXPECT_EQ(ask("GET", target, "ann").status, 503) << what;
    EXPECT_EQ(ask("GET", target + "?format=html", "ann").status, 503) << what;
    if (undo.empty()) break;
    tamper(undo);
    ASSERT_EQ(ask("GET", target, "ann").status, 200) << what;
  }
  EXPECT_EQ(ask("GET", "/api/v1/audit-logs/checkpoint?project=shop", "ann").status, 503);
}

// Nor in what another release says of itself, where this one rests on it.
TEST_F(EvidenceOfAReleaseTest, EveryReleaseThatItRestsOnIsCompared) {
  const std::string first = make_live(1);
  save("dan", "two");
  save("cas", "three");
  const std::string second = make_live(3);
  const std::string older = make_live(2);
  const auto target = [](const std::string& release) { return "/api/v1/releases/" + release + "/evidence"; };
  const std::string of_first = " WHERE id = '" + first + "'";
  // The second rests on the first as what was live, the third as what others let through before.
  for (const std::string& release : {second, older}) {
    for (const auto& [edit, undo] :
         {std::pair<std::string, std::string>("protection_met = 0", "protection_met = 1"),
          {"version = 2", "version = 1"},
          {"kind = 'roll_back'", "kind = 'deploy'"},
          {"gate = replace(gate, 'counts', 'count5')", "gate = replace(gate, 'count5', 'counts')"}}) {
      tamper("UPDATE releases SET " + edit + of_first);
      EXPECT_EQ(ask("GET", target(release), "ann").status, 503) << edit;
      tamper("UPDATE releases SET " + undo + of_first);
      ASSERT_EQ(ask("GET", target(release), "ann").status, 200) << undo;
    }
  }
  // What ended it is told by the entry of the roll back, not by its row.
  tamper("UPDATE releases SET ended = 'rolled_back', ended_at = released_at" + of_first);
  EXPECT_EQ(contributors(predicate_of(older)), "after 1, cas [3], dan [2]");
  tamper("UPDATE protections SET rule = replace(rule, '\"count\":1', '\"count\":0')");
  EXPECT_EQ(ask("GET", target(older), "ann").status, 503);
}

// The report says nothing that the journal does not say either, whatever its reader may see of it.
TEST_F(EvidenceOfAReleaseTest, WhatWasAlteredIsNotReported) {
  make_live(1);
  save("dan", "two");
  make_live(2);
  done("POST", path() + "/rollback", "ben", {{{"environment", "production"}, {"reason", "too long"}}});
  done("POST", path() + "/versions/2/retire", "ben", {{{"environment", "production"}, {"reason", "wrong"}}});
  const std::string target = "/api/v1/audit-logs/report?project=shop";
  const struct {
    const char* what;
    std::string edit, undo;
  } kEdits[] = {
      {"a comment", "UPDATE verdicts SET comment = 'no'", "UPDATE verdicts SET comment = 'reads well'"},
      {"a verdict", "UPDATE verdicts SET kind = 'reject'", "UPDATE verdicts SET kind = 'approve'"},
      {"whose verdict", "UPDATE verdicts SET given_by = given_by || 'x'",
       "UPDATE verdicts SET given_by = substr(given_by, 1, 30)"},
      {"what was asked for", "UPDATE reviews SET comment = 'no'", "UPDATE reviews SET comment = 'please'"},
      {"a gate answer", "UPDATE releases SET gate = replace(gate, 'counts', 'count5')",
       "UPDATE releases SET gate = replace(gate, 'count5', 'counts')"},
      {"whether it was met", "UPDATE releases SET protection_met = 0",
       "UPDATE releases SET protection_met = 1"},
      {"a reason", "UPDATE releases SET reason = 'no' WHERE kind = 'roll_back'",
       "UPDATE releases SET reason = 'too long' WHERE kind = 'roll_back'"},
      {"why it was retired", "UPDATE retirement_reasons SET reason = 'no'",
       "UPDATE retirement_reasons SET reason = 'wrong'"},
      {"a protection", "UPDATE protections SET rule = replace(rule, '\"count\":1', '\"count\":0')",
       "UPDATE protections SET rule = replace(rule, '\"count\":0', '\"count\":1')"},
      {"the semver", "UPDATE versions SET semver = semver || '9'",
       "UPDATE versions SET semver = substr(semver, 1, 5)"},
      {"a name", "UPDATE artifacts SET name = 'other'", "UPDATE artifacts SET name = 'reply'"},
      {"the environment", "UPDATE environments SET name = 'other' WHERE name = 'staging'",
       "UPDATE environments SET name = 'staging' WHERE name = 'other'"},
  };
  ASSERT_EQ(ask("GET", target, "ann").status, 200);
  for (const auto& [what, edit, undo] : kEdits) {
    tamper(edit);
    const std::string of = std::string_view(what) == "the environment" ? "&environment=other" : "";
    EXPECT_EQ(ask("GET", target + of, "ann").status, 503) << what;
    EXPECT_EQ(ask("GET", target + of + "&format=csv", "vic").status, 503) << what;
    tamper(undo);
    ASSERT_EQ(ask("GET", target, "ann").status, 200) << what;
  }
}

// A line is as long as what it tells of: no limit of what people send applies.
TEST_F(EvidenceOfAReleaseTest, ALongLineIsReported) {
  const std::string journal =
      text_of(done("GET", "/api/v1/audit-logs/checkpoint?project=shop", "ann"), "journal");
  const auto tell = [&](const std::string& details) {
    ASSERT_TRUE(
        world_.store()
            .write({journal},
                   [&](store::Tx& tx) -> Status {
                     tx.append(journal, {"exception.granted", "exception:exc_1", details, {"system"}});
                     return Ok{};
                   })
            .ok());
  };
  std::string many = "0";
  for (int i = 1; i < 250'000; ++i) many += "," + std::to_string(i);
  tell(R"({"many":[)" + many + "]}");
  for (int i = 0; i < 10; ++i) tell(R"({"long":")" + std::string(1'000'000, 'x') + R"("})");
  const std::string target = "/api/v1/audit-logs/report?project=shop";
  for (const std::string format : {"csv", "jsonl"}) {
    const Reply whole = ask("GET", target + "&format=" + format, "ann");
    EXPECT_EQ(whole.status, 200);
    EXPECT_NE(whole.text.find(",249999]"), std::string::npos) << format;
    EXPECT_GT(whole.text.size(), 10'000'000u) << format;
  }
  // However long they are, few are in memory at a time.
  evidence::ReportScope scope;
  ASSERT_TRUE(world_.store()
                  .read([&](store::Tx& tx) -> Status {
                    scope.head = *store::head(tx, journal);
                    scope.environment = *store::environment_by_name(tx, {journal}, "production");
                    return Ok{};
                  })
                  .ok());
  scope.behind = scope.head.size + 1;
  evidence::Report report(world_.store(), scope);
  std::size_t lines = 0;
  while (true) {
    const auto piece = report.next().value();
    if (piece.empty()) break;
    std::size_t bytes = 0;
    for (const auto& line : piece) bytes += line.text.size();
    EXPECT_LT(bytes, 6'000'000u);
    lines += piece.size();
  }
  const std::string text = ask("GET", target, "ann").text;
  EXPECT_EQ(lines, static_cast<std::size_t>(std::ranges::count(text, '\n'))) << "none is lost between pieces";
}

// What is signed can be read again: one byte more and it is refused rather than handed out.
TEST(EvidenceFile, HoldsTheLongestStatementThatIsSigned) {
  const journal::Signer signer(std::string(32, 's'));
  std::size_t most = 0, above = journal::kMaxEnvelopeBytes;
  while (above - most > 1) {
    const std::size_t middle = most + (above - most) / 2;
    (evidence::require_fits(middle).ok() ? most : above) = middle;
  }
  EXPECT_GT(most, 48'000'000u);
  EXPECT_EQ(evidence::require_fits(above).error().code, ErrorCode::unprocessable);
  const auto whole = journal::enveloped(signer, journal::kInTotoPayload, std::string(most, 'x')).to_json();
  EXPECT_LE(whole.size() + 1, journal::kMaxEnvelopeBytes) << "with the line feed behind it";
  EXPECT_TRUE(journal::envelope_from_json(whole).ok());
}

// Names are as they are known now: on the page, and in nothing that is signed.
TEST_F(EvidenceOfAReleaseTest, NamesOfPeopleAreNotSigned) {
  const std::string release = make_live(1);
  const std::string target = "/api/v1/releases/" + release + "/evidence";
  tamper("UPDATE users SET display_name = 'Somebody Else' WHERE display_name = 'ben'");
  const auto envelope = journal::envelope_from_json(json::serialize(envelope_of(release))).value();
  EXPECT_EQ(envelope.payload.find("Somebody Else"), std::string::npos);
  EXPECT_EQ(envelope.payload.find("displayName"), std::string::npos);
  EXPECT_NE(ask("GET", target + "?format=html", "ann").text.find("Somebody Else"), std::string::npos);
}

// A text whose salt is erased with it leaves its commitment, and evidence goes on.
TEST_F(EvidenceOfAReleaseTest, WhatWasErasedIsSaidToBe) {
  const std::string release = make_live(1);
  tamper("UPDATE verdicts SET comment = '', salt = ''");
  const json::value predicate = predicate_of(release);
  const json::value& comment = predicate.at("review").at("verdicts").at(0).at("comment");
  EXPECT_TRUE(comment.at("text").is_null());
  EXPECT_TRUE(comment.at("salt").is_null());
  EXPECT_EQ(comment.at("commitment"), entry_of(predicate, "verdict.given").at("details").at("comment"));
}

// The check of the file alone, on what somebody with another key would hand out.
TEST_F(EvidenceOfAReleaseTest, AForgedFileIsFoundOut) {
  const std::string release = make_live(1);
  const json::value made = envelope_of(release);
  const auto envelope = journal::envelope_from_json(json::serialize(made)).value();
  const json::value statement = parse_json(envelope.payload).value();
  const journal::Signer forger(std::string(32, 'f'));
  const auto faults = [&](const std::function<void(json::object & statement)>& change,
                          const journal::Trusted& trusted = {}) {
    json::value altered = statement;
    change(altered.as_object());
    altered.at("predicate").at("journal").at("publicKey") = to_base64(forger.public_key());
    const auto signed_anew =
        journal::enveloped(forger, journal::kInTotoPayload, canonical_json(altered).value());
    std::string out;
    for (const auto& fault : journal::verify_evidence(signed_anew.to_json(), trusted).value().faults) {
      out += fault.what + "\n";
    }
    return out;
  };
  const auto predicate = [](json::object& of) -> json::object& { return of.at("predicate").as_object(); };
  const auto entry = [](json::object& of) -> json::object& {
    return of.at("predicate").at("journal").at("entries").at(3).as_object();
  };
  const std::string unchanged = faults([](json::object&) {});
  EXPECT_EQ(unchanged, "its checkpoint is not signed by the key of its journal\n");
  EXPECT_NE(faults([](json::object&) {}, {{}, envelope.key}).find("not by " + envelope.key),
            std::string::npos);
  const auto told = [&](const std::string& what,
                        const std::function<void(json::object & statement)>& change) {
    EXPECT_NE(faults(change).find(what), std::string::npos) << what << " in\n" << faults(change);
  };
  told("the entry does not have its hash", [&](json::object& of) { entry(of)["actor"] = "usr_evil"; });
  told("the entry is not under the checkpoint",
       [&](json::object& of) { entry(of)["path"].as_array().pop_back(); });
  told("is not readable", [&](json::object& of) { entry(of).erase("time"); });
  told("rests on no entry",
       [](json::object& of) { of.at("predicate").at("journal").at("entries").as_array().clear(); });
  told("a text is not the one of its commitment", [&](json::object& of) {
    predicate(of)["review"].at("verdicts").at(0).at("comment").at("text") = "reads badly";
  });
  told("no entry holds the commitment", [&](json::object& of) {
    json::value& words = predicate(of)["release"].at("reason");
    words.at("text") = "because";
    words.at("commitment") = journal::commitment(text_of(words, "salt"), "because");
  });
  told("the content does not have its digest",
       [&](json::object& of) { predicate(of)["version"].at("content").at("content") = "evil"; });
  told("no entry tells of the version",
       [&](json::object& of) { of.at("subject").at(0).at("digest").at("sha256") = std::string(64, '0'); });
  told("the gate answer is not the one",
       [&](json::object& of) { predicate(of)["gate"].at("answer").at("met") = false; });
  told("its checkpoint is none",
       [](json::object& of) { of.at("predicate").at("journal").at("checkpoint") = "no note"; });
  // The file as it is, changed in its envelope.
  journal::Envelope broken = envelope;
  broken.signature[3] = static_cast<char>(broken.signature[3] ^ 1);
  EXPECT_EQ(journal::verify_evidence(broken.to_json(), {}).value().faults.at(0).what,
            "the signature of the file does not hold");
  for (const char* none : {"{}", "[]", "{\"payload\":\"\"}"}) {
    EXPECT_FALSE(journal::verify_evidence(none, {}).ok()) << none;
  }
  broken.type = "text/plain";
  EXPECT_FALSE(journal::verify_evidence(broken.to_json(), {}).ok());
}

// With a checkpoint from elsewhere: the very one that the file has.
TEST_F(EvidenceOfAReleaseTest, TheFileIsComparedWithACheckpointFromElsewhere) {
  const std::string release = make_live(1);
  const auto note_now = [&] {
    return journal::note_from_text(
               text_of(done("GET", "/api/v1/audit-logs/checkpoint?project=shop", "ann"), "note"))
        .value();
  };
  const std::string file = json::serialize(envelope_of(release));
  const journal::Signer witness(std::string(32, 'w'));
  const journal::NoteKey key{"w.example", journal::NoteAlgorithm::witness, witness.public_key()};
  journal::Note note = note_now();
  EXPECT_TRUE(journal::verify_evidence(file, {{}, "", {note}}).value().ok());
  EXPECT_FALSE(journal::verify_evidence(file, {{}, "", {note}, {key}}).value().ok())
      << "nobody has cosigned it";
  note.signatures.push_back(journal::cosign_note(witness, key.name, Time{seconds(9).micros}, note.text));
  EXPECT_TRUE(journal::verify_evidence(file, {{}, "", {note}, {key}}).value().ok());
  save("cas", "two");
  EXPECT_FALSE(journal::verify_evidence(file, {{}, "", {note_now()}}).value().ok()) << "of another size";
}

// What the report does not know it shows rather than misses.
TEST_F(EvidenceOfAReleaseTest, AnEventOfAKindThatIsNewHasASectionOfItsOwn) {
  make_live(1);
  const std::string journal =
      text_of(done("GET", "/api/v1/audit-logs/checkpoint?project=shop", "ann"), "journal");
  const auto told = world_.store().write({journal}, [&](store::Tx& tx) -> Status {
    for (const char* environment : {"env_00000000000000000000000000", ""}) {
      const std::string details = R"({"environment":")" + std::string(environment) + R"("})";
      tx.append(journal, {"exception.granted", "exception:exc_1", details, {"system"}});
    }
    return Ok{};
  });
  ASSERT_TRUE(told.ok());
  const std::string text = ask("GET", "/api/v1/audit-logs/report?project=shop", "ann").text;
  const json::value end = parse_json(text.substr(text.rfind('\n', text.size() - 2) + 1)).value();
  EXPECT_EQ(end.at("details").at("lines").at("exception").as_int64(), 1)
      << "that of another environment is no change here";
}

// One line a change, each of which can be tested by itself.
TEST_F(EvidenceOfAReleaseTest, TheReportHoldsEveryChangeOfItsPeriod) {
  const auto report = [&](const std::string& query, const std::string& who = "ann") {
    const std::string text = ask("GET", "/api/v1/audit-logs/report?project=shop" + query, who).text;
    std::vector<json::value> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(parse_json(line).value());
    return lines;
  };
  const std::string first = make_live(1);
  deploy(1, "staging");
  world_.advance(hours(1));
  save("dan", "two");
  const std::string second = make_live(2);
  world_.advance(hours(1));
  done("POST", path() + "/rollback", "ben", {{{"environment", "production"}}});
  done("DELETE", "/api/v1/projects/shop/members/vic@example.com", "ann");

  const auto all = report("");
  std::map<std::string, std::vector<json::value>> by_section;
  for (const json::value& line : all) by_section[text_of(line, "section")].push_back(line);
  ASSERT_EQ(by_section["change"].size(), 3u) << "what went live elsewhere is no change here";
  EXPECT_EQ(by_section["role"].size(), 6u) << "five who joined and one who left";
  EXPECT_EQ(by_section["protection"].size(), 1u) << "production's";
  EXPECT_EQ(by_section.size(), 5u);
  const json::value& change = by_section["change"][1];
  EXPECT_EQ(text_of(change, "release"), second);
  EXPECT_EQ(text_of(change, "replaced"), first);
  EXPECT_EQ(text_of(change.at("verdicts").at(0).at("by"), "displayName"), "ben");
  EXPECT_EQ(text_of(change.at("verdicts").at(0), "comment"), "reads well");
  EXPECT_TRUE(change.at("gate").at("met").as_bool());
  EXPECT_EQ(text_of(change.at("contributors").at(0), "displayName"), "dan");
  // A roll back shows what let through what it restores.
  EXPECT_EQ(text_of(by_section["change"][2], "kind"), "roll_back");
  EXPECT_EQ(by_section["change"][2].at("review"), by_section["change"][0].at("review"));
  EXPECT_EQ(text_of(by_section["role"].back().at("subject"), "displayName"), "vic");
  const json::value& end = by_section["end"][0];
  EXPECT_EQ(end.at("details").at("lines").at("change").as_int64(), 3);
  EXPECT_TRUE(journal::note_from_text(text_of(end.at("details"), "checkpoint")).ok());

  // Periods that follow one another miss nothing and count nothing twice.
  const std::string at = text_of(change, "time");
  EXPECT_EQ(report("&until=" + at).size() + report("&since=" + at).size(), all.size() + 2);
  EXPECT_EQ(text_of(report("&since=" + at)[1], "release"), second);
  EXPECT_EQ(report("&environment=staging").size(), all.size() - 2) << "one change instead of three";
  // Words are for those who may read drafts.
  add_member("shop", "ann", "vic", "viewer");
  for (const json::value& line : report("", "vic")) {
    if (text_of(line, "section") == "change" && line.at("verdicts").is_array()) {
      EXPECT_TRUE(line.at("verdicts").at(0).at("comment").is_null());
    }
  }
}

}  // namespace
}  // namespace imprimatur::tests
