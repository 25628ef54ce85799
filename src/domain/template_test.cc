#include "domain/template.h"

#include "base/json.h"
#include "base/property_test.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace imprimatur {
namespace {

std::vector<std::string> holes(std::string_view text) {
  const auto parsed = parse_template(text);
  if (!parsed.ok()) return {"error: " + parsed.error().detail};
  std::vector<std::string> out;
  for (const Hole& hole : *parsed) {
    const std::string_view whole = text.substr(hole.begin, hole.end - hole.begin);
    EXPECT_TRUE(whole.starts_with("{{") && whole.ends_with("}}"));
    out.push_back(hole.name);
  }
  return out;
}

using Names = std::vector<std::string>;

TEST(Template, FindsHoles) {
  EXPECT_EQ(holes("Hello {{name}}, {{ other }}{{name}}"), (Names{"name", "other", "name"}));
  EXPECT_EQ(holes("{{\tname }}"), Names{"name"});
  EXPECT_EQ(holes("{\"a\":{{value}}}"), Names{"value"});
  EXPECT_EQ(holes("${{ matrix.environment }}"), Names{"matrix.environment"});
  EXPECT_EQ(holes("{{_}}{{a-b.c_9}}"), (Names{"_", "a-b.c_9"}));
  EXPECT_EQ(holes("{{" + std::string(64, 'n') + "}}"), Names{std::string(64, 'n')});
  EXPECT_EQ(holes("{{a}}}"), Names{"a"});
}

Names marks(std::string_view text) {
  Names out;
  for (const Hole& mark : include_marks(text)) {
    const std::string_view whole = text.substr(mark.begin, mark.end - mark.begin);
    EXPECT_TRUE(whole.starts_with("{{>") && whole.ends_with("}}")) << whole;
    out.push_back(mark.name);
  }
  return out;
}

// A mark ends within the length of a name and some blanks, so that many that are not closed cost little each.
TEST(Template, MarksThatAreNotClosedAreText) {
  std::string text;
  while (text.size() < 256 * 1024 - 3) text += "{{>";
  EXPECT_TRUE(include_marks(text).empty());
  EXPECT_TRUE(include_marks("{{> " + std::string(400, ' ') + "a}}").empty());
  EXPECT_EQ(include_marks("{{>  a  }}").size(), 1U);
}

TEST(Template, FindsMarksOfLayers) {
  EXPECT_EQ(marks("{{> support/tone}} {{>tone}}{{>\ttone }}"), (Names{"support/tone", "tone", "tone"}));
  EXPECT_EQ(marks("{{> a b c}}{{> gr\xC3\xBC\xC3\x9F"
                  "e}}"),
            (Names{"a b c",
                   "gr\xC3\xBC\xC3\x9F"
                   "e"}));
  EXPECT_EQ(marks("{{> tone}}}"), Names{"tone"});
  EXPECT_EQ(marks("{{> " + std::string(255, 'n') + "}}"), Names{std::string(255, 'n')});
  for (const std::string& text :
       {std::string("{{tone}}"), std::string("\\{{> tone}}"), std::string("{{{> tone}}}"),
        std::string("{{>}}"), std::string("{{> }}"), std::string("{{> tone"), std::string("{{> tone}"),
        std::string("{{> tone\n}}"), std::string("{{> to\nne}}"), std::string("{{ > tone}}"),
        std::string("{{> /tone}}"), std::string("{{> tone?}}"), "{{> " + std::string(256, 'n') + "}}"}) {
    EXPECT_EQ(marks(text), Names{}) << text;
  }
  // No mark is a hole, and no hole a mark.
  EXPECT_EQ(holes("{{> tone}} {{name}}"), Names{"name"});
  EXPECT_EQ(marks("{{name}} {{> tone}}"), Names{"tone"});
}

TEST(Template, LeavesOtherLanguagesAlone) {
  for (const char* text : {"",
                           "{",
                           "{{",
                           "}}",
                           "{ {a}}",
                           "{{}}",
                           "{{ }}",
                           "{{#if x}}",
                           "{{/if}}",
                           "{{ a | b }}",
                           "{{role \"user\"}}",
                           "{{!comment}}",
                           "{{>partial}}",
                           "{{$input}}",
                           "{{1a}}",
                           "{{.a}}",
                           "{{name[0]}}",
                           "{{ f(x) }}",
                           "{% for a in b %}",
                           "{{{a}}}",
                           "{{{{a}}}}",
                           "{{näme}}",
                           "\\{{a}}",
                           "{{\na}}",
                           "{{a b}}",
                           "{{{",
                           "{{ pick('x', {"}) {
    EXPECT_EQ(holes(text), Names{}) << text;
  }
}

TEST(Template, NamesWhereAHoleIsNotClosed) {
  EXPECT_EQ(
      holes("ab\ncd {{name\nx}}"),
      Names{"error: line 2, column 4: \"{{name\" is not closed on its line; write }} behind it, or \\{{ for "
            "plain braces"});
  EXPECT_TRUE(holes("Grüße \U0001F600 {{name").front().starts_with("error: line 1, column 9:"));
  EXPECT_TRUE(holes("{{name  \r\n}}").front().starts_with("error: line 1, column 1:"));
  EXPECT_TRUE(
      holes("x\n\n{{" + std::string(65, 'n') + "}}").front().starts_with("error: line 3, column 1: the"));
  // Not even a name that fills the text makes a large message.
  EXPECT_LT(holes("{{" + std::string(100'000, 'n')).front().size(), 300U);
}

TEST(Template, PositionsCountCodePoints) {
  const std::string text = "aé\n\U0001F600x";
  EXPECT_EQ(position_of(text, 0).column, 1);
  EXPECT_EQ(position_of(text, 3).column, 3);
  EXPECT_EQ(position_of(text, 4).line, 2);
  EXPECT_EQ(position_of(text, 8).column, 2);
  EXPECT_EQ(position_of(text, 1000).offset, text.size());
}

Content text_prompt(std::string text, std::vector<Variable> variables = {}) {
  Content content;
  content.name = "a";
  content.semver = "1.0.0";
  content.text = std::move(text);
  content.variables = std::move(variables);
  const auto checked = checked_content(content);
  EXPECT_TRUE(checked.ok()) << (checked.ok() ? "" : checked.error().detail);
  return checked.ok() ? *checked : content;
}

std::string rendered(const Content& content, std::string_view values) {
  const auto parsed = parse_json(values);
  EXPECT_TRUE(parsed.ok());
  const auto result = render(content, parsed->get_object());
  if (result.ok()) return result->text;
  std::string out = std::string(name_of(result.error().code)) + ":";
  for (const FieldError& field : result.error().fields) out += " " + field.field + " " + field.message + ".";
  return out;
}

TEST(Render, FillsHolesAndNothingElse) {
  EXPECT_EQ(rendered(text_prompt("Hi {{a}} {{ a }} \\{{a}} {{#x}} {{{a}}}"), R"({"a":"B"})"),
            "Hi B B {{a}} {{#x}} {{{a}}}");
  EXPECT_EQ(rendered(text_prompt("\\{{a}}\\\\{{b}}"), R"({})"), "{{a}}\\{{b}}");
  // A value that looks like a template is text.
  EXPECT_EQ(rendered(text_prompt("{{a}}{{b}}"), R"({"a":"{{b}}","b":"x"})"), "{{b}}x");
  EXPECT_EQ(rendered(text_prompt("{{a}}", {{"a", VariableType::object, true, "", ""}}),
                     R"({"a":{"z":1,"b":[2.0]}})"),
            R"({"b":[2],"z":1})");
  EXPECT_EQ(rendered(text_prompt("{{n}} {{b}}", {{"n", VariableType::number, true, "", ""},
                                                 {"b", VariableType::boolean, true, "", ""}}),
                     R"({"n":1.50,"b":false})"),
            "1.5 false");
}

TEST(Render, DefaultsAndAbsentOptionalValues) {
  const Content content = text_prompt("{{a}}|{{b}}", {{"a", VariableType::string, false, "\"dear\"", ""},
                                                      {"b", VariableType::integer, false, "", ""}});
  EXPECT_EQ(rendered(content, "{}"), "dear|");
  EXPECT_EQ(rendered(content, R"({"a":"","b":3})"), "|3");
}

TEST(Render, ListsEveryMissingIllTypedAndUnknownValue) {
  const Content content = text_prompt("{{a}}{{b}}", {{"b", VariableType::integer, true, "", ""}});
  EXPECT_EQ(rendered(content, R"({"b":1.5,"c":1})"),
            "unprocessable: variables.b must be an integer. variables.a is required. variables.c is not a "
            "variable of "
            "this prompt.");
  EXPECT_EQ(rendered(content, R"({"a":null,"b":2})"), "unprocessable: variables.a must be a string.");
}

TEST(Render, TypesAreHeldTo) {
  const std::map<VariableType, std::vector<std::string>> good{
      {VariableType::string, {"\"\"", "\"1\""}},
      {VariableType::number, {"1", "1.5", "-0.0"}},
      {VariableType::integer, {"1", "-7", "2.0", "9007199254740991"}},
      {VariableType::boolean, {"true", "false"}},
      {VariableType::object, {"{}", "{\"a\":1}"}},
      {VariableType::array, {"[]", "[1]", "[{\"role\":\"user\",\"content\":\"x\"}]"}},
      {VariableType::messages, {"[]", "[{\"role\":\"user\",\"content\":\"x\"}]"}}};
  const std::vector<std::string> other{"null",
                                       "[{\"role\":\"king\",\"content\":\"x\"}]",
                                       "[{\"role\":\"user\"}]",
                                       "[{\"role\":\"placeholder\",\"content\":\"x\"}]",
                                       "[{\"role\":\"user\",\"content\":\"x\",\"more\":1}]",
                                       "1e300"};
  for (const auto& [type, accepted] : good) {
    for (const std::string& value : accepted) EXPECT_TRUE(fits(type, *parse_json(value))) << value;
  }
  EXPECT_FALSE(fits(VariableType::integer, *parse_json("1e300")));
  EXPECT_FALSE(fits(VariableType::integer, *parse_json("1.5")));
  for (const std::string& value : other) {
    EXPECT_FALSE(fits(VariableType::messages, *parse_json(value))) << value;
    EXPECT_FALSE(fits(VariableType::string, *parse_json(value))) << value;
  }
}

Content chat() {
  Content content;
  content.name = "a";
  content.type = ContentType::chat;
  content.semver = "1.0.0";
  content.messages = {{MessageRole::system, "Help {{who}}"},
                      {MessageRole::placeholder, "history"},
                      {MessageRole::user, "{{question}}"}};
  const auto checked = checked_content(content);
  EXPECT_TRUE(checked.ok());
  return *checked;
}

TEST(Render, ChatsWithPlaceholders) {
  const auto values =
      parse_json(R"({"who":"Ann","question":"Why?","history":[{"role":"user","content":"{{who}}"},)"
                 R"({"role":"assistant","content":"b"}]})");
  const auto result = render(chat(), values->get_object());
  ASSERT_TRUE(result.ok());
  const std::vector<Message> expected{{MessageRole::system, "Help Ann"},
                                      {MessageRole::user, "{{who}}"},
                                      {MessageRole::assistant, "b"},
                                      {MessageRole::user, "Why?"}};
  EXPECT_EQ(result->messages, expected);
  EXPECT_EQ(*variables_used(chat()), (Names{"who", "history", "question"}));
}

TEST(Render, GrowthIsBounded) {
  std::string many;
  for (int i = 0; i < 40'000; ++i) many += "{{a}}";
  const std::string large = "{\"a\":\"" + std::string(10'000, 'x') + "\"}";
  EXPECT_EQ(rendered(text_prompt(many), large), "too_large:");
  boost::json::array history;
  for (int i = 0; i < 10'001; ++i) history.push_back({{"role", "user"}, {"content", ""}});
  const auto result = render(chat(), {{"who", ""}, {"question", ""}, {"history", history}});
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, ErrorCode::too_large);
}

// Text made of parts whose meaning is known: rendering must give the parts' values one after another.
TEST(Render, IsTheSumOfItsParts) {
  for_random(2000, [](Random& random) {
    const std::vector<std::pair<std::string, std::string>> parts{
        {"{{a}}", "A"}, {"{{ b }}", "{{a}}"}, {"\\{{a}}", "{{a}}"}, {"\n", "\n"}, {" x ", " x "},
        {"é", "é"},     {"{{#a}}", "{{#a}}"}, {"[", "["},           {"|", "|"},   {"{{{a}}}", "{{{a}}}"}};
    std::string text = "-", expected = "-";
    for (std::size_t n = random.below(12); n > 0; --n) {
      const auto& [source, value] = random.pick(parts);
      text += source + ";";
      expected += value + ";";
    }
    Content content = text_prompt(
        text, {{"a", VariableType::string, false, "", ""}, {"b", VariableType::string, false, "", ""}});
    EXPECT_EQ(rendered(content, R"({"a":"A","b":"{{a}}"})"), expected) << text;
  });
}

TEST(Template, VariableNames) {
  for (const std::string& good : Names{"a", "_", "A9", "a-b", "a.b", std::string(64, 'x')}) {
    EXPECT_TRUE(is_variable_name(good)) << good;
  }
  for (const std::string& bad : Names{"", "9", "-a", ".a", "a b", "ä", "a{", std::string(65, 'x'), "a\n"}) {
    EXPECT_FALSE(is_variable_name(bad)) << bad;
  }
}

}  // namespace
}  // namespace imprimatur
