#include "cli/prompt_file.h"

#include <filesystem>
#include <fstream>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace imprimatur::cli {
namespace {

PromptFile read(std::string_view text, FileForm form = FileForm::prompt) {
  auto prompt = read_prompt(text, form, "from/path");
  EXPECT_TRUE(prompt.ok()) << prompt.error().detail;
  return prompt.ok() ? *prompt : PromptFile{};
}

std::string why_not(std::string_view text, FileForm form = FileForm::prompt) {
  const auto prompt = read_prompt(text, form, "from/path");
  return prompt.ok() ? "read" : prompt.error().detail;
}

TEST(PromptFile, BodiesAreKeptByteForByte) {
  const std::string body =
      "\n  Hello\t{{name}} \r\n\n--- not a fence\n\xEF\xBB\xBF\xF0\x9F\x99\x82 no end of line";
  EXPECT_EQ(read("---\nname: a\n---\n" + body).content.text, body);
  EXPECT_EQ(read("---\r\nname: a\r\n---\r\n" + body).content.text, body);
  EXPECT_EQ(read(body, FileForm::plain).content.text, body);
  EXPECT_EQ(read("---\nname: a\n---\n" + body, FileForm::plain).content.text, "---\nname: a\n---\n" + body);
  EXPECT_EQ(read("no front matter").content.text, "no front matter");
  EXPECT_EQ(read("---\n---\n").content.text, "");
  EXPECT_EQ(read("---\n---").content.text, "");
  EXPECT_EQ(read("---\na: 1\n---\nbody\n---\nmore\n").content.text, "body\n---\nmore\n");
}

TEST(PromptFile, TheExampleOfTheManualIsRead) {
  std::ifstream file(std::filesystem::path(IMPRIMATUR_SOURCE_DIR) / "docs/prompt-files.md");
  const std::string page(std::istreambuf_iterator<char>(file), {});
  const auto begin = page.find("```\n") + 4;
  ASSERT_NE(page.find("\n```\n", begin), page.npos);
  const PromptFile prompt = read(page.substr(begin, page.find("\n```\n", begin) + 1 - begin));
  EXPECT_EQ(prompt.ignored, std::vector<std::string>());
  EXPECT_TRUE(prompt.content.text.starts_with("Answer in a {{tone}} tone.\n"));
  EXPECT_TRUE(checked_content(prompt.content).ok());
}

TEST(PromptFile, FrontMatterSaysEverythingTheContractKnows) {
  const PromptFile prompt = read(R"(---
name: support/reply
semver: 2.1.0
tags: [support, "7", yes]
message: Shorter
model:
  provider: openai
  name: gpt-4o
  temperature: 0.5
  maxTokens: 200
variables:
  - question
  - {name: tone, type: string, required: false, default: kind, description: how}
  - {name: count, type: integer, required: false, default: 3}
config: {b: [true, null, "1"], a: 1.5}
tools: []
outputSchema: {type: object}
layers: [{name: base/voice, range: ^1.0.0}]
license: CC0
---
{{question}}
)");
  const Content& content = prompt.content;
  EXPECT_EQ(content.name, "support/reply");
  EXPECT_EQ(content.semver, "2.1.0");
  EXPECT_EQ(prompt.tags, (std::vector<std::string>{"support", "7", "yes"}));
  EXPECT_EQ(prompt.message, "Shorter");
  EXPECT_EQ(content.model->name, "gpt-4o");
  EXPECT_EQ(content.model->temperature, 0.5);
  EXPECT_EQ(content.model->max_tokens, 200);
  ASSERT_EQ(content.variables.size(), 3u);
  EXPECT_EQ(content.variables[0].name, "question");
  EXPECT_TRUE(content.variables[0].required);
  EXPECT_EQ(content.variables[1].default_json, "\"kind\"");
  EXPECT_EQ(content.variables[2].default_json, "3");
  EXPECT_EQ(content.config, R"({"a":1.5,"b":[true,null,"1"]})");
  EXPECT_EQ(content.tools, "[]");
  EXPECT_EQ(content.layers[0].range, "^1.0.0");
  EXPECT_EQ(prompt.ignored, std::vector<std::string>{"license"});
  EXPECT_EQ(prompt.body_line, 20u);
  EXPECT_EQ(read("x").content.name, "from/path");
}

TEST(PromptFile, APolicyIsItsRulesAndMayHaveWords) {
  const PromptFile rules = *read_prompt(
      R"({"kind":"policy","config":{"days":30},"outputSchema":{"type":"object"}})", FileForm::json, "r");
  EXPECT_EQ(rules.content.kind, ArtifactKind::policy);
  EXPECT_TRUE(rules.content.text.empty());
  EXPECT_FALSE(to_json(rules).contains("content"));
  EXPECT_TRUE(checked_content([&] {
                Content content = rules.content;
                content.semver = "1.0.0";
                return content;
              }())
                  .ok());
  const PromptFile worded =
      read("---\nkind: policy\nconfig: {days: 30}\noutputSchema: {}\n---\nWhy we wait.\n");
  EXPECT_EQ(worded.content.text, "Why we wait.\n");
  EXPECT_EQ(to_json(worded).at("content"), "Why we wait.\n");
}

TEST(PromptFile, ChatsStandInTheirMessages) {
  const PromptFile prompt = read(
      "---\nmessages:\n  - {role: system, content: Be kind}\n  - {role: user, content: \"{{q}}\"}\n---\n");
  EXPECT_EQ(prompt.content.type, ContentType::chat);
  ASSERT_EQ(prompt.content.messages.size(), 2u);
  EXPECT_EQ(prompt.content.messages[1].content, "{{q}}");
  EXPECT_EQ(why_not("---\nmessages: [{role: user, content: x}]\n---\nand a body"),
            "content: a chat has messages, not content");
  EXPECT_EQ(why_not("---\ntype: chat\n---\n"), "messages: a chat needs messages");
}

TEST(PromptFile, ErrorsSayWhere) {
  EXPECT_EQ(why_not("---\nname: a\n"),
            "the front matter that begins on line 1 is never closed by a line \"---\"");
  EXPECT_EQ(why_not("---\nname: a\nname: b\n---\n"),
            "front matter, line 3, column 1: \"name\" appears twice");
  EXPECT_TRUE(why_not("---\nname: [a\n---\n").starts_with("front matter, line "));
  EXPECT_EQ(why_not("---\na: &x 1\nb: *x\n---\n"), "front matter, line 3, column 4: aliases are not allowed");
  EXPECT_NE(
      why_not("---\na: " + std::string(100, '[') + std::string(100, ']') + "\n---\n").find("too deeply"),
      std::string::npos);
  EXPECT_EQ(why_not("---\n- a\n---\n"), "the front matter must hold names and values");
  EXPECT_EQ(why_not("---\ntype: song\n---\n"), "type: \"song\" is not one of its words");
  EXPECT_EQ(why_not("---\nmodel: {name: x, speed: 1}\n---\n"), "model.speed: is not a field of a model");
  EXPECT_EQ(why_not("\xff"), "not UTF-8 at byte 0");
  EXPECT_EQ(why_not(std::string_view("a\0b", 3), FileForm::plain), "U+0000 at byte 1");
  EXPECT_EQ(why_not("---\nname: \"a\\0\"\n---\n"),
            "front matter, line 2, column 7: U+0000 is not allowed in text");
  EXPECT_EQ(why_not("---\nname: \"\\uD800\"\n---\n").substr(0, 20), "front matter, line 2");
  EXPECT_NE(why_not("---\nconfig: [" +
                    [] {
                      std::string many;
                      for (int i = 0; i < 21000; ++i) many += "1,";
                      return many;
                    }() +
                    "]\n---\n")
                .find("too many values"),
            std::string::npos);
  EXPECT_NE(why_not(std::string(kMaxPromptFileBytes + 1, 'x')).find("over"), std::string::npos);
  EXPECT_NE(why_not("---\n" + std::string(kMaxFrontMatterBytes, '#') + "\n---\n").find("too large"),
            std::string::npos);
}

TEST(PromptFile, JsonIsStrict) {
  EXPECT_EQ(read(R"({"type":"text","content":"Hi","license":"MIT"})", FileForm::json).content.text, "Hi");
  EXPECT_EQ(why_not(R"({"type":"text"})", FileForm::json), "content: is missing");
  EXPECT_EQ(why_not(R"({"type":"text","content":1})", FileForm::json), "content: must be a string");
  EXPECT_EQ(why_not(R"({"type":"chat","messages":[{"role":"user"}]})", FileForm::json),
            "messages[0]: must hold role and content, nothing else");
  EXPECT_EQ(why_not("[]", FileForm::json), "must be a JSON object");
  EXPECT_NE(why_not(R"({"content":"a","content":"b"})", FileForm::json).find("twice"), std::string::npos);
}

TEST(PromptFile, WhatIsReadSurvivesTheWayToTheServer) {
  const PromptFile prompt = read(
      "---\ntags: [a]\nmodel: m\nconfig: {x: 1}\nvariables: [{name: v, type: integer, "
      "required: false, default: 2}]\n---\nHello {{v}}");
  const auto again = read_prompt(boost::json::serialize(to_json(prompt)), FileForm::json, "other");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->content, prompt.content);
  EXPECT_EQ(again->tags, prompt.tags);
}

}  // namespace
}  // namespace imprimatur::cli
