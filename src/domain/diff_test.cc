#include "domain/diff.h"

#include "base/property_test.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

namespace imprimatur {
namespace {

Content text_prompt(std::string text) {
  Content content;
  content.name = "a";
  content.semver = "1.0.0";
  content.text = std::move(text);
  return content;
}

TEST(Diff, OfAPolicyARuleIsALine) {
  Content before = text_prompt("Why.");
  before.kind = ArtifactKind::policy;
  before.config = R"({"limits":{"days":30,"none":{}},"tools":["a"]})";
  EXPECT_EQ(
      flattened(before),
      "Why.\n{\n  \"limits\": {\n    \"days\": 30,\n    \"none\": {}\n  },\n  \"tools\": [\n    \"a\"\n  "
      "]\n}\n");
  Content after = before;
  after.config = R"({"limits":{"days":14,"none":{}},"tools":["a"]})";
  const auto found = diff(before, after);
  ASSERT_EQ(found->hunks.size(), 1U);
  std::string changed;
  for (const DiffLine& line : found->hunks[0].lines) {
    if (line.origin != ' ') changed += line.origin + line.text + "\n";
  }
  EXPECT_EQ(changed, "-    \"days\": 30,\n+    \"days\": 14,\n");
  EXPECT_EQ(found->fields_changed, std::vector<std::string>{"config"});
}

struct Line {
  std::string text;
  bool line_feed;
};

std::vector<Line> lines_of(std::string_view text) {
  std::vector<Line> out;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const bool has = end != std::string_view::npos;
    out.push_back({std::string(text.substr(0, end)), has});
    text = has ? text.substr(end + 1) : std::string_view();
  }
  return out;
}

void append(std::string& out, const std::string& text, bool line_feed) {
  out += text + (line_feed ? "\n" : "");
}

// What a reader of the hunks would do by hand; also checks that they speak of lines that are there.
std::string applied(std::string_view from, const std::vector<DiffHunk>& hunks) {
  const std::vector<Line> lines = lines_of(from);
  std::string out;
  std::size_t next = 0;  // of `lines`
  for (const DiffHunk& hunk : hunks) {
    int old_lines = 0, new_lines = 0;
    for (const DiffLine& line : hunk.lines) {
      if (line.origin != '+') {
        const auto at = static_cast<std::size_t>(line.from_line - 1);
        EXPECT_LT(at, lines.size());
        EXPECT_GE(at, next);
        for (; next < at; ++next) append(out, lines[next].text, lines[next].line_feed);
        EXPECT_EQ(lines[at].text, line.text);
        EXPECT_EQ(lines[at].line_feed, line.line_feed);
        ++next, ++old_lines;
      } else {
        EXPECT_EQ(line.from_line, 0);
        // An insertion stands behind the line that its hunk starts at, when there is no context.
        if (hunk.from_lines == 0) {
          for (; next < static_cast<std::size_t>(hunk.from_start); ++next) {
            append(out, lines[next].text, lines[next].line_feed);
          }
        }
      }
      if (line.origin != '-') {
        append(out, line.text, line.line_feed);
        ++new_lines;
      }
    }
    EXPECT_EQ(old_lines, hunk.from_lines);
    EXPECT_EQ(new_lines, hunk.to_lines);
  }
  for (; next < lines.size(); ++next) append(out, lines[next].text, lines[next].line_feed);
  return out;
}

// `text` without the runs of one origin.
std::string without(const std::string& text, const std::vector<DiffWord>& words, char origin) {
  std::string out;
  std::size_t at = 0;
  for (const DiffWord& word : words) {
    if (word.origin != origin) continue;
    EXPECT_GE(word.begin, at);
    EXPECT_LT(word.begin, word.end);
    EXPECT_EQ(text.substr(word.begin, word.end - word.begin), word.text);
    out += text.substr(at, word.begin - at);
    at = word.end;
  }
  return out + text.substr(at);
}

void expect_sound(const Content& from, const Content& to) {
  const auto result = diff(from, to);
  ASSERT_TRUE(result.ok());
  const std::string from_text = flattened(from), to_text = flattened(to);
  EXPECT_EQ(applied(from_text, result->hunks), to_text);
  EXPECT_EQ(without(from_text, result->words, '-'), without(to_text, result->words, '+'));
  EXPECT_EQ(result->hunks.empty(), from_text == to_text);
  EXPECT_EQ(result->words.empty(), from_text == to_text);
}

TEST(Diff, HunksAndWordsRebuildTheOtherSide) {
  const std::vector<std::string> pieces{"\n",
                                        "\n",
                                        "a line\n",
                                        "another line\n",
                                        "x",
                                        "word ",
                                        "é",
                                        "\r\n",
                                        "\\ No newline at end of file\n",
                                        "--- user ---\n",
                                        "+",
                                        "-",
                                        " ",
                                        "\t"};
  for_random(1500, [&](Random& random) {
    const std::string from = random.text(pieces, 40);
    std::string to;
    // Half of the cases are edits, half are unrelated texts.
    if (random.one_in(2)) {
      to = random.text(pieces, 40);
    } else {
      for (const Line& line : lines_of(from)) {
        if (random.one_in(6)) to += random.text(pieces, 3);
        if (!random.one_in(8)) append(to, line.text, line.line_feed);
      }
    }
    expect_sound(text_prompt(from), text_prompt(to));
  });
}

TEST(Diff, EdgesOfTheText) {
  const std::vector<std::string> texts{"",       "\n",     "a",    "a\n",   "a\nb",
                                       "a\nb\n", "b\na\n", "\n\n", "a\r\n", "a\r"};
  for (const std::string& from : texts) {
    for (const std::string& to : texts) expect_sound(text_prompt(from), text_prompt(to));
  }
}

TEST(Diff, ShowsOneChangedWordInItsLine) {
  const std::string from = "one\ntwo\nthree\nYou are a kind helper.\nfive\nsix\nseven\neight\n";
  std::string to = from;
  to.replace(to.find("kind"), 4, "strict");
  const auto result = diff(text_prompt(from), text_prompt(to));
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->hunks.size(), 1U);
  const DiffHunk& hunk = result->hunks[0];
  EXPECT_EQ(hunk.from_start, 1);
  EXPECT_EQ(hunk.lines.size(), 8U);  // three lines of context on each side
  EXPECT_EQ(hunk.lines[3].origin, '-');
  EXPECT_EQ(hunk.lines[3].from_line, 4);
  EXPECT_EQ(hunk.lines[3].to_line, 0);
  EXPECT_EQ(hunk.lines[4].text, "You are a strict helper.");
  ASSERT_EQ(result->words.size(), 2U);
  EXPECT_EQ(result->words[0].text, "kind");
  EXPECT_EQ(result->words[1].text, "strict");
  EXPECT_EQ(result->bump, Bump::minor);
  EXPECT_EQ(result->fields_changed, std::vector<std::string>{"content"});
}

