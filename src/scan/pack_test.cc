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

}  // namespace
}  // namespace imprimatur::scan
