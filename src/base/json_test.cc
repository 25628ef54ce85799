#include "base/json.h"

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace imprimatur {
namespace {

std::string round_trip(std::string_view text) {
  const auto parsed = parse_json(text);
  if (!parsed.ok()) return "refused: " + parsed.error().detail;
  const auto canonical = canonical_json(*parsed);
  return canonical.ok() ? *canonical : "refused: " + canonical.error().detail;
}

TEST(Json, RefusesWhatALenientParserWouldRepair) {
  for (const char* bad :
       {"", "{", "[1,]", "{\"a\":1,\"a\":2}", "\"\\ud800\"", "\"\\u0000\"", "\"\xC0\x80\"",
        "\"\xED\xA0\x80\"", "{} x", "nul", "01", "1e999", "{\"\\u0061\":1,\"a\":2}", "'a'"}) {
    EXPECT_FALSE(parse_json(bad).ok()) << bad;
  }
  EXPECT_FALSE(parse_json(std::string(100, '[') + std::string(100, ']')).ok());
  EXPECT_FALSE(parse_json("[1,2,3]", {.values = 3}).ok());
  EXPECT_EQ(parse_json("[1,2,3]", {.bytes = 3}).error().code, ErrorCode::too_large);
}

TEST(Json, CanonicalFormFollowsRfc8785) {
  EXPECT_EQ(round_trip("{\"b\":[1,2.0,1e21,1E-7,0.000001,-0.0],\"a\":\"\\u20ac$\\u000f\\n\"}"),
            "{\"a\":\"\u20ac$\\u000f\\n\",\"b\":[1,2,1e+21,1e-7,0.000001,0]}");
  // The sorting example of RFC 8785 section 3.2.3.
  EXPECT_EQ(
      round_trip(
          "{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,\"\\u0080\":6,\"\\u00f6\":7}"),
      "{\"\\r\":2,\"1\":4,\"\u0080\":6,\"\u00f6\":7,\"\u20ac\":1,\"\U0001F600\":5,\"\uFB33\":3}");
  EXPECT_EQ(round_trip("[[],{}]"), "[[],{}]");
}

TEST(Json, RefusesIntegersThatDoublesCannotHold) {
  EXPECT_EQ(round_trip("9007199254740991"), "9007199254740991");
  EXPECT_TRUE(round_trip("9007199254740992").starts_with("refused"));
  EXPECT_TRUE(round_trip("-9007199254740992").starts_with("refused"));
  EXPECT_TRUE(round_trip("18446744073709551615").starts_with("refused"));
}

}  // namespace
}  // namespace imprimatur
