#include "domain/semver.h"

#include "base/property_test.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace imprimatur {
namespace {

Semver version(std::string_view text) {
  const auto parsed = parse_semver(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return parsed.ok() ? *parsed : Semver{};
}

Semver random_version(Random& random) {
  Semver out{random.between(0, 2), random.between(0, 2), random.between(0, 2), {}, {}};
  const std::vector<std::string> parts{"0", "1", "10", "2", "alpha", "beta", "Beta", "a-b", "x7"};
  if (random.one_in(2)) {
    for (std::size_t n = 1 + random.below(3); n > 0; --n) out.prerelease.push_back(random.pick(parts));
  }
  if (random.one_in(4)) out.build = "build.5";
  return out;
}

TEST(Semver, ParsesAndWritesBack) {
  for (const char* text : {"0.0.0", "1.2.3", "10.20.30", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-0.3.7",
                           "1.0.0--", "1.0.0-x-y-z.-", "1.0.0+20130313144700", "1.0.0-beta+exp.sha.5114f85",
                           "1.0.0+001", "9007199254740991.0.0"}) {
    EXPECT_EQ(to_text(version(text)), text);
  }
}

TEST(Semver, RefusesWhatTheSpecificationRefuses) {
  for (const std::string& bad : std::vector<std::string>{"",
                                                         "1",
                                                         "1.2",
                                                         "1.2.3.4",
                                                         "01.2.3",
                                                         "1.02.3",
                                                         "1.2.03",
                                                         "v1.2.3",
                                                         "1.2.3-",
                                                         "1.2.3+",
                                                         "1.2.3-01",
                                                         "1.2.3-a..b",
                                                         "1.2.3-a_b",
                                                         "1.2.3+a+b",
                                                         "-1.2.3",
                                                         "1.-2.3",
                                                         "1.2.x",
                                                         " 1.2.3",
                                                         "1.2.3 ",
                                                         "1.2.3\n",
                                                         "1..3",
                                                         "a.b.c",
                                                         "9007199254740992.0.0",
                                                         "99999999999999999999.0.0",
                                                         "1.2.3-ä",
                                                         std::string(10'000, '1'),
                                                         "1.2.3-" + std::string(10'000, 'a')}) {
    EXPECT_FALSE(parse_semver(bad).ok()) << bad;
  }
}

TEST(Semver, OrderOfTheSpecification) {
  const std::vector<std::string> ascending{
      "0.0.1",      "0.1.0",        "1.0.0-alpha",   "1.0.0-alpha.1", "1.0.0-alpha.beta",
      "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",    "1.0.0",
      "1.0.1",      "1.1.0",        "1.10.0",        "2.0.0-0",       "2.0.0"};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      EXPECT_EQ(compare(version(ascending[i]), version(ascending[j])), i <=> j)
          << ascending[i] << " " << ascending[j];
    }
  }
  EXPECT_EQ(compare(version("1.0.0+a"), version("1.0.0+b")), std::strong_ordering::equal);
}

TEST(Semver, OrderIsTotal) {
  for_random(3000, [](Random& random) {
    const Semver a = random_version(random), b = random_version(random), c = random_version(random);
    EXPECT_EQ(compare(a, a), std::strong_ordering::equal);
    EXPECT_EQ(compare(a, b), 0 <=> compare(b, a));
    if (compare(a, b) <= 0 && compare(b, c) <= 0) {
      EXPECT_TRUE(compare(a, c) <= 0);
    }
    if (compare(a, b) == 0) {
      EXPECT_EQ(compare(a, c), compare(b, c));
    }
  });
}

TEST(Semver, ABumpIsAlwaysAbove) {
  for_random(2000, [](Random& random) {
    const Semver before = random_version(random);
    Semver last = before;
    for (const Bump bump : {Bump::patch, Bump::minor, Bump::major}) {
      const Semver after = bumped(before, bump);
      EXPECT_TRUE(compare(after, before) > 0) << to_text(before) << " " << to_text(after);
      EXPECT_TRUE(compare(after, last) >= 0);
      EXPECT_TRUE(after.prerelease.empty() && after.build.empty());
      last = after;
    }
  });
  EXPECT_EQ(to_text(bumped(version("1.2.3"), Bump::minor)), "1.3.0");
  EXPECT_EQ(to_text(bumped(version("1.2.3-beta"), Bump::patch)), "1.2.3");
  EXPECT_EQ(to_text(bumped(version("1.2.0-beta"), Bump::minor)), "1.2.0");
  EXPECT_EQ(to_text(bumped(version("1.2.3-beta"), Bump::minor)), "1.3.0");
  EXPECT_EQ(to_text(bumped(version("2.0.0-beta"), Bump::major)), "2.0.0");
  EXPECT_EQ(to_text(bumped(version("1.2.3-beta+b"), Bump::none)), "1.2.3-beta+b");
}

struct RangeRow {
  const char* range;
  const char* matches;  // one digit a version of kVersions
};

const std::vector<std::string> kVersions{
    "0.0.0",         "0.0.3",         "0.0.3-beta",   "0.0.4",        "0.1.0",   "0.2.3",
    "0.2.9",         "0.3.0",         "1.0.0-0",      "1.0.0",        "1.2.0",   "1.2.2",
    "1.2.3-alpha.3", "1.2.3-alpha.7", "1.2.3-beta.2", "1.2.3-beta.4", "1.2.3",   "1.2.3+build.5",
    "1.2.4-beta.2",  "1.2.4",         "1.3.0",        "1.9.9",        "2.0.0-0", "2.0.0-alpha",
    "2.0.0-beta",    "2.0.0",         "2.3.4",        "2.3.5",        "2.4.0",   "3.0.0",
    "10.0.0"};

// Answers of npm's own `semver` package (7.8), so that ranges mean what people know them to mean.
TEST(SemverRange, AnswersLikeNpm) {
  const RangeRow rows[] = {
      {"1.2.3", "0000000000000000110000000000000"},
      {"=1.2.3", "0000000000000000110000000000000"},
      {"^1.2.3", "0000000000000000110111000000000"},
      {"^1.2", "0000000000110000110111000000000"},
      {"^1", "0000000001110000110111000000000"},
      {"^0.2.3", "0000011000000000000000000000000"},
      {"^0.2", "0000011000000000000000000000000"},
      {"^0.0.3", "0100000000000000000000000000000"},
      {"^0.0", "1101000000000000000000000000000"},
      {"^0", "1101111100000000000000000000000"},
      {"^1.2.3-beta.2", "0000000000000011110111000000000"},
      {"^0.0.3-beta", "0110000000000000000000000000000"},
      {"~1.2.3", "0000000000000000110100000000000"},
      {"~1.2", "0000000000110000110100000000000"},
      {"~1", "0000000001110000110111000000000"},
      {"~0", "1101111100000000000000000000000"},
      {"~1.2.3-beta.2", "0000000000000011110100000000000"},
      {">1.2.3", "0000000000000000000111000111111"},
      {">=1.2.3", "0000000000000000110111000111111"},
      {"<1.2.3", "1101111101110000000000000000000"},
      {"<=1.2.3", "1101111101110000110000000000000"},
      {">1.2", "0000000000000000000011000111111"},
      {">=1.2", "0000000000110000110111000111111"},
      {"<1.2", "1101111101000000000000000000000"},
      {"<=1.2", "1101111101110000110100000000000"},
      {">1", "0000000000000000000000000111111"},
      {"<1", "1101111100000000000000000000000"},
      {"<=1", "1101111101110000110111000000000"},
      {">=1", "0000000001110000110111000111111"},
      {"1.x", "0000000001110000110111000000000"},
      {"1.2.x", "0000000000110000110100000000000"},
      {"1.*", "0000000001110000110111000000000"},
      {"*", "1101111101110000110111000111111"},
      {"", "1101111101110000110111000111111"},
      {"x", "1101111101110000110111000111111"},
      {"1", "0000000001110000110111000000000"},
      {"1.2", "0000000000110000110100000000000"},
      {"1.2.3 - 2.3.4", "0000000000000000110111000110000"},
      {"1.2 - 2.3.4", "0000000000110000110111000110000"},
      {"1.2.3 - 2.3", "0000000000000000110111000111000"},
      {"1.2.3 - 2", "0000000000000000110111000111100"},
      {">=1.2.3 <2.0.0", "0000000000000000110111000000000"},
      {">=1.2.3 <1.3.0 || >=2", "0000000000000000110100000111111"},
      {"1.2.3 || ^2", "0000000000000000110000000111100"},
      {">1.2.3-alpha.3", "0000000000000111110111000111111"},
      {">=1.2.3-alpha <2", "0000000000001111110111000000000"},
      {"<2.0.0-beta", "1101111101110000110111110000000"},
      {">=  1.2.3", "0000000000000000110111000111111"},
      {"^ 1.2", "0000000000110000110111000000000"},
      {">*", "0000000000000000000000000000000"},
      {"<*", "0000000000000000000000000000000"},
      {"<=*", "1101111101110000110111000111111"},
      {"^*", "1101111101110000110111000111111"},
      {"~*", "1101111101110000110111000111111"},
      {"1.2.3-beta.2", "0000000000000010000000000000000"},
      {"* - 2", "1101111101110000110111000111100"},
      {"1 - *", "0000000001110000110111000111111"},
      {">=1.0.0-0", "0000000011110000110111000111111"},
      {"~0.0.1", "0101000000000000000000000000000"},
  };
  for (const RangeRow& row : rows) {
    const auto range = SemverRange::parse(row.range);
    ASSERT_TRUE(range.ok()) << row.range;
    std::string matches;
    for (const std::string& one : kVersions) matches += range->contains(version(one)) ? '1' : '0';
    EXPECT_EQ(matches, row.matches) << row.range;
  }
}

TEST(SemverRange, RefusesWhatIsNoRange) {
  for (const std::string& bad : std::vector<std::string>{"1.2.3.4",
                                                         "1.x-alpha",
                                                         "x.1",
                                                         "1.x.3",
                                                         ">",
                                                         "^",
                                                         "1..2",
                                                         "01.2.3",
                                                         "a",
                                                         "1.2.3 -2",
                                                         "> = 1",
                                                         ">=1<2",
                                                         "1.2.3-",
                                                         "1.2.3+",
                                                         "=>1",
                                                         "1.2.3 - 2 - 3",
                                                         "latest",
                                                         "^^1",
                                                         "1.2.3 ||| 2",
                                                         "\xff",
                                                         std::string(10'000, '1'),
                                                         std::string(10'000, '|')}) {
    EXPECT_FALSE(SemverRange::parse(bad).ok()) << bad;
  }
}

TEST(SemverRange, Laws) {
  for_random(3000, [](Random& random) {
    const Semver base = random_version(random), other = random_version(random);
    const std::string text = to_text(base);
    const auto in = [&](const std::string& range) { return SemverRange::parse(range)->contains(other); };
    EXPECT_TRUE(SemverRange::parse(text)->contains(base));
    EXPECT_TRUE(SemverRange::parse("^" + text)->contains(base));
    EXPECT_TRUE(SemverRange::parse("~" + text)->contains(base));
    // Tilde is within caret where the major is not zero; both only look upwards.
    if (base.major > 0 && in("~" + text)) {
      EXPECT_TRUE(in("^" + text));
    }
    if (in("^" + text)) {
      EXPECT_TRUE(compare(other, base) >= 0);
    }
    if (in("^" + text) && base.major > 0) {
      EXPECT_EQ(other.major, base.major);
    }
    // "or" is a union and "and" an intersection, but for prereleases, which either side may invite.
    const std::string second = to_text(random_version(random));
    EXPECT_EQ(in("^" + text + " || ~" + second), in("^" + text) || in("~" + second));
    if (other.prerelease.empty()) {
      EXPECT_EQ(in(">=" + text + " <" + second), in(">=" + text) && in("<" + second));
      EXPECT_NE(in(">=" + text), in("<" + text));
      EXPECT_NE(in(">" + text), in("<=" + text));
    }
  });
}

Content content() {
  Content out;
  out.name = "a";
  out.semver = "1.4.2";
  out.text = "Hello {{name}}";
  out.variables = {{"name", VariableType::string, true, "", ""},
                   {"tone", VariableType::string, false, "", ""}};
  out.model = ModelBinding{"openai", "gpt-5", 0.5, {}, {}};
  return out;
}

struct Change {
  const char* what;
  Bump bump;
  void (*apply)(Content&);
};

const Change kChanges[] = {
    {"nothing", Bump::none, [](Content&) {}},
    {"semver", Bump::none, [](Content& c) { c.semver = "9.0.0"; }},
    {"model", Bump::patch,
     [](Content& c) {
       c.model = ModelBinding{"openai", "gpt-5", 0.6, {}, {}};
     }},
    {"no model", Bump::patch, [](Content& c) { c.model.reset(); }},
    {"config", Bump::patch, [](Content& c) { c.config = "{}"; }},
    {"description", Bump::patch, [](Content& c) { c.variables[0].description = "who"; }},
    {"default", Bump::patch, [](Content& c) { c.variables[1].default_json = "\"x\""; }},
    {"order of variables", Bump::patch, [](Content& c) { std::swap(c.variables[0], c.variables[1]); }},
    {"text", Bump::minor, [](Content& c) { c.text += "!"; }},
    {"tools", Bump::minor, [](Content& c) { c.tools = "[]"; }},
    {"output schema", Bump::minor, [](Content& c) { c.output_schema = "{}"; }},
    {"layers", Bump::minor,
     [](Content& c) {
       c.layers = {{"b", "^1"}};
     }},
    {"lock", Bump::minor,
     [](Content& c) {
       c.lock = {{"b", 1, "sha256:"}};
     }},
    {"optional variable", Bump::minor,
     [](Content& c) {
       c.variables.push_back({"new", VariableType::string, false, "", ""});
     }},
    {"no longer required", Bump::minor, [](Content& c) { c.variables[0].required = false; }},
    {"required variable", Bump::major,
     [](Content& c) {
       c.variables.push_back({"new", VariableType::string, true, "", ""});
     }},
    {"newly required", Bump::major, [](Content& c) { c.variables[1].required = true; }},
    {"retyped", Bump::major, [](Content& c) { c.variables[1].type = VariableType::number; }},
    {"removed", Bump::major, [](Content& c) { c.variables.pop_back(); }},
    {"renamed", Bump::major, [](Content& c) { c.variables[1].name = "mood"; }},
    {"type", Bump::major, [](Content& c) { c.type = ContentType::chat; }},
    {"kind", Bump::major, [](Content& c) { c.kind = ArtifactKind::policy; }},
};

TEST(Bump, EachChangeAsksForItsStep) {
  for (const Change& change : kChanges) {
    Content after = content();
    change.apply(after);
    EXPECT_EQ(required_bump(content(), after), change.bump) << change.what;
  }
}

TEST(Bump, NextSemverSuggestsAndRefuses) {
  const Content before = content();
  Content minor = before, major = before;
  minor.text += "!";
  major.variables.clear();
  EXPECT_EQ(*next_semver(before, before, ""), "1.4.3");
  EXPECT_EQ(*next_semver(before, minor, ""), "1.5.0");
  EXPECT_EQ(*next_semver(before, major, ""), "2.0.0");
  EXPECT_EQ(*next_semver(before, minor, "1.7.0"), "1.7.0");
  EXPECT_EQ(*next_semver(before, minor, "2.0.0-beta.1"), "2.0.0-beta.1");
  for (const char* smaller : {"1.4.3", "1.4.2", "1.4.1", "1.0.0", "0.9.0", "1.4.2+build", "1.4.3-beta"}) {
    EXPECT_FALSE(next_semver(before, minor, smaller).ok()) << smaller;
  }
  EXPECT_EQ(next_semver(before, minor, "1.4.3").error().detail,
            "this change is minor, and 1.4.3 is a smaller step from 1.4.2; 1.5.0 would do");
  EXPECT_EQ(next_semver(before, minor, "1.4.3").error().code, ErrorCode::unprocessable);
  EXPECT_EQ(next_semver(before, minor, "one").error().code, ErrorCode::invalid);
  EXPECT_FALSE(next_semver(before, major, "1.5.0").ok());
  Content beta = before;
  beta.semver = "2.0.0-beta.1";
  EXPECT_EQ(*next_semver(beta, major, ""), "2.0.0");
  EXPECT_EQ(*next_semver(beta, major, "2.0.0-beta.2"), "2.0.0-beta.2");
  Content last = before;
  last.semver = "9007199254740991.0.0";
  EXPECT_FALSE(next_semver(last, major, "").ok());
}

TEST(Bump, NobodyCanAskForANumberThatLeavesNoNextOne) {
  Content before = content();
  const Content after = before;
  before.semver = "1.0.0";
  for (const char* huge :
       {"1000000.0.0", "1.1000000.0", "1.0.1000000", "9007199254740991.9007199254740991.9"}) {
    EXPECT_EQ(next_semver(before, after, huge).error().code, ErrorCode::invalid) << huge;
    EXPECT_FALSE(requested_semver(huge).ok()) << huge;
  }
  // The largest that one can ask for, and the program goes on from there by itself.
  EXPECT_EQ(*next_semver(before, after, "999999.999999.999999"), "999999.999999.999999");
  before.semver = "999999.999999.999999";
  for (const Bump bump : {Bump::patch, Bump::minor, Bump::major}) {
    const Semver next = bumped(version(before.semver), bump);
    EXPECT_TRUE(parse_semver(to_text(next)).ok());
  }
  EXPECT_EQ(*next_semver(before, after, ""), "999999.999999.1000000");
}

TEST(Bump, WhatNextSemverAnswersIsAboveAndLargeEnough) {
  for_random(1500, [](Random& random) {
    Content before = content(), after = before;
    before.semver = to_text(random_version(random));
    random.pick(std::vector<Change>(std::begin(kChanges), std::end(kChanges))).apply(after);
    const std::string wanted = random.one_in(2) ? "" : to_text(random_version(random));
    const auto next = next_semver(before, after, wanted);
    if (!next.ok()) return;
    EXPECT_TRUE(compare(version(*next), version(before.semver)) > 0);
    if (!wanted.empty()) {
      EXPECT_EQ(*next, wanted);
    }
    // A reader who stays within ^before never meets a change that breaks it, once past 0.x.
    const Semver old = version(before.semver);
    if (required_bump(before, after) == Bump::major && old.major > 0 && old.prerelease.empty()) {
      EXPECT_FALSE(SemverRange::parse("^" + before.semver)->contains(version(*next)))
          << before.semver << " " << *next;
    }
  });
}

}  // namespace
}  // namespace imprimatur
