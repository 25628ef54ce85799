// The requirements beside plain approvals: each is met by what it asks for, and by nothing less.
#include "domain/gate.h"
#include "domain/owners.h"

#include <algorithm>
#include <functional>

#include <gtest/gtest.h>

namespace imprimatur {
namespace {

const TeamId kSafety{"tea_s"}, kSupport{"tea_u"};
const EnvironmentId kProduction{"env_p"}, kStaging{"env_s"};
const PrincipalId kAuthor{"usr_author"}, kAnn{"usr_ann"}, kBen{"usr_ben"}, kCi{"svc_ci"}, kOther{"svc_other"};
const Time kNow{1'000'000'000'000};

Verdict verdict(const GateFacts& facts, const PrincipalId& by, VerdictKind kind = VerdictKind::approve) {
  Verdict out{*facts.review,     facts.cycle,       by, kind, facts.environment, facts.items_digest,
              facts.base_digest, facts.now.version, "", {100}};
  out.number = static_cast<std::int64_t>(facts.verdicts.size()) + 1;
  return out;
}

// One version in review by an editor; a reviewer of @support and an admin of @safety could approve.
GateFacts in_review(const std::function<void(Protection&)>& rule) {
  GateFacts facts;
  facts.environment = kProduction;
  GateItem item;
  item.artifact = {"art_1"};
  item.version = 3;
  item.digest = "sha256:3";
  item.contributors = {kAuthor};
  item.name = "support/reply";
  facts.items = {item};
  facts.items_digest = items_digest_of(facts.items);
  facts.base_digest = "sha256:base";
  facts.now.version = 5;
  rule(facts.now);
  facts.review = ReviewId{"rev_1"};
  facts.review_open = true;
  facts.cycle = 1;
  facts.members = {{kAuthor, Role::editor, {}, {}, true},
                   {kAnn, Role::reviewer, {kSupport}, {}, true},
                   {kBen, Role::admin, {kSafety}, {}, true}};
  facts.team_names = {{kSafety, "safety"}, {kSupport, "support"}};
  facts.team_since = {{{kAnn, kSupport}, {0}}, {{kBen, kSafety}, {0}}};
  facts.environment_names = {{kStaging, "staging"}, {kProduction, "production"}};
  facts.at = kNow;
  return facts;
}

std::string reason(const GateFacts& facts) {
  const GateAnswer answer = gate(facts);
  const auto reasons = answer.reasons();
  EXPECT_EQ(answer.met, reasons.empty());
  return reasons.empty() ? "" : reasons.front();
}

void approve(GateFacts& facts, const PrincipalId& by) { facts.verdicts.push_back(verdict(facts, by)); }

NamePattern pattern(std::string_view text) { return NamePattern::of(text).value(); }

// ---- owners ----

TEST(Owners, AnOwnerSigns) {
  GateFacts facts = in_review([](Protection& rule) { rule.approvals.owners = true; });
  facts.items[0].owners = OwnedBy{"support/**", {kSupport}, {}};
  EXPECT_EQ(reason(facts), "needs an approval by an owner (@support for support/**)");
  approve(facts, kBen);
  EXPECT_NE(reason(facts), "") << "an admin who owns nothing is no owner";
  approve(facts, kAnn);
  EXPECT_EQ(reason(facts), "");
  facts.team_since.clear();
  EXPECT_NE(reason(facts), "") << "nobody knows that she was in the team when she said it";
  facts.items[0].owners = OwnedBy{"support/**", {}, {kAnn}};
  EXPECT_EQ(reason(facts), "");
}

TEST(Owners, AreSaidToBeMissingAtOnce) {
  GateFacts facts = in_review([](Protection& rule) { rule.approvals.owners = true; });
  facts.items[0].owners = OwnedBy{"support/**", {}, {kAuthor}};
  EXPECT_TRUE(gate(facts).unsatisfiable);
  EXPECT_NE(reason(facts).find("none of them could approve"), std::string::npos);
  facts.items[0].owners = OwnedBy{"support/**", {{"tea_empty"}}, {}};
  EXPECT_TRUE(gate(facts).unsatisfiable);
  facts.items[0].owners.reset();
  EXPECT_FALSE(gate(facts).unsatisfiable);
  EXPECT_TRUE(gate(facts).met);
  EXPECT_EQ(gate(facts).requirements.back().detail, "every owner has signed; support/reply has no owner");
}

TEST(Owners, EveryItemHasItsOwn) {
  GateFacts facts = in_review([](Protection& rule) { rule.approvals.owners = true; });
  facts.items.push_back(facts.items[0]);
  facts.items[1].artifact = {"art_2"};
  facts.items[0].owners = OwnedBy{"support/**", {kSupport}, {}};
  facts.items[1].owners = OwnedBy{"legal/**", {kSafety}, {}};
  facts.items_digest = items_digest_of(facts.items);
  approve(facts, kAnn);
  EXPECT_EQ(reason(facts), "art_2 version 3: needs an approval by an owner (@safety for legal/**)");
  approve(facts, kBen);
  EXPECT_EQ(reason(facts), "");
}

TEST(Owners, TheLastRuleDecidesAndLooksCount) {
  const OwnerRules rules{1,
                         {{pattern("**"), {kSafety}, {}},
                          {pattern("support/**"), {kSupport}, {}},
                          {pattern("!support/internal/*"), {}, {}}}};
  const auto of = [&](std::string_view name) {
    const auto found = owners_of(rules, name);
    return found ? found->pattern : "nobody";
  };
  EXPECT_EQ(of("billing"), "**");
  EXPECT_EQ(of("support/reply"), "support/**");
  EXPECT_EQ(of("support/a/b/c"), "support/**");
  EXPECT_EQ(of("support/internal/note"), "nobody");
  EXPECT_EQ(of("support/internal/a/b"), "support/**") << "* ends at a slash";
  EXPECT_EQ(of("Support/Reply"), "support/**") << "case is a look";
  EXPECT_EQ(of("s\xD1\x83pport/reply"), "**") << "another letter that looks otherwise";
  EXPECT_EQ(of("supp\xD0\xBErt/reply"), "support/**") << "a Cyrillic o looks the same";
  const auto again = owners_from_json(canonical_owners(rules), 1);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, rules);
  EXPECT_FALSE(weakens(OwnerRules{}, rules));
  EXPECT_TRUE(weakens(rules, OwnerRules{}));
  EXPECT_FALSE(weakens(rules, rules));
}

TEST(Owners, RulesThatSayNothingAreRefused) {
  for (const char* bad :
       {"{}", "[1]", R"([{"pattern":"a","teams":[],"people":[]}])",
        R"([{"pattern":"!a","teams":["t"],"people":[]}])", R"([{"pattern":"","teams":["t"],"people":[]}])",
        R"([{"pattern":"a@b","teams":["t"],"people":[]}])", R"([{"pattern":"a","people":[]}])"}) {
    EXPECT_FALSE(owners_from_json(bad, 1).ok()) << bad;
  }
}

// ---- tiers ----

TEST(Tiers, AskMoreOfWhatIsDelicate) {
  GateFacts facts = in_review([](Protection& rule) {
    rule.approvals.count = 1;
    rule.tiers = {
        {"medical", {"medical"}, {pattern("health/**"), pattern("!health/faq")}, {2, {{kSafety, 1}}}}};
  });
  approve(facts, kAnn);
  EXPECT_EQ(reason(facts), "") << "a typo in an ordinary prompt";
  facts.items[0].tags = {"medical"};
  EXPECT_EQ(reason(facts),
            "needs 1 more approval by a reviewer or admin who did not contribute; needs 1 more approval from "
            "@safety, because support/reply is \"medical\"");
  facts.items[0].tags.clear();
  facts.items[0].name = "health/dose";
  EXPECT_NE(reason(facts), "");
  facts.items[0].name = "health/faq";
  EXPECT_EQ(reason(facts), "");
  facts.items[0].name = "health/dose";
  approve(facts, kBen);
  EXPECT_EQ(reason(facts), "");
}

// ---- objections ----

TEST(Objections, BlockUntilTakenBackOrDismissed) {
  GateFacts facts = in_review([](Protection& rule) { rule.approvals.count = 1; });
  const PrincipalId cleo{"usr_cleo"};
  facts.members.push_back({cleo, Role::reviewer, {}, {}, true});
  facts.verdicts.push_back(verdict(facts, kAnn, VerdictKind::request_changes));
  facts.cycle = 2;
  facts.verdicts.push_back(verdict(facts, cleo));
  EXPECT_EQ(reason(facts), "1 reviewer objects") << "a newer version does not clear it";
  facts.dismissals = {{*facts.review, 1, cleo, "nit", {200}, ""}};
  EXPECT_EQ(reason(facts), "1 reviewer objects") << "a reviewer is no admin";
  facts.dismissals = {{*facts.review, 1, kBen, "nit", {200}, ""}};
  EXPECT_EQ(reason(facts), "");
  EXPECT_EQ(gate(facts).requirements[0].verdicts[0].why, "was dismissed by somebody who may");
  facts.items[0].contributors.insert(kBen);
  EXPECT_EQ(reason(facts), "1 reviewer objects") << "who contributed sets nothing aside";
  facts.items[0].contributors.erase(kBen);
  facts.members[2].role = Role::reviewer;
  EXPECT_EQ(reason(facts), "1 reviewer objects") << "nor who is no admin any more";
  facts.now.dismissers = Role::reviewer;
  EXPECT_EQ(reason(facts), "");
  facts.dismissals = {{*facts.review, 2, kBen, "nit", {200}, ""}};
  EXPECT_EQ(reason(facts), "1 reviewer objects") << "of another verdict";
  facts.dismissals = {{{"rev_2"}, 1, kBen, "nit", {200}, ""}};
  EXPECT_EQ(reason(facts), "1 reviewer objects") << "of another review";
  facts.dismissals = {{*facts.review, 1, kAnn, "", {200}, ""}};
  EXPECT_EQ(reason(facts), "") << "taken back";
  facts.dismissals.clear();
  facts.verdicts.push_back(verdict(facts, kAnn));
  EXPECT_EQ(reason(facts), "") << "or said anew";
}

// ---- checklist ----

TEST(Checklist, AnApprovalAnswersTheOneInForce) {
  GateFacts facts = in_review([](Protection& rule) {
    rule.approvals.count = 1;
    rule.checklist = {{"brand", "Does it sound like us?"}};
  });
  approve(facts, kAnn);
  EXPECT_NE(reason(facts), "");
  EXPECT_EQ(gate(facts).requirements[0].verdicts[0].why,
            "does not answer the checklist; a new verdict with answers is needed");
  facts.verdicts[0].checklist = checklist_digest(facts.now.checklist);
  EXPECT_EQ(reason(facts), "");
  facts.at_submission = facts.now;
  facts.now.checklist[0].text = "Does it still sound like us?";
  EXPECT_EQ(gate(facts).requirements[0].verdicts[0].why,
            "answers another checklist; a new verdict is needed");
  facts.now.checklist.clear();
  EXPECT_EQ(reason(facts), "") << "the one at submission still stands";
}

// ---- checks ----

TEST(Checks, OnlyTheirSourcesSpeakAndNotForEver) {
  GateFacts facts = in_review([](Protection& rule) {
    rule.checks = {"promptfoo"};
    rule.check_rules["promptfoo"] = {{kCi}, 60};
  });
  auto& checks = facts.items[0].checks;
  EXPECT_EQ(reason(facts), "the check promptfoo has no result by a source that may report it");
  checks = {{"promptfoo", CheckStatus::pass, true, "", kOther, kNow}};
  EXPECT_NE(reason(facts), "") << "reported by somebody else";
  checks = {{"promptfoo", CheckStatus::pass, true, "", kCi, kNow}};
  EXPECT_EQ(reason(facts), "");
  checks.push_back({"promptfoo", CheckStatus::fail, true, "", kOther, kNow});
  EXPECT_EQ(reason(facts), "") << "nor can somebody else shut the gate";
  checks[0].at = kNow - seconds(3600);
  EXPECT_EQ(reason(facts), "the check promptfoo has a result that expired; report it again");
  checks[0].at = kNow;
  for (const CheckStatus status : {CheckStatus::fail, CheckStatus::error, CheckStatus::pending}) {
    checks[0].status = status;
    EXPECT_NE(reason(facts), "");
  }
  checks[0] = {"promptfoo", CheckStatus::pass, false, "", kCi, kNow};
  EXPECT_NE(reason(facts), "") << "of another digest";
}

TEST(Checks, BothProtectionsNameTheSources) {
  GateFacts facts = in_review([](Protection& rule) {
    rule.checks = {"promptfoo"};
    rule.check_rules["promptfoo"] = {{kCi}, 0};
  });
  facts.items[0].checks = {{"promptfoo", CheckStatus::pass, true, "", kCi, kNow}};
  facts.at_submission = facts.now;
  EXPECT_EQ(reason(facts), "");
  facts.at_submission->check_rules["promptfoo"].sources = {kOther};
  EXPECT_NE(reason(facts), "");
}

TEST(Checks, DoNotHoldUpSubmission) {
  GateFacts facts = in_review([](Protection& rule) {
    rule.checks = {"promptfoo", "scan"};
    rule.check_rules["promptfoo"] = {{kCi}, 0};
  });
  facts.items[0].checks = {{"scan", CheckStatus::pass, true, ""}};
  EXPECT_TRUE(gate(facts).met_at(Stage::submission));
  EXPECT_FALSE(gate(facts).met_at(Stage::review));
}

// ---- the scan's findings ----

GateFacts scanned(std::vector<FoundWeakness> found) {
  GateFacts facts = in_review([](Protection& rule) { rule.checks = {"scan"}; });
  const bool critical = std::any_of(found.begin(), found.end(), [](const FoundWeakness& one) {
    return one.severity == Severity::critical;
  });
  facts.items[0].checks = {{"scan", critical ? CheckStatus::fail : CheckStatus::pass, true, "score 1.0"}};
  facts.items[0].weaknesses = std::move(found);
  return facts;
}

TEST(Findings, SeverityCategoryAndRuleBlock) {
  const std::vector<FoundWeakness> found{{Severity::medium, "PHI_EXPOSURE", "PII-001"}};
  EXPECT_EQ(reason(scanned(found)), "");
  GateFacts facts = scanned(found);
  facts.now.scan.worst = Severity::low;
  EXPECT_EQ(reason(facts), "the check scan failed (score 1.0): blocked by PII-001 MEDIUM");
  facts.now.scan = {Severity::high, {"PHI_EXPOSURE"}, {}};
  EXPECT_NE(reason(facts), "");
  facts.now.scan = {Severity::high, {}, {"PII-001"}};
  EXPECT_NE(reason(facts), "");
  facts.now.scan = {Severity::high, {"INJECTION_RISK"}, {"PII-002"}};
  EXPECT_EQ(reason(facts), "");
  facts.items[0].weaknesses.reset();
  EXPECT_NE(reason(facts), "") << "what nobody read cannot be judged";
}

TEST(Findings, AreAcceptedByWhoMayForATime) {
  GateFacts facts = scanned({{Severity::critical, "INJECTION_RISK", "INJ-001"}});
  EXPECT_EQ(reason(facts), "the check scan failed (score 1.0)");
  const AcceptedFinding good{
      .digest = "sha256:3", .rule = "INJ-001", .by = kAnn, .at = {100}, .expires = kNow + seconds(1)};
  facts.items[0].accepted = {good};
  EXPECT_EQ(reason(facts), "");
  const std::vector<std::pair<const char*, std::function<void(GateFacts&, AcceptedFinding&)>>> breaks{
      {"another digest", [](GateFacts&, AcceptedFinding& a) { a.digest = "sha256:4"; }},
      {"another rule", [](GateFacts&, AcceptedFinding& a) { a.rule = "INJ-002"; }},
      {"expired", [](GateFacts&, AcceptedFinding& a) { a.expires = kNow; }},
      {"by a contributor", [](GateFacts&, AcceptedFinding& a) { a.by = kAuthor; }},
      {"contributed since", [](GateFacts& f, AcceptedFinding&) { f.items[0].contributors.insert(kAnn); }},
      {"lost the role", [](GateFacts& f, AcceptedFinding&) { f.members[1].role = Role::editor; }},
      {"lost and regained it", [](GateFacts& f, AcceptedFinding&) { f.members[1].verdicts_since = {101}; }},
      {"disabled", [](GateFacts& f, AcceptedFinding&) { f.members[1].active = false; }},
      {"a stranger", [](GateFacts&, AcceptedFinding& a) { a.by = {"usr_x"}; }}};
  for (const auto& [what, apply] : breaks) {
    GateFacts broken = facts;
    apply(broken, broken.items[0].accepted[0]);
    EXPECT_NE(reason(broken), "") << what;
  }
  facts.items[0].weaknesses->push_back({Severity::critical, "DATA_EXFILTRATION", "EXF-001"});
  EXPECT_EQ(reason(facts), "the check scan failed (score 1.0): blocked by EXF-001 CRITICAL");
}

// ---- path ----

TEST(Path, LiveBeforeAndLongEnough) {
  GateFacts facts = in_review([](Protection& rule) { rule.path = PathRule{kStaging, 60}; });
  EXPECT_EQ(reason(facts),
            "this version was not live in staging, or was taken back there; deploy it there first");
  facts.items[0].soaked[kStaging] = seconds(59 * 60);
  EXPECT_EQ(reason(facts), "was live in staging for 59 minutes; 60 minutes are needed");
  facts.items[0].soaked[kStaging] = seconds(60 * 60);
  EXPECT_EQ(reason(facts), "");
  facts.items[0].soaked = {{kProduction, seconds(1'000'000)}};
  EXPECT_NE(reason(facts), "");
  EXPECT_TRUE(gate(facts).met_at(Stage::review)) << "time alone does not unmake an approval";
}

// ---- freezes ----

TEST(Freeze, NamedPeopleMayPassIt) {
  GateFacts facts = in_review([](Protection& rule) {
    Window window;
    window.name = "holidays";
    window.from = kNow;
    window.until = kNow + hours(1);
    rule.windows = {window};
  });
  EXPECT_EQ(reason(facts), "frozen by \"holidays\" until " + to_rfc3339(kNow + hours(1)));
  facts.freeze_override = kBen;
  EXPECT_NE(reason(facts), "") << "nobody may pass this one";
  facts.now.windows[0].override_role = Role::admin;
  EXPECT_EQ(reason(facts), "");
  facts.freeze_override = kAnn;
  EXPECT_NE(reason(facts), "");
  facts.freeze_override.reset();
  EXPECT_NE(reason(facts), "");
  facts.at = kNow + hours(1);
  EXPECT_EQ(reason(facts), "");
}

// ---- the shape of a change ----

TEST(Shape, EachPartIsAskedFor) {
  Content content;
  content.name = "support/reply";
  content.semver = "1.2.0";
  content.text = "Hello {{name}}";
  content.variables = {{.name = "name"}};
  content.config = R"({"owner":"x"})";
  const auto facts_with = [&](const std::function<void(ShapeRule&)>& rule) {
    GateFacts facts = in_review([&](Protection& protection) { rule(protection.shape); });
    facts.items[0].content = content;
    facts.items[0].message = "SUP-12: friendlier";
    facts.items[0].tags = {"support"};
    return facts;
  };
  using Rule = std::function<void(ShapeRule&)>;
  const std::vector<std::pair<Rule, Rule>> cases{
      {[](ShapeRule& r) { r.ticket = "[A-Z]+-[0-9]+"; }, [](ShapeRule& r) { r.ticket = "JIRA-[0-9]+"; }},
      {[](ShapeRule& r) { r.max_bytes = 14; }, [](ShapeRule& r) { r.max_bytes = 13; }},
      {[](ShapeRule& r) { r.variables = {"name"}; }, [](ShapeRule& r) { r.variables = {"locale"}; }},
      {[](ShapeRule& r) { r.tags = {"support"}; }, [](ShapeRule& r) { r.tags = {"owner"}; }},
      {[](ShapeRule& r) { r.config = {"owner"}; }, [](ShapeRule& r) { r.config = {"team"}; }}};
  for (const auto& [good, bad] : cases) {
    EXPECT_EQ(reason(facts_with(good)), "");
    EXPECT_NE(reason(facts_with(bad)), "");
    EXPECT_FALSE(gate(facts_with(bad)).met_at(Stage::submission));
  }
  GateFacts facts = facts_with([](ShapeRule& r) { r.message = true; });
  EXPECT_EQ(reason(facts), "");
  facts.items[0].message.clear();
  EXPECT_NE(reason(facts), "");
  facts = facts_with([](ShapeRule& r) { r.stable = true; });
  EXPECT_EQ(reason(facts), "");
  facts.items[0].content->semver = "1.2.0-rc.1";
  EXPECT_NE(reason(facts), "");
  facts = facts_with([](ShapeRule& r) { r.largest = Bump::minor; });
  facts.items[0].live = content;
  EXPECT_EQ(reason(facts), "");
  facts.items[0].live->variables.push_back({.name = "gone"});
  EXPECT_EQ(reason(facts), "is a major change of what is live; the largest allowed is minor");
  facts.items[0].content.reset();
  EXPECT_EQ(reason(facts), "its content could not be read");
}

}  // namespace
}  // namespace imprimatur
