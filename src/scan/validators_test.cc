#include "scan/validators.h"

#include <gtest/gtest.h>

namespace imprimatur::scan {
namespace {

TEST(Validators, CheckDigits) {
  EXPECT_TRUE(luhn_valid("4556 7375 8689 9855"));
  EXPECT_FALSE(luhn_valid("4556 7375 8689 9856"));
  EXPECT_TRUE(iban_valid("DE02 1203 0000 0000 2020 51"));
  EXPECT_FALSE(iban_valid("DE02 1203 0000 0000 2020 52"));
  EXPECT_FALSE(iban_valid("DE02 1203 0000 0000 2020")) << "too short for its country";
  EXPECT_TRUE(ssn_plausible("536-90-4399"));
  for (const char* impossible :
       {"000-12-3456", "666-12-3456", "900-12-3456", "536-00-4399", "536-90-0000", "078-05-1120"})
    EXPECT_FALSE(ssn_plausible(impossible)) << impossible;
}

TEST(Validators, NumbersOfTheDocumentationAreNobodys) {
  const Validator card = validator_named("live_card");
  EXPECT_TRUE(card("4556 7375 8689 9855"));
  EXPECT_FALSE(card("4111-1111-1111-1111"));
  EXPECT_FALSE(card("4242424242424242"));
  const Validator email = validator_named("email");
  EXPECT_TRUE(email("maria@acme-corp.net"));
  EXPECT_FALSE(email("maria@Example.com"));
}

TEST(Validators, Placeholders) {
  for (const char* placeholder :
       {"sk-your-key-here", "AKIAIOSFODNN7EXAMPLE", "xxxxxxxxxxxx", "<token>", "{{key}}",
        "abcdefghijklmnopqrstuvwxyz", "12345678901234567890", "ghp_****"})
    EXPECT_TRUE(is_placeholder(placeholder)) << placeholder;
  EXPECT_FALSE(is_placeholder("ghp_Qw3Lr6Tp1Xv9Bn4Mc7Ys2Hd5Gf0JaZk8RtuV"));
}

TEST(Validators, EntropyIsBitsACharacter) {
  EXPECT_EQ(entropy(""), 0);
  EXPECT_EQ(entropy("aaaa"), 0);
  EXPECT_DOUBLE_EQ(entropy("abcd"), 2);
}

TEST(Validators, UnknownNamesAreRefused) { EXPECT_EQ(validator_named("no_such"), nullptr); }

}  // namespace
}  // namespace imprimatur::scan
