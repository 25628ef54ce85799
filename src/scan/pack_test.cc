#include "scan/pack.h"

#include "scan/ruleset.h"
#include "scan/scan.h"

#include <set>

#include <gtest/gtest.h>

namespace imprimatur::scan {
namespace {

const Ruleset& built_in() {
  static const Ruleset rules = Ruleset::built_in().value();
  return rules;
}

bool finds(const Example& example, const std::string& rule) {
  TemplateView view;
  view.form = example.role.empty() ? TemplateForm::text : TemplateForm::chat;
  view.parts = {{example.role, example.text}};
  view.tools_json = example.tools;
  const ScanReport report = scan(view, built_in());
  EXPECT_NE(report.status, ScanStatus::error) << report.reason;
  for (const Finding& finding : report.findings)
    if (finding.rule == rule && finding.framing == Framing::active) return true;
  return false;
}

TEST(BuiltInPacks, EveryExampleIsWhatItSays) {
  for (const CompiledRule& rule : built_in().rules()) {
    const RuleSpec& spec = rule.spec;
    EXPECT_GE(spec.bad.size(), 3u) << spec.id;
    EXPECT_GE(spec.good.size(), 3u) << spec.id;
    for (const Example& example : spec.bad)
      EXPECT_TRUE(finds(example, spec.id)) << spec.pack << ":" << example.line << ": " << spec.id
                                           << " should find: " << example.text << example.tools;
    for (const Example& example : spec.good)
      EXPECT_FALSE(finds(example, spec.id)) << spec.pack << ":" << example.line << ": " << spec.id
                                            << " should not find: " << example.text << example.tools;
  }
}

TEST(BuiltInPacks, CoverEnough) {
  std::set<Category> categories;
  for (const CompiledRule& rule : built_in().rules()) categories.insert(rule.spec.category);
  EXPECT_GE(built_in().rules().size(), 25u);
  EXPECT_GE(categories.size(), 8u);
}

std::string rule_with(const std::string& lines) {
  return "rules:\n- id: T-1\n  category: INJECTION_RISK\n  severity: HIGH\n  kind: text\n  title: t\n  "
         "message: m\n  fix: f\n" +
         lines;
}

Result<Ruleset> compiled(const std::string& text) {
  const std::vector<PackSource> packs = {{"mine.yaml", text}};
  return Ruleset::compile(packs);
}

TEST(Packs, ErrorsNameFileRuleAndLine) {
  struct Case {
    std::string text;
    std::string says;
  };
  const std::vector<Case> cases = {
      {"rules: [", "mine.yaml:"},
      {"- a", "mine.yaml:1: a rule pack must be a mapping"},
      {"rules:\n- id: t-1", "mine.yaml:2: \"id\" must be capital letters"},
      {"rules: x", "\"rules\" must be a list"},
      {"rules: []\nversion: 3", "mine.yaml:2: unknown key \"version\""},
      {rule_with(""), "mine.yaml:2: rule T-1: has neither a predicate nor a pattern"},
      {rule_with("  patterns: [abc]\n"), "rule T-1: needs anchors"},
      {rule_with("  patterns: ['(']\n  anchors: [abc]\n"),
       "mine.yaml:2: rule T-1: the pattern \"(\" does not compile"},
      {rule_with("  patterns: ['(?=a)']\n  anchors: [abc]\n"), "does not compile"},
      {rule_with("  patterns: [abc]\n  anchors: [Abc]\n"), "must be in lower case"},
      {rule_with("  patterns: [abc]\n  anchors: [a]\n"), "too short"},
      {rule_with("  patterns: [abc]\n  anchors: [abc]\n  colour: red\n"),
       "mine.yaml:11: rule T-1: unknown key \"colour\""},
      {rule_with("  patterns: [abc]\n  anchors: [abc]\n  title: u\n"), "appears twice"},
      {rule_with("  patterns: [abc]\n  anchors: [abc]\n  validators: [magic]\n"),
       "there is no validator \"magic\""},
      {rule_with("  predicate: magic\n"), "there is no predicate \"magic\""},
      {rule_with("  predicate: repeated_variable\n  patterns: [a]\n"), "both a predicate and patterns"},
      {rule_with("  patterns: [abc]\n  anchors: [abc]\n  window: [1]\n"),
       "mine.yaml:11: rule T-1: \"window\" must be two"},
      {rule_with("  patterns: [abc]\n  anchors: [abc]\n  window: [1, 99999]\n"), "from 0 to 4096"},
      {rule_with("  patterns: [abc]\n  anchors: [abc]\n  reading: raw\n"), "cannot have a context filter"},
      {rule_with("  patterns: [abc]\n  anchors: [abc]\n") +
           rule_with("  patterns: [abc]\n  anchors: [abc]\n").substr(7),
       "rule T-1 is there twice"},
      {"rules:\n- id: T-1\n  category: NO_SUCH\n", "mine.yaml:3: rule T-1: \"NO_SUCH\" is no category"},
  };
  for (const Case& one : cases) {
    const auto result = compiled(one.text);
    ASSERT_FALSE(result.ok()) << one.text;
    EXPECT_NE(result.error().detail.find(one.says), std::string::npos) << one.text << "\n"
                                                                       << result.error().detail;
  }
  EXPECT_TRUE(compiled(rule_with("  patterns: [abc]\n  anchors: [abc]\n")).ok());
  EXPECT_EQ(compiled(std::string(2 * 1024 * 1024, '#')).error().code, ErrorCode::too_large);
}

TEST(Packs, StandBesideOurs) {
  const PackSource mine{"mine.yaml", rule_with("  patterns: ['\\bzebra\\b']\n  anchors: [zebra]\n")};
  const auto both = Ruleset::built_in(std::vector<PackSource>{mine});
  ASSERT_TRUE(both.ok()) << both.error().detail;
  EXPECT_EQ(both->rules().size(), built_in().rules().size() + 1);
  EXPECT_NE(both->digest(), built_in().digest());
  TemplateView view;
  view.parts = {{{}, "Buy a zebra."}};
  ASSERT_EQ(scan(view, *both).findings.size(), 1u);
  EXPECT_EQ(scan(view, *both).findings[0].rule, "T-1");
  // A rule id belongs to one pack.
  EXPECT_FALSE(Ruleset::built_in(std::vector<PackSource>{mine, {"other.yaml", mine.text}}).ok());
}

TEST(Packs, DigestsFollowTheRulesAndNotTheirOrder) {
  const std::string a = rule_with("  patterns: [abc]\n  anchors: [abc]\n");
  std::string b = a;
  b.replace(b.find("T-1"), 3, "T-2");
  const auto digest = [](const std::vector<PackSource>& packs) {
    return Ruleset::compile(packs).value().digest();
  };
  EXPECT_EQ(digest({{"x", a}, {"y", b}}), digest({{"y", b}, {"x", a}}));
  std::string stricter = a;
  stricter.replace(stricter.find("HIGH"), 4, "LOW");
  EXPECT_NE(digest({{"x", a}}), digest({{"x", stricter}}));
  EXPECT_EQ(digest({{"x", a}}), digest({{"z", "# a comment\n" + a}}));
}

}  // namespace
}  // namespace imprimatur::scan
