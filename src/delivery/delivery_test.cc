#include "delivery/delivery.h"

#include "domain/content.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <random>
#include <thread>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace imprimatur::delivery {
namespace {

Content content_of(const std::string& name, const std::string& semver, const std::string& text) {
  Content content;
  content.name = name;
  content.semver = semver;
  content.text = text;
  return content;
}

ServedVersion version_of(std::int64_t number, const Content& content, const std::string& release) {
  return {number, {release}, digest_of(content), canonical_content(content)};
}

ServedVersion simple(const std::string& name, std::int64_t number, const std::string& semver = "1.0.0") {
  const std::string text = "text " + std::to_string(number);
  return version_of(number, content_of(name, semver, text), "rel_" + std::to_string(number));
}

const ServedProject kProject{{"prj_1"}, "shop", {{{"env_p"}, "production"}, {{"env_s"}, "staging"}}};
constexpr EnvironmentIndex kProduction = 0, kStaging = 1;

std::string hashed(std::string_view key) { return "hash of " + std::string(key); }

void tell(Delivery& delivery, std::vector<Change> changes) {
  const Status status = delivery.apply(changes);
  ASSERT_TRUE(status.ok()) << status.error().detail;
}

// "<number> <reason>", or why not.
std::string look(const Snapshot& snapshot, EnvironmentIndex environment, std::string_view name,
                 const Selection& selection = {}) {
  const Found found = snapshot.find(environment, name, selection);
  if (found.answer != nullptr) {
    return std::to_string((*found.answer)->number()) + " " + std::string(name_of(found.reason));
  }
  switch (found.miss) {
    case Miss::nothing_live: return "nothing live";
    case Miss::no_such_version: return "no such version";
    case Miss::bad_version: return "bad version";
  }
  return {};
}

TEST(Answer, HasTheFieldsOfTheContractInTheirOrder) {
  Content content = content_of("support/\"reply\"", "1.2.0", "Dear {{name}},\n\u20ac \\ \"");
  content.variables = {{"name", VariableType::string, true, "", "who"}};
  content.model = ModelBinding{"acme", "m-1", 0.2, std::nullopt, 100};
  content.config = "{\"a\":{\"b\":[1,\"}\"]}}";
  const auto answer = *Answer::make(version_of(7, content, "rel_x"), "production");
  EXPECT_EQ(
      answer->body(),
      "{\"name\":\"support/\\\"reply\\\"\",\"version\":7,\"semver\":\"1.2.0\",\"digest\":\"" +
          digest_of(content) +
          "\",\"environment\":\"production\",\"type\":\"text\","
          "\"content\":\"Dear {{name}},\\n\u20ac \\\\ \\\"\",\"messages\":null,"
          "\"variables\":[{\"default\":null,\"description\":\"who\",\"name\":\"name\",\"required\":true,"
          "\"type\":\"string\"}],\"model\":{\"maxTokens\":100,\"name\":\"m-1\",\"provider\":\"acme\","
          "\"temperature\":0.2,\"topP\":null}"
          ",\"config\":{\"a\":{\"b\":[1,\"}\"]}},\"tools\":null,\"outputSchema\":null,"
          "\"variant\":null,\"reason\":\"live\",\"release\":\"rel_x\"}");
  EXPECT_EQ(boost::json::parse(answer->body()).at("content").as_string(), content.text);
  EXPECT_EQ(answer->name(), content.name);
  EXPECT_EQ(answer->semver(), "1.2.0");
  EXPECT_EQ(answer->digest(), digest_of(content));
  EXPECT_EQ(answer->release(), "rel_x");
  EXPECT_EQ(answer->head(), "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
                                std::to_string(answer->body().size()) + "\r\nETag: " +
                                std::string(answer->etag()) + "\r\nCache-Control: private, no-cache\r\n");
}

TEST(Answer, ChatsAndOtherReasons) {
  Content content;
  content.name = "chat";
  content.semver = "0.1.0";
  content.type = ContentType::chat;
  content.messages = {{MessageRole::system, "be kind"}, {MessageRole::user, "{{question}}"}};
  content.variables = {{"question"}};
  const auto answer = *Answer::make(version_of(1, content, "rel_1"), "staging");
  const auto live = boost::json::parse(answer->body());
  EXPECT_TRUE(live.at("content").is_null());
  EXPECT_EQ(live.at("messages").at(1).at("content"), "{{question}}");
  std::string head, body, etag;
  append_answer(*answer, Reason::version, head, body, etag);
  auto pinned = boost::json::parse(body);
  EXPECT_EQ(pinned.at("reason"), "version");
  pinned.at("reason") = "live";
  EXPECT_EQ(pinned, live);
  EXPECT_NE(etag, answer->etag());
  EXPECT_NE(head.find("Content-Length: " + std::to_string(body.size()) + "\r\n"), std::string::npos);
  const auto filled = rendered(*answer, Reason::live, {{"question", "why \"{{x}}\"?"}});
  ASSERT_TRUE(filled.ok()) << filled.error().detail;
  const auto document = boost::json::parse(*filled);
  EXPECT_EQ(document.at("messages").at(1).at("content"), "why \"{{x}}\"?");
  EXPECT_EQ(document.at("release"), "rel_1");
  EXPECT_EQ(rendered(*answer, Reason::live, {}).error().code, ErrorCode::unprocessable);
}

TEST(Answer, TagsFollowWhatIsSaid) {
  const ServedVersion version = simple("a", 1);
  const auto tag = [](const ServedVersion& served, const char* environment) {
    return std::string((*Answer::make(served, environment))->etag());
  };
  EXPECT_EQ(tag(version, "production"), tag(version, "production"));
  EXPECT_NE(tag(version, "production"), tag(version, "staging"));
  ServedVersion again = version;
  again.release = {"rel_other"};
  EXPECT_NE(tag(version, "production"), tag(again, "production"));
  const auto moved = (*Answer::make(version, "production"))->with_release({"rel_other"});
  EXPECT_EQ(moved->body(), (*Answer::make(again, "production"))->body());
  EXPECT_EQ(moved->etag(), tag(again, "production"));
}

TEST(Delivery, ServesOnlyWhatIsOrWasLive) {
  Delivery delivery(hashed);
  tell(delivery,
       {kProject, ServedArtifact{{"env_p"}, "a", 3, {simple("a", 1, "1.0.0"), simple("a", 3, "1.2.0")}, {}}});
  const auto snapshot = delivery.snapshots().get();
  EXPECT_EQ(look(*snapshot, kProduction, "a"), "3 live");
  EXPECT_EQ(look(*snapshot, kProduction, "a", {.version = "1"}), "1 version");
  EXPECT_EQ(look(*snapshot, kProduction, "a", {.version = "2"}), "no such version");
  EXPECT_EQ(look(*snapshot, kProduction, "a", {.version = "99999999999999999999"}), "no such version");
  EXPECT_EQ(look(*snapshot, kStaging, "a"), "nothing live");
  EXPECT_EQ(look(*snapshot, kStaging, "a", {.version = "1"}), "no such version");
  EXPECT_EQ(look(*snapshot, kProduction, "A"), "nothing live");
  // Retired where it was live: the other one stays reachable by number, and nothing is live.
  tell(delivery, {ServedArtifact{{"env_p"}, "a", 0, {simple("a", 1, "1.0.0")}, {}}});
  EXPECT_EQ(look(*delivery.snapshots().get(), kProduction, "a"), "nothing live");
  EXPECT_EQ(look(*delivery.snapshots().get(), kProduction, "a", {.version = "3"}), "no such version");
  EXPECT_EQ(look(*delivery.snapshots().get(), kProduction, "a", {.version = "1"}), "1 version");
  tell(delivery, {ServedArtifact{{"env_p"}, "a", 0, {}, {}}});
  EXPECT_EQ(look(*delivery.snapshots().get(), kProduction, "a", {.version = "1"}), "no such version");
  EXPECT_EQ(look(*snapshot, kProduction, "a"), "3 live") << "who holds a snapshot keeps it";
}

TEST(Delivery, RangesPickTheNewestThatFits) {
  Delivery delivery(hashed);
  tell(delivery, {kProject, ServedArtifact{{"env_p"},
                                           "a",
                                           2,
                                           {simple("a", 1, "1.2.0"), simple("a", 2, "1.10.1"),
                                            simple("a", 4, "2.0.0"), simple("a", 5, "1.9.9")},
                                           {}}});
  const auto snapshot = delivery.snapshots().get();
  const std::pair<const char*, const char*> table[] = {
      {"^1.2", "2 version"},          {"~1.2", "1 version"}, {"1.x", "2 version"},
      {">=2", "4 version"},           {"*", "4 version"},    {"^3", "no such version"},
      {"not a range", "bad version"}, {"1.9.9", "5 version"}};
  for (const auto& [range, expected] : table) {
    EXPECT_EQ(look(*snapshot, kProduction, "a", {.version = range}), expected) << range;
  }
  EXPECT_EQ(look(*snapshot, kProduction, "b", {.version = "^1"}), "no such version");
  EXPECT_EQ(look(*snapshot, kProduction, "b", {.version = "nope"}), "bad version");
}

TEST(Delivery, WhatWasRolledBackIsGivenToNobodyWhoDoesNotNameIt) {
  Delivery delivery(hashed);
  const ServedVersion one = simple("a", 1, "1.0.0");
  ServedVersion two = simple("a", 2, "1.1.0");
  const std::vector<ServedLabel> labels{{"tested", 2}};
  const auto looks = [&](const Selection& selection) {
    return look(*delivery.snapshots().get(), kProduction, "a", selection);
  };
  tell(delivery, {kProject, ServedArtifact{{"env_p"}, "a", 2, {one, two}, labels}});
  EXPECT_EQ(looks({.version = "^1"}), "2 version");
  two.rolled_back = true;
  tell(delivery, {ServedArtifact{{"env_p"}, "a", 1, {one, two}, labels}});
  EXPECT_EQ(looks({}), "1 live");
  EXPECT_EQ(looks({.label = "latest"}), "1 label");
  for (const char* range : {"^1", "1.x", "*", ">=1"}) EXPECT_EQ(looks({.version = range}), "1 version");
  EXPECT_EQ(looks({.version = ">1.0.0"}), "no such version");
  EXPECT_EQ(looks({.version = "2"}), "2 version");
  EXPECT_EQ(looks({.version = "1.1.0"}), "2 version");
  EXPECT_EQ(looks({.label = "tested"}), "2 label");
  // The one it went back to is retired: still nobody is given it.
  tell(delivery, {ServedArtifact{{"env_p"}, "a", 0, {two}, labels}});
  EXPECT_EQ(looks({.label = "latest"}), "no such version");
  EXPECT_EQ(looks({.version = "^1"}), "no such version");
  // Live again, and superseded after that.
  two.rolled_back = false;
  tell(delivery, {ServedArtifact{{"env_p"}, "a", 2, {one, two}, labels}});
  EXPECT_EQ(looks({.version = "^1"}), "2 version");
  tell(delivery, {ServedArtifact{{"env_p"}, "a", 1, {one, two}, labels}});
  EXPECT_EQ(looks({.label = "latest"}), "2 label");
}

TEST(Delivery, LabelsResolveOnlyToWhatIsReachable) {
  Delivery delivery(hashed);
  tell(delivery,
       {kProject,
        ServedArtifact{{"env_p"}, "a", 2, {simple("a", 1), simple("a", 2)}, {{"tested", 1}, {"draft", 9}}},
        ServedArtifact{{"env_s"}, "a", 3, {simple("a", 1), simple("a", 3)}, {{"tested", 1}}}});
  const auto snapshot = delivery.snapshots().get();
  EXPECT_EQ(look(*snapshot, kProduction, "a", {.label = "tested"}), "1 label");
  EXPECT_EQ(look(*snapshot, kProduction, "a", {.label = "draft"}), "no such version");
  EXPECT_EQ(look(*snapshot, kProduction, "a", {.label = "unknown"}), "no such version");
  EXPECT_EQ(look(*snapshot, kProduction, "a", {.label = "latest"}), "2 label");
  EXPECT_EQ(look(*snapshot, kStaging, "a", {.label = "latest"}), "3 label");
  EXPECT_EQ(look(*snapshot, kProduction, "a", {.label = "production"}), "2 label");
  EXPECT_EQ(look(*snapshot, kProduction, "a", {.label = "staging"}), "no such version")
      << "3 was never live here";
  EXPECT_EQ(look(*snapshot, kStaging, "a", {.label = "production"}), "no such version");
}

TEST(Delivery, VersionsThatItHoldsNeedNoContent) {
  Delivery delivery(hashed);
  const ServedVersion first = simple("a", 1);
  tell(delivery, {kProject, ServedArtifact{{"env_p"}, "a", 1, {first}, {}}});
  const auto before = *delivery.snapshots().get()->find(kProduction, "a").answer;
  ServedVersion bare = first;
  bare.content.clear();
  tell(delivery, {ServedArtifact{{"env_p"}, "a", 2, {bare, simple("a", 2)}, {}}});
  EXPECT_EQ(*delivery.snapshots().get()->find(kProduction, "a", {.version = "1"}).answer, before)
      << "shared, not made";
  bare.release = {"rel_again"};
  tell(delivery, {ServedArtifact{{"env_p"}, "a", 1, {bare}, {}}});
  EXPECT_EQ((*delivery.snapshots().get()->find(kProduction, "a").answer)->release(), "rel_again");
}

TEST(Delivery, ABadChangePublishesNothing) {
  Delivery delivery(hashed);
  tell(delivery, {kProject, ServedArtifact{{"env_p"}, "a", 1, {simple("a", 1)}, {}}});
  const auto before = delivery.snapshots().get();
  ServedVersion garbage{2, {"rel_2"}, digest_of_canonical("{\"content\": 1}"), "{\"content\": 1}"};
  const std::vector<Change> bad = {ServedArtifact{{"env_none"}, "a", 1, {simple("a", 1)}, {}},
                                   ServedArtifact{{"env_p"}, "a", 2, {simple("a", 1)}, {}},
                                   ServedArtifact{{"env_p"}, "a", 2, {garbage}, {}},
                                   ServedArtifact{{"env_p"}, "b", 1, {simple("a", 1)}, {}}};
  for (const Change& change : bad) {
    EXPECT_FALSE(delivery.apply({ServedArtifact{{"env_p"}, "c", 1, {simple("c", 1)}, {}}, change}).ok());
    EXPECT_EQ(delivery.snapshots().get(), before);
  }
}

TEST(Delivery, ContentThatDoesNotHaveItsDigestIsNotServed) {
  Delivery delivery(hashed);
  const auto altered = [](ServedVersion version) {
    version.content.replace(version.content.find("text"), 4, "EVIL");
    return version;
  };
  tell(delivery, {kProject, ServedArtifact{{"env_p"}, "a", 2, {simple("a", 1), altered(simple("a", 2))}, {}},
                  ServedArtifact{{"env_p"}, "b", 1, {altered(simple("b", 1))}, {}},
                  ServedArtifact{{"env_p"}, "c", 1, {simple("c", 1)}, {}}});
  const auto snapshot = delivery.snapshots().get();
  EXPECT_EQ(look(*snapshot, kProduction, "a"), "nothing live");
  EXPECT_EQ(look(*snapshot, kProduction, "a", {.version = "2"}), "no such version");
  EXPECT_EQ(look(*snapshot, kProduction, "a", {.version = "1"}), "1 version");
  EXPECT_EQ(look(*snapshot, kProduction, "b"), "nothing live");
  EXPECT_EQ(look(*snapshot, kProduction, "c"), "1 live");
  EXPECT_EQ(delivery.altered_contents(), 2u);
  // Restored in the store, it is served again.
  tell(delivery, {ServedArtifact{{"env_p"}, "b", 1, {simple("b", 1)}, {}}});
  EXPECT_EQ(look(*delivery.snapshots().get(), kProduction, "b"), "1 live");
  // And what was taken into memory as it was approved stays that, whatever becomes of the row.
  tell(delivery, {ServedArtifact{{"env_p"}, "c", 1, {altered(simple("c", 1))}, {}}});
  EXPECT_EQ(look(*delivery.snapshots().get(), kProduction, "c"), "1 live");
}

TEST(Delivery, WhatIncludesSomethingIsServedWithItInPlaceOrNotAtAll) {
  Delivery delivery(hashed);
  Content content = content_of("reply", "1.0.0", "{{> tone}} {{question}}");
  content.layers = {{"tone", "^1"}};
  content.lock = {{"tone", 1, "sha256:" + std::string(64, 'a')}};
  content.variables = {{"question"}};
  Content effective = content;
  effective.text = "Be kind. {{question}}";
  ServedVersion whole = version_of(1, content, "rel_1");
  tell(delivery, {kProject, ServedArtifact{{"env_p"}, "reply", 1, {whole}, {}}});
  EXPECT_EQ(look(*delivery.snapshots().get(), kProduction, "reply"), "nothing live");
  EXPECT_EQ(delivery.altered_contents(), 1u);
  whole.effective = canonical_content(effective);
  tell(delivery, {ServedArtifact{{"env_p"}, "reply", 1, {whole}, {}}});
  const auto snapshot = delivery.snapshots().get();
  const auto answer = *snapshot->find(kProduction, "reply").answer;
  EXPECT_EQ(boost::json::parse(answer->body()).at("content").as_string(), effective.text);
  EXPECT_EQ(answer->digest(), digest_of(content));
  const auto filled = rendered(*answer, Reason::live, {{"question", "Why?"}});
  ASSERT_TRUE(filled.ok());
  EXPECT_EQ(boost::json::parse(*filled).at("content"), "Be kind. Why?");
  // A config may hold a member of that name.
  Content plain = content_of("plain", "1.0.0", "x");
  plain.config = R"({"lock":[{"a":1}]})";
  tell(delivery, {ServedArtifact{{"env_p"}, "plain", 1, {version_of(1, plain, "rel_2")}, {}}});
  EXPECT_EQ(look(*delivery.snapshots().get(), kProduction, "plain"), "1 live");
}

TEST(Delivery, KeysComeAndGo) {
  Delivery delivery(hashed);
  ServedKey key{{"key_1"}, {"svc_1"}, {"prj_1"}, {}, {Scope::runtime_read}, Time{1000}, hashed("imp_a")};
  tell(delivery, {key});
  EXPECT_FALSE(delivery.snapshots().get()->key(hashed("imp_a"))->standard) << "its project is not there yet";
  tell(delivery, {kProject});
  auto snapshot = delivery.snapshots().get();
  const Key* found = snapshot->key(hashed("imp_a"));
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->standard, kProduction);
  EXPECT_FALSE(found->bound);
  EXPECT_EQ(found->expires_at, Time{1000});
  EXPECT_TRUE(found->may(Scope::runtime_read));
  EXPECT_FALSE(found->may(Scope::prompts_write));
  const auto version = snapshot->access_version;
  tell(delivery, {ServedArtifact{{"env_p"}, "a", 1, {simple("a", 1)}, {}}});
  EXPECT_EQ(delivery.snapshots().get()->access_version, version) << "a release leaves remembered keys alone";
  EXPECT_EQ(delivery.snapshots().get()->key(hashed("imp_a")), found);
  key.environment = {"env_s"};
  tell(delivery, {key});
  EXPECT_EQ(delivery.snapshots().get()->key(hashed("imp_a"))->bound, kStaging);
  EXPECT_NE(delivery.snapshots().get()->access_version, version);
  tell(delivery, {RevokedKey{{"key_1"}}});
  EXPECT_EQ(delivery.snapshots().get()->key(hashed("imp_a")), nullptr);
  EXPECT_EQ(delivery.snapshots().get()->key(hashed("imp_b")), nullptr);
}

