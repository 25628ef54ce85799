// The language of the scripts: what it accepts and, more so, what it does not.
#include "api/pattern.h"

#include "api/script.h"

#include <gtest/gtest.h>

namespace imprimatur::tests {
namespace {

namespace json = boost::json;

std::optional<std::string> differs(std::string_view pattern, std::string_view actual, Variables& variables) {
  return unlike(json::parse(pattern), json::parse(actual), variables);
}
std::optional<std::string> differs(std::string_view pattern, std::string_view actual) {
  Variables none;
  return differs(pattern, actual, none);
}

TEST(Pattern, Matches) {
  EXPECT_FALSE(differs(R"({"a":1})", R"({"a":1,"b":2})"));
  EXPECT_FALSE(differs(R"({"a":"*"})", R"({"a":null})"));
  EXPECT_FALSE(differs(R"({"a":"x*z"})", R"({"a":"xyz"})"));
  EXPECT_FALSE(differs(R"([1,"..."])", R"([1,2,3])"));
  EXPECT_FALSE(differs(R"({})", R"({})"));
}

TEST(Pattern, Differs) {
  EXPECT_TRUE(differs(R"({"a":1})", R"({"a":2})"));
  EXPECT_TRUE(differs(R"({"a":1})", R"({"b":1})"));
  EXPECT_TRUE(differs(R"({"a":"*"})", R"({})"));
  EXPECT_TRUE(differs(R"({"a":null})", R"({"a":0})"));
  EXPECT_TRUE(differs(R"({"a":"1"})", R"({"a":1})"));
  EXPECT_TRUE(differs(R"([1])", R"([1,2])"));
  EXPECT_TRUE(differs(R"([1,2,"..."])", R"([1])"));
  EXPECT_TRUE(differs(R"({})", R"({"a":1})"));
  EXPECT_TRUE(differs(R"({"a":{}})", R"({"a":[]})"));
  EXPECT_TRUE(differs(R"("x*z")", R"("xyzz ")"));
}

TEST(Pattern, VariablesAreTakenOnceAndComparedThen) {
  Variables variables;
  EXPECT_FALSE(differs(R"({"id":"$p"})", R"({"id":"art_1"})", variables));
  EXPECT_FALSE(differs(R"({"id":"$p"})", R"({"id":"art_1"})", variables));
  EXPECT_TRUE(differs(R"({"id":"$p"})", R"({"id":"art_2"})", variables));
  EXPECT_TRUE(differs(R"({"id":"x$unknown"})", R"({"id":"x"})", variables));
  EXPECT_FALSE(differs(R"({"r":"version:$p:1"})", R"({"r":"version:art_1:1"})", variables));
}

TEST(Pattern, Globs) {
  EXPECT_TRUE(matches_glob("*b*", "abc"));
  EXPECT_TRUE(matches_glob("a*a", "aba"));
  EXPECT_FALSE(matches_glob("a*a", "a"));
  EXPECT_FALSE(matches_glob("*b*c", "abca"));
  EXPECT_FALSE(matches_glob("", "a"));
}

TEST(Script, SubstitutesInJsonAsPartOfAString) {
  const Variables variables{{"p", "a\"b"}};
  EXPECT_EQ(substitute(R"({"x":"$p"})", variables, Inside::json).text, R"({"x":"a\"b"})");
  EXPECT_EQ(substitute("costs $3", variables, Inside::json).text, "costs $3");
  EXPECT_EQ(substitute("$q", variables, Inside::text).unknown, "q");
}

TEST(Script, Parses) {
  const auto script = parse_script(
      "# comment\npeople ann ben\nproject shop: ann admin, ben viewer\nclock +2h\nrestart\n\n"
      "POST /x as ann by cookie\nA: b\n{\"a\":\n 1}\n201 {\"b\":\n  2}\nC: d\n\n"
      "POST /y as $key x3\nbody \"a\\xff\"*2 \"c\"\n400\n\n"
      "race x2\nPOST /z\n= 201 409*3\n");
  ASSERT_TRUE(script.ok()) << script.error().detail;
  ASSERT_EQ(script->steps.size(), 7u);
  const auto& first = std::get<Exchange>(script->steps[4].what);
  EXPECT_TRUE(first.request.by_cookie);
  EXPECT_EQ(first.request.body, "{\"a\":\n 1}");
  EXPECT_EQ(first.request.headers, (Headers{{"A", "b"}}));
  EXPECT_EQ(first.expected.pattern, "{\"b\":\n  2}");
  EXPECT_EQ(first.expected.headers, (Headers{{"C", "d"}}));
  const auto& second = std::get<Exchange>(script->steps[5].what);
  EXPECT_EQ(second.request.body,
            "a\xff"
            "a\xff"
            "c");
  EXPECT_EQ(second.request.who, "$key");
  EXPECT_EQ(second.request.times, 3);
  EXPECT_EQ(std::get<Race>(script->steps[6].what).statuses, (std::vector<int>{201, 409, 409, 409}));
}

TEST(Script, RefusesWhatItDoesNotUnderstand) {
  for (const char* bad : {"walk", "GET /x as ann\n{}\n", "GET /x\n20\n", "race\nGET /x\n", "clock 2h",
                          "POST /x\nbody unquoted\n200\n"}) {
    EXPECT_FALSE(parse_script(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace imprimatur::tests
