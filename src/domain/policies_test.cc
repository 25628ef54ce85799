#include "domain/policies.h"

#include <gtest/gtest.h>

namespace imprimatur {
namespace {

std::string merged(const std::string& a, const std::string& b) {
  const auto both = merged_rules({{"reply > a@1.0.0", a}, {"reply > b@1.0.0", b}});
  return both.ok() ? *both : both.error().detail;
}

TEST(Policies, RulesThatAgreeBecomeOne) {
  EXPECT_EQ(*merged_rules({}), "{}");
  EXPECT_EQ(merged(R"({"days":30})", R"({"currency":"EUR"})"), R"({"currency":"EUR","days":30})");
  EXPECT_EQ(merged(R"({"limits":{"a":1}})", R"({"limits":{"b":2}})"), R"({"limits":{"a":1,"b":2}})");
  EXPECT_EQ(merged(R"({"days":30,"list":[1,2]})", R"({"days":30,"list":[1,2]})"),
            R"({"days":30,"list":[1,2]})");
  EXPECT_EQ(merged(R"({"tools":{"allow":["search"]}})", R"({"tools":{"deny":["refund"]}})"),
            R"({"tools":{"allow":["search"],"deny":["refund"]}})");
  // What is allowed in one place may be denied in another.
  EXPECT_EQ(merged(R"({"a":{"allow":["x"]}})", R"({"b":{"deny":["x"]}})"),
            R"({"a":{"allow":["x"]},"b":{"deny":["x"]}})");
  // Members are not taken for each other however their names are written.
  EXPECT_EQ(merged(R"({"a/b":{"allow":["x"]}})", R"({"a":{"b":{"deny":["x"]}}})"),
            R"({"a":{"b":{"deny":["x"]}},"a/b":{"allow":["x"]}})");
}

TEST(Policies, DifferentValuesUnderOneKeyAreRefusedWithBothPaths) {
  EXPECT_EQ(merged(R"({"limits":{"days":30}})", R"({"limits":{"days":14}})"),
            "the rules do not agree: at /limits/days reply > a@1.0.0 says 30, and reply > b@1.0.0 says 14");
  EXPECT_EQ(merged(R"({"a":{"b":1}})", R"({"a":2})"),
            R"(the rules do not agree: at /a reply > a@1.0.0 says {"b":1}, and reply > b@1.0.0 says 2)");
  EXPECT_NE(merged(R"({"list":[1,2]})", R"({"list":[2,1]})").find("do not agree"), std::string::npos);
  EXPECT_NE(merged(R"({"refunds":"allow"})", R"({"refunds":"deny"})").find("do not agree"),
            std::string::npos);
  const auto refused = merged_rules({{"a", R"({"x":1})"}, {"b", R"({"x":2})"}});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::unprocessable);
  EXPECT_EQ(refused.error().reasons, std::vector<std::string>{refused.error().detail});
}

TEST(Policies, AllowAgainstDenyIsRefusedWithBothPaths) {
  EXPECT_EQ(merged(R"({"tools":{"allow":["search","refund"]}})", R"({"tools":{"deny":["refund"]}})"),
            "the rules do not agree: at /tools reply > a@1.0.0 allows \"refund\", and reply > b@1.0.0 denies "
            "\"refund\"");
  // In whichever order they come.
  EXPECT_EQ(
      merged(R"({"deny":["refund"]})", R"({"allow":["refund"]})"),
      "the rules do not agree: at the top reply > b@1.0.0 allows \"refund\", and reply > a@1.0.0 denies "
      "\"refund\"");
  for (const auto& [a, b] : {std::pair{R"({"allow":true})", R"({"deny":["x"]})"},
                             std::pair{R"({"allow":["*"]})", R"({"deny":["x"]})"},
                             std::pair{R"({"allow":["x"]})", R"({"deny":true})"},
                             std::pair{R"({"allow":"x"})", R"({"deny":{"x":true}})"},
                             std::pair{R"({"allow":{"x":{"upTo":5}}})", R"({"deny":["x"]})"},
                             std::pair{R"({"allow":[7]})", R"({"deny":7})"}}) {
    EXPECT_NE(merged(a, b).find("do not agree"), std::string::npos) << a << b;
  }
  for (const auto& [a, b] : {std::pair{R"({"allow":true})", R"({"deny":[]})"},
                             std::pair{R"({"allow":["x"]})", R"({"deny":false})"},
                             std::pair{R"({"allow":["x"]})", R"({"deny":{"x":false}})"},
                             std::pair{R"({"allow":["x"]})", R"({"deny":null})"}}) {
    EXPECT_EQ(merged(a, b).find("do not agree"), std::string::npos) << a << b;
  }
  // Also of one alone.
  EXPECT_FALSE(merged_rules({{"a", R"({"t":{"allow":["x"],"deny":["x"]}})"}}).ok());
}

}  // namespace
}  // namespace imprimatur