TEST(Delivery, ADisabledAccountLosesAllItsKeysAndNoOther) {
  Delivery delivery(hashed);
  const auto key = [](const char* id, const char* account) {
    return ServedKey{{id}, {account}, {"prj_1"}, {}, {Scope::runtime_read}, std::nullopt, hashed(id)};
  };
  tell(delivery, {kProject, key("key_1", "svc_1"), key("key_2", "svc_1"), key("key_3", "svc_2")});
  const auto version = delivery.snapshots().get()->access_version;
  tell(delivery, {DisabledAccount{{"svc_1"}}});
  const auto after = delivery.snapshots().get();
  EXPECT_EQ(after->key(hashed("key_1")), nullptr);
  EXPECT_EQ(after->key(hashed("key_2")), nullptr);
  EXPECT_NE(after->key(hashed("key_3")), nullptr);
  EXPECT_NE(after->access_version, version);
}

TEST(Delivery, WhatAReplacementDoesNotMentionIsGone) {
  Delivery delivery(hashed);
  const ServedKey key{{"key_1"}, {"svc_1"}, {"prj_1"}, {}, {Scope::runtime_read}, std::nullopt, hashed("k")};
  const ServedProject other{{"prj_2"}, "other", {{{"env_o"}, "production"}}};
  tell(delivery, {kProject, other, key, ServedArtifact{{"env_p"}, "gone", 1, {simple("gone", 1)}, {}},
                  ServedArtifact{{"env_p"}, "kept", 1, {simple("kept", 1)}, {}}});
  const auto before = delivery.snapshots().get();
  const auto* const answer = before->entry(kProduction, "kept")->live.get();

  EXPECT_FALSE(delivery.replace([&](const Delivery::Tell&) -> Status { return unavailable("no"); }).ok());
  EXPECT_EQ(delivery.snapshots().get(), before) << "a replacement that fails changes nothing";

  const Status done = delivery.replace([&](const Delivery::Tell& tell_part) -> Status {
    TRY(tell_part({kProject}));
    TRY(tell_part({ServedArtifact{{"env_p"}, "kept", 1, {simple("kept", 1)}, {}}}));
    EXPECT_EQ(delivery.snapshots().get(), before) << "nothing is seen before all is told";
    return Ok{};
  });
  ASSERT_TRUE(done.ok()) << done.error().detail;
  const auto after = delivery.snapshots().get();
  EXPECT_EQ(after->key(hashed("k")), nullptr);
  EXPECT_EQ(look(*after, kProduction, "gone"), "nothing live");
  EXPECT_EQ(look(*after, kProduction, "kept"), "1 live");
  EXPECT_EQ(after->entry(kProduction, "kept")->live.get(), answer) << "the answer was made twice";
  EXPECT_FALSE(after->directory->find("prj_2", "production"));
  EXPECT_EQ(after->directory->find("prj_1", "production"), kProduction) << "indexes stay";
  EXPECT_GT(after->sequence, before->sequence);
  EXPECT_GT(after->access_version, before->access_version);
}