TEST(Diff, ATrailingLineFeedInAMessageShows) {
  Content from;
  from.type = ContentType::chat;
  from.messages = {{MessageRole::user, "hello"}};
  Content to = from;
  to.messages[0].content += "\n";
  const auto result = diff(from, to);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->hunks.size(), 1U);
  expect_sound(from, to);
  EXPECT_EQ(flattened(from), "--- user ---\nhello\n");
}

TEST(Diff, VariablesModelAndFields) {
  Content from = text_prompt("x");
  from.variables = {{"gone", VariableType::string, true, "", ""},
                    {"kept", VariableType::string, true, "", ""},
                    {"same", VariableType::string, true, "", ""}};
  from.model = ModelBinding{"openai", "gpt-5", {}, {}, {}};
  Content to = from;
  to.variables[0].name = "new";
  to.variables[1].type = VariableType::number;
  to.model->temperature = 0.5;
  to.tools = "[]";
  to.semver = "2.0.0";
  const auto result = diff(from, to);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->variables_removed, (std::vector<Variable>{from.variables[0]}));
  EXPECT_EQ(result->variables_added, (std::vector<Variable>{to.variables[0]}));
  ASSERT_EQ(result->variables_changed.size(), 1U);
  EXPECT_EQ(result->variables_changed[0].after, to.variables[1]);
  EXPECT_TRUE(result->model_changed);
  EXPECT_EQ(result->model_before, from.model);
  EXPECT_EQ(result->model_after, to.model);
  EXPECT_EQ(result->fields_changed, (std::vector<std::string>{"semver", "tools"}));
  EXPECT_EQ(result->bump, Bump::major);
  EXPECT_TRUE(result->hunks.empty());
}

// The largest texts, made so that every line and every word differs: bounded in time, still sound.
TEST(Diff, LargestTextsStayBounded) {
  std::string from, to;
  for (std::int64_t i = 0; std::max(from.size(), to.size()) + 20 < kMaxTextBytes; ++i) {
    from += "a" + std::to_string(i * 7919 % 65'536) + (i % 3 == 0 ? "\n" : " ");
    to += "b" + std::to_string(i * 104'729 % 65'536) + (i % 5 == 0 ? "\n" : " ");
  }
  const auto begin = std::chrono::steady_clock::now();
  expect_sound(text_prompt(from), text_prompt(to));
  expect_sound(text_prompt(std::string(kMaxTextBytes, '\n')), text_prompt(std::string(kMaxTextBytes, 'x')));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(60));
}

TEST(Diff, SafeFromManyThreads) {
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 50; ++n) {
        const auto result = diff(text_prompt("a\nb\n"), text_prompt("a\nc\n"));
        wrong += !result.ok() || result->words.size() != 2;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace imprimatur
