#include "domain/content.h"

#include "base/json.h"
#include "base/property_test.h"
#include "domain/name.h"
#include "domain/template.h"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <set>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace imprimatur {
namespace {

Content text_prompt(std::string text) {
  Content content;
  content.name = "support/reply";
  content.semver = "1.0.0";
  content.text = std::move(text);
  return content;
}

Content full_chat() {
  Content content;
  content.name = "support/chat";
  content.type = ContentType::chat;
  content.semver = "2.1.0-beta.1";
  content.messages = {{MessageRole::system, "You help {{customer}}.\n"},
                      {MessageRole::placeholder, "history"},
                      {MessageRole::user, "Grüße \U0001F600 {{ question }}"}};
  content.variables = {{"tone", VariableType::string, false, "\"warm\"", "How to sound"},
                       {"limit", VariableType::integer, false, "3", ""}};
  content.model = ModelBinding{"openai", "gpt-5", 0.2, 1.0, 800};
  content.config = R"({"z":1, "a":[1.0,2e3]})";
  content.tools = R"([{"name":"lookup"}])";
  content.output_schema = R"({"type":"object"})";
  content.layers = {{"shared/tone", "^1.2"}};
  content.lock = {{"shared/tone", 4, "sha256:" + std::string(64, 'a')}};
  return content;
}

Content checked(Content content) {
  auto result = checked_content(std::move(content));
  EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().detail);
  return result.ok() ? *result : Content{};
}

std::string refusal(Content content) {
  const auto result = checked_content(std::move(content));
  return result.ok() ? "accepted" : result.error().detail;
}

struct Vector {
  Content content;
  std::string canonical, digest;
};

std::vector<Vector> vectors() {
  Content policy = text_prompt(R"({ "limit" : 5 })");
  policy.kind = ArtifactKind::policy;
  // Canonical texts and digests made with Python's json and hashlib, so that nothing here agrees with itself.
  return {
      {text_prompt("Hello {{name}}\r\n\te\xCC\x81"),
       R"({"config":null,"content":"Hello {{name}}\r\n\té","kind":"prompt","layers":[],"lock":[],)"
       R"("messages":null,"model":null,"name":"support/reply","outputSchema":null,"semver":"1.0.0")"
       R"(,"tools":null,"type":"text","variables":[{"default":null,"description":null,"name":"name)"
       R"(","required":true,"type":"string"}]})",
       "sha256:c9742a1aa7aa158244317b34772f5669bc1b9adfde632443f712588a8da3a3e0"},
      {full_chat(),
       R"({"config":{"a":[1,2000],"z":1},"content":null,"kind":"prompt","layers":[{"name":"shared/)"
       R"(tone","range":"^1.2"}],"lock":[{"digest":"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa)"
       R"(aaaaaaaaaaaaaaaaaaaaaaaaa","name":"shared/tone","version":4}],"messages":[{"content":"Yo)"
       R"(u help {{customer}}.\n","role":"system"},{"content":"history","role":"placeholder"},{"co)"
       R"(ntent":"Grüße 😀 {{ question }}","role":"user"}],"model":{"maxTokens":800,"name":"gpt-5",)"
       R"("provider":"openai","temperature":0.2,"topP":1},"name":"support/chat","outputSchema":{"t)"
       R"(ype":"object"},"semver":"2.1.0-beta.1","tools":[{"name":"lookup"}],"type":"chat","variab)"
       R"(les":[{"default":"warm","description":"How to sound","name":"tone","required":false,"typ)"
       R"(e":"string"},{"default":3,"description":null,"name":"limit","required":false,"type":"int)"
       R"(eger"},{"default":null,"description":null,"name":"customer","required":true,"type":"stri)"
       R"(ng"},{"default":null,"description":null,"name":"history","required":true,"type":"message)"
       R"(s"},{"default":null,"description":null,"name":"question","required":true,"type":"string")"
       R"(}]})",
       "sha256:fa61566a9132648147ad5185845b9eac16994804deeed8f07ac420418d93c3b7"},
      {policy,
       R"({"config":null,"content":"{ \"limit\" : 5 }","kind":"policy","layers":[],"lock":[],"mess)"
       R"(ages":null,"model":null,"name":"support/reply","outputSchema":null,"semver":"1.0.0","too)"
       R"(ls":null,"type":"text","variables":[]})",
       "sha256:8c996b94eb27d8c0c804e2aabb5b2565d1a17dacd3659e7949ead91ba3ce312a"},
  };
}