TEST(Delivery, WhatFitsNowhereKeepsNothingElseOutOfAReplacement) {
  Delivery delivery(hashed);
  const Status done = delivery.replace([&](const Delivery::Tell& tell_part) -> Status {
    return tell_part({kProject, ServedArtifact{{"env_unheard"}, "a", 1, {simple("a", 1)}, {}},
                      ServedArtifact{{"env_p"}, "b", 1, {simple("another", 1)}, {}},
                      ServedArtifact{{"env_p"}, "c", 2, {simple("c", 1)}, {}},
                      ServedArtifact{{"env_p"}, "kept", 1, {simple("kept", 1)}, {}}});
  });
  ASSERT_TRUE(done.ok()) << done.error().detail;
  const auto after = delivery.snapshots().get();
  for (const char* name : {"a", "b", "another", "c"})
    EXPECT_EQ(look(*after, kProduction, name), "nothing live");
  EXPECT_EQ(look(*after, kProduction, "kept"), "1 live");
  EXPECT_EQ(delivery.altered_contents(), 3u);
}

TEST(Delivery, LastUsesAreCollected) {
  Delivery delivery(hashed);
  LastUses& first = delivery.new_last_uses();
  LastUses& second = delivery.new_last_uses();
  first.note({"key_1"}, Time{5});
  second.note({"key_1"}, Time{9});
  second.note({"key_2"}, Time{1});
  const auto uses = delivery.take_last_uses();
  EXPECT_EQ(uses.size(), 2u);
  EXPECT_EQ(uses.at({"key_1"}), Time{9});
  EXPECT_TRUE(delivery.take_last_uses().empty());
}

