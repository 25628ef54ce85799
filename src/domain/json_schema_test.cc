#include "domain/json_schema.h"

#include "base/json.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace imprimatur {
namespace {

std::string schema_says(const std::string& schema) {
  const Status checked = check_schema(*parse_json(schema));
  return checked.ok() ? "good" : checked.error().detail;
}

std::string says(const std::string& schema, const std::string& value) {
  const auto parsed = *parse_json(schema);
  const Status good = check_schema(parsed);
  if (!good.ok()) return "schema: " + good.error().detail;
  const Status checked = check_by_schema(parsed, *parse_json(value));
  return checked.ok() ? "good" : checked.error().detail;
}

// Each keyword with a value that obeys it and one that does not.
TEST(JsonSchema, EveryKeywordHoldsWhatItSays) {
  struct Case {
    const char *schema, *good, *bad, *why;
  };
  const Case cases[] = {
      {R"({"type":"string"})", R"("a")", "1", "must be of type \"string\""},
      {R"({"type":["integer","null"]})", "2.0", "2.5", "must be of type"},
      {R"({"type":"number"})", "1.5", "true", "must be of type"},
      {R"({"type":"boolean"})", "false", "0", "must be of type"},
      {R"({"type":"array"})", "[]", "{}", "must be of type"},
      {R"({"type":"object"})", "{}", "[]", "must be of type"},
      {R"({"type":"null"})", "null", "0", "must be of type"},
      {R"({"enum":["a",1]})", "1", R"("b")", "must be one of [\"a\",1]"},
      {R"({"const":{"a":1,"b":2}})", R"({"b":2,"a":1})", R"({"a":1})", "must be {"},
      {R"({"minimum":3})", "3", "2", "must be at least 3"},
      {R"({"maximum":3})", "3", "4", "must be at most 3"},
      {R"({"exclusiveMinimum":3})", "4", "3", "must be above 3"},
      {R"({"exclusiveMaximum":3})", "2", "3", "must be below 3"},
      {R"({"multipleOf":0.1})", "0.3", "0.35", "must be a multiple of"},
      {R"({"minLength":2})", "\"\u00e4\u00e4\"", "\"\u00e4\"", "needs at least 2 characters"},
      {R"({"maxLength":1})", "\"\u00e4\"", R"("ab")", "may have at most 1 characters"},
      {R"({"minItems":1})", "[1]", "[]", "needs at least 1 items"},
      {R"({"maxItems":1})", "[1]", "[1,2]", "may have at most 1 items"},
      {R"({"uniqueItems":true})", "[1,2]", "[1,1.0]", "holds an item twice"},
      {R"({"items":{"type":"integer"}})", "[1,2]", R"([1,"b"])", "/1 must be of type"},
      {R"({"prefixItems":[{"type":"string"}],"items":false})", R"(["a"])", R"(["a",1])", "/1 is not allowed"},
      {R"({"contains":{"const":7}})", "[1,7]", "[1]", "holds no item"},
      {R"({"required":["a"]})", R"({"a":1})", "{}", "lacks \"a\""},
      {R"({"minProperties":1})", R"({"a":1})", "{}", "needs at least 1 members"},
      {R"({"maxProperties":1})", R"({"a":1})", R"({"a":1,"b":2})", "at most 1 members"},
      {R"({"properties":{"a/b":{"type":"string"}}})", R"({"a/b":"x","c":1})", R"({"a/b":1})",
       "/a~1b must be"},
      {R"({"properties":{"a":true},"additionalProperties":false})", R"({"a":1})", R"({"b":1})",
       "/b is not allowed"},
      {R"({"propertyNames":{"maxLength":2}})", R"({"ab":1})", R"({"abc":1})",
       "has a name that is not allowed"},
      {R"({"allOf":[{"minimum":1},{"maximum":2}]})", "1", "3", "must be at most 2"},
      {R"({"anyOf":[{"const":1},{"const":2}]})", "2", "3", "fits none of `anyOf`"},
      {R"({"oneOf":[{"minimum":1},{"minimum":5}]})", "2", "6", "does not fit exactly one"},
      {R"({"not":{"const":1}})", "2", "1", "fits what `not` rules out"},
      {R"({"if":{"minimum":10},"then":{"multipleOf":10},"else":{"maximum":5}})", "20", "25",
       "multiple of 10"},
      {R"({"if":{"minimum":10},"then":{"multipleOf":10},"else":{"maximum":5}})", "5", "6", "at most 5"},
      {R"({"$defs":{"days":{"minimum":1}},"properties":{"a":{"$ref":"#/$defs/days"}}})", R"({"a":1})",
       R"({"a":0})", "/a must be at least 1"},
      {R"({"properties":{"in":{"$ref":"#"}},"required":["a"]})", R"({"a":1,"in":{"a":2}})",
       R"({"a":1,"in":{}})", "/in lacks \"a\""},
      {"true", "1", "", ""},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(says(each.schema, each.good), "good") << each.schema;
    if (*each.bad == '\0') continue;
    EXPECT_NE(says(each.schema, each.bad).find(each.why), std::string::npos)
        << each.schema << ": " << says(each.schema, each.bad);
  }
}

TEST(JsonSchema, WhatIsNotCheckedIsRefused) {
  for (const char* schema :
       {R"({"pattern":"^a+$"})", R"({"format":"date"})", R"({"patternProperties":{"^a":true}})",
        R"({"properties":{"a":{"x-mine":1}}})", R"({"unevaluatedProperties":false})"}) {
    EXPECT_NE(schema_says(schema).find("is a keyword that is not checked here"), std::string::npos) << schema;
  }
  // A member may well be called like a keyword.
  EXPECT_EQ(schema_says(R"({"properties":{"pattern":{"type":"string"}}})"), "good");
  for (const char* schema :
       {"1", R"({"type":"text"})", R"({"type":["string",1]})", R"({"enum":"a"})", R"({"required":[1]})",
        R"({"minItems":-1})", R"({"minItems":1.5})", R"({"minimum":"1"})", R"({"multipleOf":0})",
        R"({"uniqueItems":1})", R"({"items":[true]})", R"({"allOf":{}})", R"({"properties":[]})",
        R"({"$ref":"https://example.org/other"})", R"({"$ref":"#/$defs/none","$defs":{"some":true}})",
        R"({"$ref":"#/properties/a","properties":{"a":true}})"}) {
    EXPECT_NE(schema_says(schema), "good") << schema;
  }
  EXPECT_EQ(schema_says(R"({"properties":{"a":{"items":{"type":"text"}}}})"),
            "the schema at /properties/a/items/type must be the name of a type, or a list of them");
}

// A schema is written by anybody who may save: none may hold the program up, or overflow its stack.
TEST(JsonSchema, WorkHasABound) {
  EXPECT_EQ(says(R"({"$ref":"#"})", "1"), "the schema takes too long to check; make it simpler");
  // Out of steps inside a `not` is no yes.
  EXPECT_EQ(says(R"({"not":{"$ref":"#"}})", "1"), "the schema takes too long to check; make it simpler");
  std::string wide = R"({"$defs":{"a0":true)";
  for (int i = 1; i < 40; ++i) {
    const std::string below = R"({"$ref":"#/$defs/a)" + std::to_string(i - 1) + "\"}";
    wide += ",\"a" + std::to_string(i) + "\":{\"allOf\":[" + below + "," + below + "]}";
  }
  EXPECT_EQ(says(wide + R"(},"$ref":"#/$defs/a39"})", "1"),
            "the schema takes too long to check; make it simpler");
}

// What a step allows is bounded in bytes, too: comparing a large value again and again ends like everything
// else.
TEST(JsonSchema, LargeValuesCostMoreThanAStep) {
  boost::json::object large;
  for (int i = 0; i < 5000; ++i) large["k" + std::to_string(i)] = i;
  boost::json::array many;
  for (int i = 0; i < 1000; ++i) many.push_back(boost::json::object{{"$ref", "#/$defs/a"}});
  const boost::json::value schema = {{"$defs", {{"a", {{"not", {{"const", 0}}}}}, {"b", {{"allOf", many}}}}},
                                     {"allOf", {{{"$ref", "#/$defs/b"}}}}};
  ASSERT_TRUE(check_schema(schema).ok());
  EXPECT_FALSE(check_by_schema(schema, large).ok());
}

}  // namespace
}  // namespace imprimatur
