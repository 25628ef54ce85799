#include "domain/content.h"

#include "base/json.h"
#include "base/property_test.h"
#include "domain/name.h"
#include "domain/template.h"

#include <cstdlib>
#include <filesystem>
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
    const Content content = checked(vector.content);
    EXPECT_EQ(canonical_content(content), vector.canonical);
    EXPECT_EQ(digest_of(content), vector.digest);
  }
}

std::filesystem::path data_directory() {
  if (const char* given = std::getenv("IMPRIMATUR_DATA")) return given;
  std::filesystem::path at = IMPRIMATUR_SOURCE_DIR;
  for (int up = 0; up < 4; ++up) {
    at = at.parent_path();
    if (std::filesystem::exists(at / "shared/data/prompts.jsonl")) return at / "shared/data";
  }
  return {};
}

TEST(Content, EveryRealPromptIsAcceptedAndComesBackByteForByte) {
  const std::filesystem::path directory = data_directory();
  std::ifstream file(directory / "prompts.jsonl");
  if (!file) GTEST_SKIP() << "no real prompts here; set IMPRIMATUR_DATA to the directory of prompts.jsonl";
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

TEST(Content, Refuses) { EXPECT_EQ(refusal(text_prompt("")), "content: is empty"); }

}  // namespace
}  // namespace imprimatur