// Against a map that knows nothing of hashes, nodes or sharing.
TEST(Delivery, AgreesWithAPlainMap) {
  const unsigned seed = std::random_device()();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937 random(seed);
  const auto below = [&](unsigned n) { return random() % n; };
  Delivery delivery(hashed);
  tell(delivery, {kProject});
  struct Known {
    std::int64_t live = 0;
    std::vector<std::int64_t> versions;
  };
  std::map<std::pair<EnvironmentIndex, std::string>, Known> model;
  for (int step = 0; step < 1500; ++step) {
    const EnvironmentIndex environment = below(2);
    const std::string name = "folder/" + std::to_string(below(300));
    ServedArtifact artifact{{environment == kProduction ? "env_p" : "env_s"}, name, 0, {}, {}};
    Known known;
    for (std::int64_t number = 1; number <= static_cast<std::int64_t>(below(4)); ++number) {
      if (below(3) == 0) continue;
      artifact.versions.push_back(simple(name, number));
      known.versions.push_back(number);
    }
    if (!known.versions.empty() && below(4) != 0) known.live = known.versions[below(known.versions.size())];
    artifact.live = known.live;
    std::shuffle(artifact.versions.begin(), artifact.versions.end(), random);
    tell(delivery, {artifact});
    model.erase({environment, name});
    if (!known.versions.empty()) model[{environment, name}] = known;
    if (step % 100 != 99) continue;
    const auto snapshot = delivery.snapshots().get();
    std::size_t entries = 0;
    snapshot->entries.for_each([&](const Entry&) { ++entries; });
    EXPECT_EQ(entries, model.size());
    for (EnvironmentIndex where : {kProduction, kStaging}) {
      for (int i = 0; i < 300; ++i) {
        const std::string each = "folder/" + std::to_string(i);
        const auto expected = model.find({where, each});
        const bool there = expected != model.end();
        const std::int64_t live = there ? expected->second.live : 0;
        ASSERT_EQ(look(*snapshot, where, each), live == 0 ? "nothing live" : std::to_string(live) + " live");
        for (std::int64_t number = 1; number < 4; ++number) {
          const bool reachable = there && std::count(expected->second.versions.begin(),
                                                     expected->second.versions.end(), number) > 0;
          ASSERT_EQ(look(*snapshot, where, each, {.version = std::to_string(number)}),
                    reachable ? std::to_string(number) + " version" : "no such version");
        }
      }
    }
  }
}

