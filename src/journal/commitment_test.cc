#include "journal/commitment.h"

#include "base/hash.h"

#include <gtest/gtest.h>

namespace imprimatur::journal {
namespace {

TEST(Commitment, IsPinnedAndTellsSaltsAndTextsApart) {
  EXPECT_EQ(commitment("00ff", "I approve"),
            "sha256:" + to_hex(sha256("imprimatur-commitment-v1\n00ff\nI approve")));
  EXPECT_NE(commitment("00ff", "I approve"), commitment("00fe", "I approve"));
  EXPECT_NE(commitment("00ff", "I approve"), commitment("00ff", "I do not agree"));
  EXPECT_NE(person_text("a@b", "c"), person_text("a@bc", ""));
  EXPECT_EQ(new_salt().size(), 32u);
  EXPECT_NE(new_salt(), new_salt());
  EXPECT_DEATH(commitment("", "text"), "without a salt");
}

}  // namespace
}  // namespace imprimatur::journal
