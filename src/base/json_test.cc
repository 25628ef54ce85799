#include "base/json.h"

#include "base/property_test.h"

#include <bit>
#include <cmath>

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

// Parsers that round twice miss the nearest double for some of these.
TEST(Json, NumbersAreTheNearestDouble) {
  EXPECT_EQ(round_trip("9007199254740993223808"), "9.007199254740993e+21");
  EXPECT_EQ(round_trip("[5e-324,2.2250738585072011e-308,1.7976931348623157e308,1e23,8.41e21]"),
            "[5e-324,2.225073858507201e-308,1.7976931348623157e+308,1e+23,8.41e+21]");
  EXPECT_EQ(round_trip("[123456789.123456789e-9,-0.0,-1e-999,1E+2,0.1e1]"),
            "[0.12345678912345678,0,0,100,1]");
  EXPECT_TRUE(round_trip("1e400").starts_with("refused"));
  EXPECT_TRUE(round_trip("-1e400").starts_with("refused"));
  EXPECT_TRUE(round_trip("1" + std::string(400, '0')).starts_with("refused"));
  for_random(5000, [](Random& random) {
    const std::uint64_t high = random.below(1ULL << 32), low = random.below(1ULL << 32);
    const double number = std::bit_cast<double>(high << 32 | low);
    if (!std::isfinite(number)) return;
    const auto parsed = parse_json(ecmascript_number(number));
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(parsed->to_number<double>(), number) << ecmascript_number(number);
  });
}

TEST(Json, RefusesIntegersThatDoublesCannotHold) {
  EXPECT_EQ(round_trip("9007199254740991"), "9007199254740991");
  EXPECT_TRUE(round_trip("9007199254740992").starts_with("refused"));
  EXPECT_TRUE(round_trip("-9007199254740992").starts_with("refused"));
  EXPECT_TRUE(round_trip("18446744073709551615").starts_with("refused"));
  // However they are written: the canonical form would be an integer again.
  for (const char* integer : {"9007199254740992.0", "1e19", "-1e20", "123456789012345680000.0"}) {
    EXPECT_TRUE(round_trip(integer).starts_with("refused")) << integer;
  }
  EXPECT_EQ(round_trip("[9007199254740991.0,-1e15,1e21]"), "[9007199254740991,-1000000000000000,1e+21]");
}

}  // namespace
}  // namespace imprimatur
