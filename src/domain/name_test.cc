#include "domain/name.h"

#include "base/property_test.h"

#include <thread>

#include <gtest/gtest.h>

namespace imprimatur {
namespace {

TEST(Name, ArtifactNamesAreTakenAsTheyAre) {
  for (const std::string name : {"a", "support/reply", "Größe/Ünï", "a b/c.d", "日本語/プロンプト", "..a/a..",
                                 ".hidden", "x/1", "naïve:é", "emoji \U0001F600"}) {
    const auto checked = checked_artifact_name(name);
    ASSERT_TRUE(checked.ok()) << name << ": " << checked.error().detail;
    EXPECT_EQ(*checked, name);
  }
  EXPECT_TRUE(checked_artifact_name(std::string(255, 'a')).ok());
}

TEST(Name, BadArtifactNamesAreRefused) {
  const std::vector<std::string> bad{"",
                                     "/",
                                     "a/",
                                     "/a",
                                     "a//b",
                                     ".",
                                     "..",
                                     "a/../b",
                                     "a/./b",
                                     "../a",
                                     " a",
                                     "a ",
                                     "a /b",
                                     "a/ b",
                                     "\u00A0a",
                                     "a\u3000",
                                     "a@1",
                                     "a?b",
                                     "a#b",
                                     "a\\b",
                                     "a\nb",
                                     "a\tb",
                                     std::string("a\0b", 3),
                                     "a\x7F",
                                     "a\u0085",
                                     "a\u200Bb",
                                     "a\u200Db",
                                     "a\u202Eb",
                                     "a\uFEFF",
                                     "a\u00ADb",
                                     "a\u2028b",
                                     "a\u2029",
                                     "a\uE000",
                                     "a\U000F0000",
                                     "a\u0378",
                                     "a\uFFFF",
                                     "a\U000E0041",
                                     "a\uFE0F",
                                     "a\u3164",
                                     "a\u034Fb",
                                     "e\u0301",
                                     "\u212B",
                                     "\u1100\u1161",
                                     "\xC0\x80",
                                     "a\xFF",
                                     "\xED\xA0\x80",
                                     std::string(256, 'a'),
                                     std::string(10'000, 'a')};
  for (const std::string& name : bad) {
    const auto checked = checked_artifact_name(name);
    ASSERT_FALSE(checked.ok()) << name;
    EXPECT_EQ(checked.error().code, ErrorCode::invalid);
    EXPECT_FALSE(checked.error().detail.empty());
    EXPECT_LT(checked.error().detail.size(), 200U);
  }
}

TEST(Name, LookAlikesShareASkeleton) {
  const std::vector<std::pair<std::string, std::string>> same{{"support/reply", "Support/Reply"},
                                                              {"paypal", "p\u0430yp\u0430l"},
                                                              {"PROD", "PR0D"},
                                                              {"scope", "\u0455cope"},
                                                              {"straße", "STRASSE"},
                                                              {"modern", "modem"},
                                                              {"ｆｕｌｌ", "full"},
                                                              {"\u0391pi", "api"},
                                                              {"a/b", "a\u2044b"},
                                                              {"a-b", "a\u2010b"},
                                                              {"fi", "\uFB01"},
                                                              {"1", "l"},
                                                              {"i", "\u0131"},
                                                              {"σ", "ς"}};
  for (const auto& [a, b] : same) EXPECT_EQ(skeleton_of(a), skeleton_of(b)) << a << " " << b;
  const std::vector<std::pair<std::string, std::string>> different{{"support/reply", "support/replies"},
                                                                   {"a", "b"},
                                                                   {"v1", "v2"},
                                                                   {"é", "e"},
                                                                   {"a/b", "ab"},
                                                                   {"日本", "日木"}};
  for (const auto& [a, b] : different) EXPECT_NE(skeleton_of(a), skeleton_of(b)) << a << " " << b;
}

TEST(Name, ASkeletonIsItsOwnSkeletonInAnyCase) {
  const std::vector<std::string> pieces{"a", "B",      "0",      "O",  "1",          "l", "I",      "m", "rn",
                                        "/", "-",      "ß",      "ſ",  "ı",          "İ", "ﬁ",      "Ω", "ς",
                                        "é", "\u0430", "\u0455", "日", "\U0001D400", "ǅ", "\u0390", " "};
  for_random(2000, [&](Random& random) {
    const std::string name = random.text(pieces, 12);
    const std::string skeleton = skeleton_of(name);
    EXPECT_EQ(skeleton_of(skeleton), skeleton) << name;
    std::string upper = name;
    for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    EXPECT_EQ(skeleton_of(upper), skeleton) << name;
  });
}

TEST(Name, SafeFromManyThreads) {
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 200; ++n) {
        wrong += skeleton_of("P\u0430ypal") != skeleton_of("paypal");
        wrong += !checked_artifact_name("Größe/x").ok();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Name, ShortNames) {
  for (const std::string good : {"a", "customer-care", "v1.2", "a_b", "0"})
    EXPECT_TRUE(checked_short_name(good).ok());
  EXPECT_TRUE(checked_short_name(std::string(64, 'a')).ok());
  for (const std::string& bad :
       std::vector<std::string>{"", "A", "-a", "a-", ".a", "a.", "_", "a b", "ä", "a/b", "..",
                                std::string(65, 'a'), std::string(10'000, 'a')}) {
    EXPECT_FALSE(checked_short_name(bad).ok()) << bad;
  }
}

TEST(Name, DisplayNamesAndEmails) {
  EXPECT_TRUE(checked_display_name("Ann O'Neil-Müller").ok());
  for (const std::string& bad :
       std::vector<std::string>{"", " Ann", "Ann ", "A\nB", "A\u202EB", std::string(201, 'a'), "e\u0301"}) {
    EXPECT_FALSE(checked_display_name(bad).ok()) << bad;
  }
  EXPECT_EQ(*checked_email("Ann.Lee@Example.COM"), "ann.lee@example.com");
  EXPECT_EQ(*checked_email("admin@localhost"), "admin@localhost");
  for (const std::string& bad :
       std::vector<std::string>{"", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\n", "a\u00A0@b", "ann",
                                "a\u200B@b", std::string(250, 'a') + "@b.cc", std::string(10'000, '@')}) {
    EXPECT_FALSE(checked_email(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace imprimatur