// The digest is what verdicts, releases and other installations refer to: a change here breaks all of them.
TEST(Content, DigestsArePinned) {
  for (const Vector& vector : vectors()) {
    // A policy without rules is not taken any more; its format stands.
    const bool policy = vector.content.kind == ArtifactKind::policy;
    const Content content = policy ? vector.content : checked(vector.content);
    EXPECT_EQ(canonical_content(content), vector.canonical);
    EXPECT_EQ(digest_of(content), vector.digest);
  }
}

TEST(Content, EveryRealPromptIsAcceptedAndComesBackByteForByte) {
  const char* const named = std::getenv("IMPRIMATUR_PROMPTS");
  std::ifstream file(named == nullptr ? "" : named);
  if (!file) GTEST_SKIP() << "no real prompts here; IMPRIMATUR_PROMPTS names the file";
  std::string line;
  int count = 0;
  std::set<std::string> skeletons;
  while (std::getline(file, line)) {
    const auto row = parse_json(line);
    ASSERT_TRUE(row.ok()) << row.error().detail;
    const auto& fields = row->get_object();
    Content content = text_prompt(std::string(fields.at("content").get_string()));
    content.name = std::string(fields.at("name").get_string());
    const std::string text = content.text;
    const auto result = checked_content(content);
    if (!result.ok()) {
      ADD_FAILURE() << content.name << ": " << result.error().detail;
      continue;
    }
    EXPECT_EQ(result->text, text);
    const auto back = content_from_canonical(canonical_content(*result));
    ASSERT_TRUE(back.ok()) << back.error().detail;
    EXPECT_EQ(*back, *result);
    EXPECT_TRUE(skeletons.insert(skeleton_of(content.name)).second) << content.name;
    ++count;
  }
  EXPECT_GE(count, 3489);
}

struct Refusal {
  const char* says;  // the beginning
  void (*apply)(Content&);
};