TEST(Delivery, ReadersSeeWholeChangesWhileOthersPublish) {
  Delivery delivery(hashed);
  const auto both = [](std::int64_t number) -> std::vector<Change> {
    return {ServedArtifact{{"env_p"}, "left", number, {simple("left", number)}, {}},
            ServedArtifact{{"env_p"}, "right", number, {simple("right", number)}, {}}};
  };
  tell(delivery, {kProject});
  tell(delivery, both(1));
  std::atomic<bool> done{false};
  std::atomic<std::int64_t> published{1};
  std::atomic<int> torn{0}, late{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      Published<Snapshot>::Reader reader(delivery.snapshots());
      LastUses& uses = delivery.new_last_uses();
      while (!done) {
        const std::int64_t at_least = published;
        const Snapshot& snapshot = reader.get();
        const std::int64_t left = (*snapshot.find(kProduction, "left").answer)->number();
        if (left != (*snapshot.find(kProduction, "right").answer)->number()) ++torn;
        if (left < at_least) ++late;
        uses.note({"key"}, Time{left});
      }
    });
  }
  for (std::int64_t number = 2; number < 300; ++number) {
    tell(delivery, both(number));
    published = number;
    if (number % 50 == 0) delivery.take_last_uses();
  }
  done = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(torn, 0);
  EXPECT_EQ(late, 0) << "what was published before a look is seen by it";
}

}  // namespace
}  // namespace imprimatur::delivery
