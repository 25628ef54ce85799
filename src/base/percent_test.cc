#include "base/percent.h"

#include <gtest/gtest.h>

namespace imprimatur {
namespace {

TEST(Percent, DecodesAndRefuses) {
  EXPECT_EQ(percent_decode("a%2Fb%20c%e2%82%ac+"), "a/b c\u20ac+");
  EXPECT_EQ(percent_decode("a+b%2B", Plus::space), "a b+");
  for (const char* bad :
       {"%", "%2", "%zz", "a%2", "%00", "%0a", "%7F", "%c0%80", "%ff", "%ed%a0%80", "\x01", "%-1"}) {
    EXPECT_FALSE(percent_decode(bad)) << bad;
  }
}

TEST(Percent, EncodingComesBack) {
  std::string all;
  for (int c = 0x20; c < 0x7F; ++c) all.push_back(static_cast<char>(c));
  all += "\u20ac\U0001F600";
  EXPECT_EQ(percent_decode(percent_encode(all)), all);
  EXPECT_EQ(percent_encode("a/b c~"), "a%2Fb%20c~");
}

TEST(Percent, TargetKeepsEncodedSlashesInOneSegment) {
  const auto target = parse_target("/api/support%2Freply/x?version=%5E1.2&label=a+b&flag&&e=");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->segments, (std::vector<std::string>{"api", "support/reply", "x"}));
  EXPECT_EQ(target->query, (std::vector<std::pair<std::string, std::string>>{
                               {"version", "^1.2"}, {"label", "a b"}, {"flag", ""}, {"e", ""}}));
  EXPECT_EQ(parse_target("/")->segments, std::vector<std::string>{""});
  EXPECT_EQ(parse_target("/a//b/")->segments, (std::vector<std::string>{"a", "", "b", ""}));
}

TEST(Percent, TargetRefusesTraversalAndFloods) {
  for (const char* bad :
       {"", "a", "*", "http://h/", "/..", "/a/%2e%2E/b", "/.", "/%", "/a?%", "/a?x=%0d", "/?%ff"}) {
    EXPECT_FALSE(parse_target(bad).ok()) << bad;
  }
  EXPECT_TRUE(parse_target("/a%2F..%2Fb").ok()) << "what a name may hold is for the names to say";
  EXPECT_EQ(parse_target("/a/b/c", {.segments = 2}).error().code, ErrorCode::too_large);
  EXPECT_EQ(parse_target("/?a&b&c", {.parameters = 2}).error().code, ErrorCode::too_large);
}

}  // namespace
}  // namespace imprimatur