// Each rule of checked_content, broken alone in a content that is good otherwise.
TEST(Content, RefusesEachBreachWithItsField) {
  const Refusal refusals[] = {
      {"name: the name is empty", [](Content& c) { c.name = ""; }},
      {"name: the name holds \"..\"", [](Content& c) { c.name = "a/../b"; }},
      {"semver: \"1\" is not", [](Content& c) { c.semver = "1"; }},
      {"semver: \"\" is not", [](Content& c) { c.semver = ""; }},
      {"content: a chat has messages instead", [](Content& c) { c.text = "x"; }},
      {"messages: a chat needs", [](Content& c) { c.messages.clear(); }},
      {"messages: are over 200",
       [](Content& c) {
         c.messages.resize(201, {MessageRole::user, "x"});
       }},
      {"messages: is over 262144",
       [](Content& c) { c.messages[0].content = std::string(kMaxTextBytes, 'x'); }},
      {"messages[0].content: is not UTF-8 at byte 1",
       [](Content& c) { c.messages[0].content = "a\xC0\x80"; }},
      {"messages[0].content: is not UTF-8", [](Content& c) { c.messages[0].content = "\xED\xA0\x80"; }},
      {"messages[0].content: holds U+0000",
       [](Content& c) { c.messages[0].content = std::string("a\0", 2); }},
      {"messages[2].content: line 1, column 2: \"{{a\"",
       [](Content& c) { c.messages[2].content = "x{{a\n"; }},
      {"messages[1].content: a placeholder's", [](Content& c) { c.messages[1].content = "two words"; }},
      {"messages[2].content: \"history\" stands", [](Content& c) { c.messages[2].content = "{{history}}"; }},
      {"variables: \"history\" stands",
       [](Content& c) {
         c.variables.push_back({"history", VariableType::array, true, "", ""});
       }},
      {"variables: \"question\" is of type messages",
       [](Content& c) {
         c.variables.push_back({"question", VariableType::messages, true, "", ""});
       }},
      {"variables[0].name: is not", [](Content& c) { c.variables[0].name = "9"; }},
      {"variables[1].name: \"tone\" is declared twice", [](Content& c) { c.variables[1].name = "tone"; }},
      {"variables[0].description: is over", [](Content& c) { c.variables[0].description.resize(2001, 'x'); }},
      {"variables[0].default: a required", [](Content& c) { c.variables[0].required = true; }},
      {"variables[0].default: is not of type string", [](Content& c) { c.variables[0].default_json = "1"; }},
      {"variables[0].default: is not of type string",
       [](Content& c) { c.variables[0].default_json = "null"; }},
      {"variables[0].default: not valid JSON", [](Content& c) { c.variables[0].default_json = "warm"; }},
      {"variables: are over 200", [](Content& c) { c.variables.resize(201); }},
      {"model.name: is empty", [](Content& c) { c.model->name = ""; }},
      {"model.temperature: must", [](Content& c) { c.model->temperature = 2.01; }},
      {"model.temperature: must", [](Content& c) { c.model->temperature = -0.1; }},
      {"model.temperature: must", [](Content& c) { c.model->temperature = std::nan(""); }},
      {"model.topP: must", [](Content& c) { c.model->top_p = 1.1; }},
      {"model.maxTokens: must", [](Content& c) { c.model->max_tokens = 0; }},
      {"config: must be an object", [](Content& c) { c.config = "[]"; }},
      {"config: not valid JSON", [](Content& c) { c.config = R"({"a":1,"a":2})"; }},
      {"config: an integer is beyond", [](Content& c) { c.config = R"({"a":9007199254740993})"; }},
      {"config: the document is over",
       [](Content& c) { c.config = "{\"a\":\"" + std::string(70'000, 'x') + "\"}"; }},
      {"tools: must be a list", [](Content& c) { c.tools = "{}"; }},
      {"outputSchema: must be an object", [](Content& c) { c.output_schema = "true"; }},
      {"layers: are over 50", [](Content& c) { c.layers.resize(51); }},
      {"layers[0].range: \"latest\" is not", [](Content& c) { c.layers[0].range = "latest"; }},
      {"layers[0].name: is the artifact itself", [](Content& c) { c.layers[0].name = c.name; }},
      {"layers[1].name: is there twice", [](Content& c) { c.layers.push_back(c.layers[0]); }},
      {"lock[0].version: must", [](Content& c) { c.lock[0].version = 0; }},
      {"lock[0].digest: is not", [](Content& c) { c.lock[0].digest = "sha256:AA"; }},
      {"lock[1].name: is there twice", [](Content& c) { c.lock.push_back(c.lock[0]); }},
  };
  for (const Refusal& refusal : refusals) {
    Content content = full_chat();
    refusal.apply(content);
    const auto result = checked_content(content);
    ASSERT_FALSE(result.ok()) << refusal.says;
    EXPECT_TRUE(result.error().detail.starts_with(refusal.says)) << result.error().detail << "\n"
                                                                 << refusal.says;
    EXPECT_EQ(result.error().fields.size(), 1U);
  }
}

TEST(Content, TextsAndPolicies) {
  EXPECT_EQ(refusal(text_prompt("")), "content: is empty");
  EXPECT_EQ(refusal(text_prompt(std::string(kMaxTextBytes, 'x'))), "accepted");
  const auto large = checked_content(text_prompt(std::string(kMaxTextBytes + 1, 'x')));
  ASSERT_FALSE(large.ok());
  EXPECT_EQ(large.error().code, ErrorCode::too_large);
}

TEST(Content, APolicyIsRulesWithTheirSchema) {
  Content policy = text_prompt("Words, with {{not a hole");
  policy.kind = ArtifactKind::policy;
  EXPECT_EQ(refusal(policy), "config: a policy needs its rules here, as an object");
  policy.config = R"({ "limit": 5 })";
  EXPECT_EQ(refusal(policy), "outputSchema: a policy needs the JSON Schema that its config obeys");
  policy.output_schema = R"({"properties":{"limit":{"maximum":5}}})";
  EXPECT_EQ(refusal(policy), "accepted");
  EXPECT_EQ(checked(policy).config, R"({"limit":5})");
  EXPECT_EQ(checked(policy).text, policy.text);
  EXPECT_TRUE(checked(policy).variables.empty());
  policy.text.clear();
  EXPECT_EQ(refusal(policy), "accepted");
  const auto refused = [&](auto change) {
    Content changed = policy;
    change(changed);
    return refusal(changed);
  };
  EXPECT_EQ(refused([](Content& c) { c.config = R"({"limit":6})"; }), "config: /limit must be at most 5");
  EXPECT_EQ(refused([](Content& c) { c.output_schema = R"({"pattern":"a"})"; }),
            "outputSchema: the schema at /pattern is a keyword that is not checked here; leave it out");
  EXPECT_EQ(refused([](Content& c) { c.config = R"({"allow":["x"],"deny":["x"]})"; }),
            "config: the rules do not agree: at the top support/reply allows \"x\", and support/reply denies "
            "\"x\"");
  EXPECT_EQ(refused([](Content& c) {
              c.variables.push_back({"a", VariableType::string, true, "", ""});
            }),
            "variables: a policy has none");
  EXPECT_EQ(refused([](Content& c) { c.type = ContentType::chat; }), "type: a policy is of type text");
  EXPECT_EQ(refused([](Content& c) { c.model = ModelBinding{.name = "gpt-5"}; }), "model: a policy has none");
  EXPECT_EQ(refused([](Content& c) { c.tools = "[]"; }), "tools: a policy has none");
  EXPECT_EQ(refused([](Content& c) { c.layers = {{"a", "*"}}; }), "layers: a policy includes nothing");
}

TEST(Content, JsonFieldsTakeTheirCanonicalForm) {
  Content content = full_chat();
  content.tools = "null";
  content.variables[0].default_json = " \"w\\u0061rm\" ";
  const Content result = checked(content);
  EXPECT_EQ(result.config, R"({"a":[1,2000],"z":1})");
  EXPECT_EQ(result.tools, "");
  EXPECT_EQ(result.variables[0].default_json, "\"warm\"");
}

std::string random_text(Random& random) {
  static const std::vector<std::string> pieces{
      "a",       "Ω",       "\U0001F600", "\n",   "\r\n", "\t",      "\"",     "\\",     "{{x}}",
      "{{ y }}", "\\{{z}}", "{ ",         "\x01", "\x7F", "e\u0301", "\u00E9", "\u2028", "</script>"};
  return "-" + random.text(pieces, 20);
}

Content random_content(Random& random) {
  Content content = random.one_in(2) ? full_chat() : text_prompt(random_text(random));
  for (Message& message : content.messages) {
    if (message.role != MessageRole::placeholder) message.content = random_text(random);
  }
  if (random.one_in(2)) content.model.reset();
  if (content.model) {
    content.model->temperature = static_cast<double>(random.below(2001)) / 1000;
    if (random.one_in(2)) content.model->provider.clear();
    if (random.one_in(2)) content.model->max_tokens.reset();
  }
  if (random.one_in(2)) content.variables.clear();
  for (Variable& variable : content.variables) {
    if (random.one_in(2)) variable.description = random_text(random);
    if (random.one_in(2)) variable.default_json.clear();
  }
  if (random.one_in(2))
    content.config = R"({"x":[)" + std::to_string(random.below(1000)) + "e-3,1E3,\"\\u00e9\"]}";
  if (random.one_in(2)) content.tools.clear();
  if (random.one_in(3)) content.output_schema.clear();
  if (random.one_in(2)) content.lock.clear();
  return content;
}

TEST(Content, CanonicalFormRoundTripsAndIsRfc8785) {
  for_random(1000, [](Random& random) {
    const Content content = checked(random_content(random));
    const std::string text = canonical_content(content);
    const auto back = content_from_canonical(text);
    ASSERT_TRUE(back.ok()) << back.error().detail;
    EXPECT_EQ(*back, content);
    EXPECT_EQ(canonical_content(*back), text);
    EXPECT_EQ(*canonical_json(*parse_json(text, {.depth = 80})), text);
    // Checking again changes nothing, so a version that was exported can be imported as it is.
    EXPECT_EQ(checked(content), content);
  });
}

TEST(Content, TheDigestCoversEveryField) {
  void (*const changes[])(Content&) = {
      [](Content& c) { c.name += "x"; },
      [](Content& c) { c.semver = "9.9.9"; },
      [](Content& c) { c.messages[0].content += " "; },
      [](Content& c) { c.messages[0].role = MessageRole::developer; },
      [](Content& c) { std::swap(c.messages[0], c.messages[2]); },
      [](Content& c) { c.variables[0].name = "mood"; },
      [](Content& c) { c.variables[0].type = VariableType::number; },
      [](Content& c) { c.variables[0].required = true; },
      [](Content& c) { c.variables[0].default_json = "\"cold\""; },
      [](Content& c) { c.variables[0].description += "?"; },
      [](Content& c) { std::swap(c.variables[0], c.variables[1]); },
      [](Content& c) { c.model.reset(); },
      [](Content& c) { c.model->provider = ""; },
      [](Content& c) { c.model->name += "x"; },
      [](Content& c) { c.model->temperature.reset(); },
      [](Content& c) { c.model->top_p = 0.5; },
      [](Content& c) { c.model->max_tokens = 1; },
      [](Content& c) { c.config = ""; },
      [](Content& c) { c.tools = ""; },
      [](Content& c) { c.output_schema = "{}"; },
      [](Content& c) { c.layers[0].range = "^2"; },
      [](Content& c) { c.lock[0].version = 5; },
      [](Content& c) { c.lock.clear(); },
      [](Content& c) { c.kind = ArtifactKind::policy; },
      [](Content& c) { c.type = ContentType::text; },
  };
  std::set<std::string> digests{digest_of(checked(full_chat()))};
  for (const auto change : changes) {
    Content content = checked(full_chat());
    change(content);
    EXPECT_TRUE(digests.insert(digest_of(content)).second) << canonical_content(content);
  }
}

TEST(Content, OnlyTheCanonicalFormReadsBack) {
  const std::string good = canonical_content(checked(full_chat()));
  ASSERT_TRUE(content_from_canonical(good).ok());
  const auto replaced = [&](const std::string& what, const std::string& with) {
    std::string text = good;
    const std::size_t at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return text.replace(at, what.size(), with);
  };
  for (const std::string& bad : std::vector<std::string>{
           "", "[]", "{}", " " + good, good + " ", good.substr(0, good.size() / 2),
           replaced("\"kind\"", "\"kinds\""), replaced("\"kind\":\"prompt\"", "\"kind\":\"king\""),
           replaced("\"version\":4", "\"version\":4.0"), replaced("\"version\":4", "\"version\":\"4\""),
           replaced("\"config\":{", "\"about\":1,\"config\":{"),
           replaced("\"content\":null", "\"content\":\"x\""),
           replaced("\"provider\":\"openai\"", "\"provider\":\"\""), replaced("[1,2000]", "[1.0,2000]"),
           replaced("Gr", "\\u0047r"), replaced("\"required\":false", "\"required\":0")}) {
    EXPECT_FALSE(content_from_canonical(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace imprimatur
