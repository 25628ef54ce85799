#include "journal/story_test.h"

#include "base/json.h"

#include <boost/json.hpp>

namespace imprimatur::journal {
namespace {

std::string canonical(const std::string& text) { return canonical_json(parse_json(text).value()).value(); }

// Writes #word for the digest of word.
std::string with_digests(std::string text) {
  for (std::size_t at = text.find('#'); at != std::string::npos; at = text.find('#', at)) {
    const std::size_t end = text.find('"', at);
    text.replace(at, end - at, sha(text.substr(at + 1, end - at - 1)));
  }
  return canonical(text);
}

}  // namespace

std::string sha(std::string_view text) { return "sha256:" + to_hex(sha256(text)); }

std::vector<std::string> members_of(const std::string& details) {
  std::vector<std::string> out;
  const boost::json::value parsed = parse_json(details).value();
  for (const auto& member : parsed.get_object()) out.emplace_back(member.key());
  return out;
}

std::string without(const std::string& details, const std::string& member) {
  auto object = parse_json(details).value().get_object();
  object.erase(member);
  return canonical_json(boost::json::value(object)).value();
}

std::vector<Entry> chained(const std::string& journal, const std::vector<Told>& story) {
  std::vector<Entry> out;
  Entry entry;
  entry.journal = journal;
  entry.time = {1'700'000'000'000'000};
  for (const Told& told : story) {
    entry.seq += 1;
    entry.time = entry.time + seconds(1);
    entry.event = {told.action, "about:it", told.details, {told.actor}};
    entry.previous = entry.hash;
    entry.hash = hash_of(entry);
    out.push_back(entry);
  }
  return out;
}

std::vector<Told> organisation_story(std::string_view public_key) {
  return {
      {"organisation.created", "system", R"({"signingKey":")" + sha(public_key) + R"("})"},
      {"user.created", "system",
       with_digests(R"({"organisationAdmin":true,"user":"usr_a","person":"#ann","passwordDigest":"#1"})")},
      {"user.created", "usr_a",
       with_digests(R"({"organisationAdmin":false,"user":"usr_b","person":"#bob","passwordDigest":"#2"})")},
      {"user.changed", "usr_a",
       with_digests(R"({"disabled":true,"organisationAdmin":false,"person":"#bob","sessionsRevoked":0,)"
                    R"("user":"usr_b"})")},
      {"user.password_changed", "usr_a",
       with_digests(R"({"user":"usr_b","passwordDigest":"#3","sessionsRevoked":0})")},
      {"login.failed", "anonymous", R"({"reason":"unknown","user":null})"},
      {"witness.added", "usr_a", with_digests(R"({"keyDigest":"#key","witness":"wit_1"})")},
      {"witness.added", "usr_a", with_digests(R"({"keyDigest":"#other key","witness":"wit_2"})")},
      {"witness.removed", "usr_a", R"({"witness":"wit_1"})"},
      {"project.registered", "usr_a", R"({"nameDigest":")" + sha("demo") + R"(","project":"prj_1"})"},
  };
}

std::vector<Told> project_story() {
  std::vector<Told> story = {
      {"project.created", "usr_a", R"({"project":"prj_1","nameDigest":"#demo"})"},
      {"member.changed", "usr_a", R"({"user":"usr_a","role":"admin","previousRole":null,"teams":[]})"},
      {"environment.changed", "usr_a",
       R"({"environment":"env_1","nameDigest":"#production","order":3,"protectionVersion":1,"protectionDigest":"#p1",)"
       R"("weakened":false,"proposedBy":null})"},
      {"team.created", "usr_a", R"({"team":"tea_1","nameDigest":"#safety"})"},
      {"member.changed", "usr_a",
       R"({"user":"usr_b","role":"reviewer","previousRole":null,"teams":["tea_1"]})"},
      {"service_account.created", "usr_a",
       R"({"serviceAccount":"svc_1","owner":"usr_a","nameDigest":"#bot"})"},
      {"key.created", "usr_a",
       R"({"key":"key_1","serviceAccount":"svc_1","owner":"usr_a","nameDigest":"#bot","hashDigest":"#key",)"
       R"("scopes":["runtime:read","prompts:read"],)"
       R"("environment":"env_1","expiresAt":null})"},
      {"artifact.created", "usr_a",
       R"({"artifact":"art_1","kind":"prompt","type":"text","nameDigest":"#support/reply"})"},
      {"version.saved", "usr_a",
       R"({"artifact":"art_1","number":1,"digest":"#one","author":"usr_a","accountable":null,"base":null,"message":"#m1",)"
       R"("origin":"saved"})"},
      {"scan.recorded", "usr_a",
       R"({"scan":"scn_1","artifact":"art_1","version":1,"digest":"#one","status":"pass","scoreTenths":0,)"
       R"("critical":0,"ruleset":"#rules","report":"#report"})"},
      {"review.submitted", "usr_a",
       R"({"review":"rev_1","comment":"#please","environment":"env_1","cycle":1,"protectionVersion":1,)"
       R"("items":[{"artifact":"art_1","version":1,"digest":"#one","base":null}],)"
       R"("moves":[{"artifact":"art_1","version":1,"from":"draft","to":"in_review","reason":null}]})"},
      {"review.commented", "usr_b", R"({"review":"rev_1","comment":"com_1","text":"#hm"})"},
      {"verdict.given", "usr_b",
       R"({"review":"rev_1","cycle":1,"person":"usr_b","verdict":"request_changes","environment":"env_1",)"
       R"("itemsDigest":"#i1","baseDigest":"#b1","protectionVersion":1,"comment":"#yes"})"},
      {"review.moved", "usr_a",
       R"({"review":"rev_1","environment":"env_1","cycle":2,"protectionVersion":1,)"
       R"("items":[{"artifact":"art_1","version":1,"digest":"#one","base":null}],"moves":[]})"},
      {"verdict.given", "usr_b",
       R"({"review":"rev_1","cycle":2,"person":"usr_b","verdict":"approve","environment":"env_1",)"
       R"("itemsDigest":"#i1","baseDigest":"#b1","protectionVersion":1,"comment":"#yes"})"},
      {"review.approved", "usr_b",
       R"({"review":"rev_1","cycle":2,"protectionVersion":1,)"
       R"("items":[{"artifact":"art_1","version":1,"digest":"#one","base":null}],)"
       R"("moves":[{"artifact":"art_1","version":1,"from":"in_review","to":"approved","reason":null}]})"},
      {"release.created", "usr_a",
       R"({"release":"rel_1","changeSet":"chs_1","environment":"env_1","artifact":"art_1","version":1,)"
       R"("digest":"#one","review":"rev_1","replaced":null,"previous":null,"rollout":null,"protectionVersion":1,)"
       R"("gate":"#gate","reason":"#why","moves":[{"artifact":"art_1","version":1,"from":"approved","to":"deployed","reason":null}]})"},
      {"review.deployed", "usr_a", R"({"review":"rev_1","cycle":2,"changeSet":"chs_1"})"},
      {"environment.proposed", "usr_a", R"({"environment":"env_1","order":3,"protectionDigest":"#p2"})"},
      {"environment.changed", "usr_b",
       R"({"environment":"env_1","nameDigest":"#production","order":3,"protectionVersion":2,"protectionDigest":"#p2",)"
       R"("weakened":true,"proposedBy":"usr_a"})"},
      {"version.saved", "svc_1",
       R"({"artifact":"art_1","number":2,"digest":"#two","author":"svc_1","accountable":"usr_a","base":1,"message":"#m2",)"
       R"("origin":"imported"})"},
      {"release.created", "usr_a",
       R"({"release":"rel_2","changeSet":"chs_2","environment":"env_1","artifact":"art_1","version":2,)"
       R"("digest":"#two","review":null,"replaced":"rel_1","previous":"rel_1","rollout":null,"protectionVersion":2,)"
       R"("gate":"#gate","reason":"#why","moves":[{"artifact":"art_1","version":1,"from":"deployed","to":"archived",)"
       R"("reason":"superseded"},{"artifact":"art_1","version":2,"from":"draft","to":"deployed","reason":null}]})"},
      {"release.rolled_back", "usr_b",
       R"({"release":"rel_3","changeSet":"chs_3","environment":"env_1","artifact":"art_1","version":1,)"
       R"("digest":"#one","review":"rev_1","replaced":"rel_2","restores":"rel_1","previous":null,"rollout":null,)"
       R"("protectionVersion":1,"gate":"#gate","reason":"#why","moves":[{"artifact":"art_1","version":2,"from":"deployed",)"
       R"("to":"archived","reason":"rolled_back"},{"artifact":"art_1","version":1,"from":"archived",)"
       R"("to":"deployed","reason":null}]})"},
      {"label.moved", "usr_a", R"({"artifact":"art_1","label":"stable","version":2,"previous":null})"},
      {"label.moved", "usr_a", R"({"artifact":"art_1","label":"gone","version":1,"previous":null})"},
      {"label.moved", "usr_a", R"({"artifact":"art_1","label":"gone","version":null,"previous":1})"},
      {"version.retired", "usr_b",
       R"({"artifact":"art_1","version":2,"digest":"#two","environment":"env_1","ended":null,"moves":[]})"},
      {"key.revoked", "usr_a", R"({"key":"key_1"})"},
      {"member.removed", "usr_a", R"({"user":"usr_b","previousRole":"reviewer"})"},
  };
  for (Told& told : story) told.details = with_digests(told.details);
  return story;
}

}  // namespace imprimatur::journal
