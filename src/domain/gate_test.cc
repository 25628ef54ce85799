#include "domain/gate.h"

#include "base/json.h"
#include "base/property_test.h"

#include <algorithm>
#include <functional>

#include <boost/json.hpp>
#include <gtest/gtest.h>

namespace imprimatur {
namespace {

const TeamId kSafety{"tea_s"}, kLegal{"tea_l"};
const EnvironmentId kProduction{"env_p"};
const PrincipalId kAuthor{"usr_author"}, kAnn{"usr_ann"}, kBen{"usr_ben"};

Membership member(PrincipalId id, Role role = Role::reviewer, std::vector<TeamId> teams = {}) {
  return {std::move(id), role, std::move(teams), {}, true};
}

Verdict verdict(const GateFacts& facts, PrincipalId by, VerdictKind kind = VerdictKind::approve) {
  return {*facts.review,      facts.cycle,       std::move(by),     kind, facts.environment,
          facts.items_digest, facts.base_digest, facts.now.version, "",   {100}};
}

// One version in review for production, which asks for one approval and the scan; the scan has passed.
GateFacts in_review() {
  GateFacts facts;
  facts.environment = kProduction;
  facts.items = {{{"art_1"}, 3, "sha256:3", {}, {kAuthor}, {{"scan", CheckStatus::pass, true, ""}}, {}}};
  facts.items_digest = items_digest_of(facts.items);
  facts.base_digest = "sha256:base";
  facts.now.version = 5;
  facts.now.approvals.count = 1;
  facts.now.checks = {"scan"};
  facts.review = ReviewId{"rev_1"};
  facts.review_open = true;
  facts.cycle = 2;
  facts.members = {member(kAuthor, Role::admin), member(kAnn), member(kBen, Role::admin),
                   member({"usr_editor"}, Role::editor)};
  facts.team_names = {{kSafety, "safety"}};
  return facts;
}

GateFacts approved() {
  GateFacts facts = in_review();
  facts.verdicts = {verdict(facts, kAnn)};
  return facts;
}

// Everybody has been in their teams for ever.
void joined_long_ago(GateFacts& facts) {
  for (const Membership& one : facts.members) {
    for (const TeamId& team : one.teams) facts.team_since[{one.person, team}] = {0};
  }
}

const Requirement& requirement(const GateAnswer& answer, std::string_view kind) {
  static const Requirement none{"absent", false, "absent", {}};
  for (const Requirement& one : answer.requirements) {
    if (one.kind == kind) return one;
  }
  return none;
}

std::string why_not(const GateFacts& facts) {
  const GateAnswer answer = gate(facts);
  const Requirement approvals = requirement(answer, "approvals");
  EXPECT_FALSE(answer.met);
  EXPECT_EQ(approvals.verdicts.size(), facts.verdicts.size());
  return approvals.verdicts.empty() ? "" : approvals.verdicts.back().why;
}

TEST(Gate, MetWithAnApprovalAndTheScan) {
  const GateAnswer answer = gate(approved());
  EXPECT_TRUE(answer.met);
  EXPECT_TRUE(answer.reasons().empty());
  EXPECT_EQ(requirement(answer, "approvals").verdicts.at(0).why, "counts");
  EXPECT_EQ(requirement(answer, "check:scan").detail, "the check scan passed");
}

TEST(Gate, SaysWhatIsMissing) {
  const GateAnswer answer = gate(in_review());
  EXPECT_FALSE(answer.met);
  EXPECT_FALSE(answer.unsatisfiable);
  EXPECT_EQ(answer.reasons(),
            std::vector<std::string>{"needs 1 more approval by a reviewer or admin who did not contribute"});
  GateFacts two = in_review();
  two.now.approvals = {2, {{kSafety, 1}}};
  two.members.push_back(member({"usr_sam"}, Role::reviewer, {kSafety}));
  joined_long_ago(two);
  two.verdicts = {verdict(two, kAnn)};
  EXPECT_EQ(gate(two).reasons().front(),
            "needs 1 more approval by a reviewer or admin who did not contribute; needs 1 more approval from "
            "@safety");
  two.verdicts.push_back(verdict(two, {"usr_sam"}));
  EXPECT_TRUE(gate(two).met);
}

TEST(Gate, AnApprovalCountsForATeamOnlyFromWithinIt) {
  GateFacts facts = in_review();
  facts.now.approvals = {1, {{kSafety, 1}}};
  facts.members[1].teams = {kSafety};  // ann
  facts.verdicts = {verdict(facts, kAnn)};
  facts.team_since = {{{kAnn, kSafety}, {100}}};
  EXPECT_TRUE(gate(facts).met);
  // Joined afterwards, or left and joined again: it counts, but not for the team.
  facts.team_since = {{{kAnn, kSafety}, {101}}};
  EXPECT_EQ(gate(facts).reasons(), std::vector<std::string>{"needs 1 more approval from @safety"});
  EXPECT_EQ(requirement(gate(facts), "approvals").verdicts.at(0).why,
            "counts, but not for @safety, which they joined after it; a new verdict is needed");
  EXPECT_FALSE(gate(facts).unsatisfiable) << "she can say it again";
  // Nothing known is no.
  facts.team_since.clear();
  EXPECT_FALSE(gate(facts).met);
  // A new verdict from within.
  facts.team_since = {{{kAnn, kSafety}, {101}}};
  facts.verdicts.push_back(verdict(facts, kAnn));
  facts.verdicts.back().at = {102};
  EXPECT_TRUE(gate(facts).met);
  // And nobody speaks for a team that they left.
  facts.members[1].teams.clear();
  EXPECT_FALSE(gate(facts).met);
}

TEST(Gate, ContentWithoutItsDigestIsNotLetThrough) {
  GateFacts facts = approved();
  facts.items[0].intact = false;
  EXPECT_EQ(gate(facts).reasons(), std::vector<std::string>{"the stored content does not have its digest"});
  // Not even where an environment asks for nothing.
  facts.now = {};
  facts.at_submission.reset();
  facts.verdicts.clear();
  EXPECT_FALSE(gate(facts).met);
}

// Each way in which an approval that was good stops counting, and what is said about it.
TEST(Gate, EachBondOfAVerdictHolds) {
  const std::vector<std::pair<std::string, std::function<void(GateFacts&)>>> breaks{
      {"was given in another review", [](GateFacts& f) { f.verdicts[0].review = {"rev_2"}; }},
      {"was given in another review", [](GateFacts& f) { f.review.reset(); }},
      {"the review is closed", [](GateFacts& f) { f.review_open = false; }},
      {"was given in cycle 2; this is cycle 3", [](GateFacts& f) { f.cycle = 3; }},
      {"was given for another environment", [](GateFacts& f) { f.verdicts[0].environment = {"env_s"}; }},
      {"was given for other content",
       [](GateFacts& f) {
         f.items[0].digest = "sha256:4";
         f.items_digest = items_digest_of(f.items);
       }},
      {"was given for other content", [](GateFacts& f) { f.verdicts[0].items_digest = "sha256:x"; }},
      {"was given against another base; what is live has changed since",
       [](GateFacts& f) { f.base_digest = "sha256:other"; }},
      {"was given under protection version 5; now it is 6", [](GateFacts& f) { f.now.version = 6; }},
      {"was given under protection version 9; now it is 5",
       [](GateFacts& f) { f.verdicts[0].protection_version = 9; }},
      {"contributed to this change", [](GateFacts& f) { f.items[0].contributors.insert(kAnn); }},
      {"is not a member of the project any more",
       [](GateFacts& f) { std::erase_if(f.members, [](const Membership& m) { return m.person == kAnn; }); }},
      {"is disabled", [](GateFacts& f) { f.members[1].active = false; }},
      {"has the role editor now; an approval needs reviewer or admin",
       [](GateFacts& f) { f.members[1].role = Role::editor; }},
      {"was given before the role was lost and regained; a new verdict is needed",
       [](GateFacts& f) { f.members[1].verdicts_since = {101}; }},
      {"requested changes; a newer verdict by the same person clears it, or somebody who is at least admin "
       "dismisses it with a reason",
       [](GateFacts& f) { f.verdicts.push_back(verdict(f, kAnn, VerdictKind::request_changes)); }},
      {"rejected the change; that ends this cycle",
       [](GateFacts& f) { f.verdicts.push_back(verdict(f, kBen, VerdictKind::reject)); }}};
  for (const auto& [why, apply] : breaks) {
    GateFacts facts = approved();
    apply(facts);
    EXPECT_EQ(why_not(facts), why);
  }
}

TEST(Gate, AVerdictOfTheSubmissionsProtectionCounts) {
  GateFacts facts = approved();
  facts.at_submission = facts.now;
  facts.now.version = 8;
  EXPECT_TRUE(gate(facts).met);
  facts.now.approvals.count = 2;  // stricter now: at once
  EXPECT_FALSE(gate(facts).met);
  facts.verdicts.push_back(verdict(facts, kBen));
  EXPECT_TRUE(gate(facts).met);
  std::swap(facts.now.approvals.count, facts.at_submission->approvals.count);
  facts.now.approvals.count = 0;  // weaker now: not for a review that is open
  facts.verdicts.clear();
  EXPECT_FALSE(gate(facts).met);
}

TEST(Gate, TheNewestWordOfAPersonCounts) {
  GateFacts facts = in_review();
  facts.verdicts = {verdict(facts, kAnn, VerdictKind::request_changes), verdict(facts, kAnn)};
  EXPECT_TRUE(gate(facts).met);
  facts.verdicts.push_back(verdict(facts, kAnn, VerdictKind::request_changes));
  const GateAnswer answer = gate(facts);
  EXPECT_FALSE(answer.met);
  const auto& verdicts = requirement(answer, "approvals").verdicts;
  EXPECT_EQ(verdicts[0].why, "was replaced by the same person's newer verdict");
  EXPECT_EQ(verdicts[1].why, "was replaced by the same person's newer verdict");
  EXPECT_TRUE(verdicts[2].counts);
  EXPECT_TRUE(requirement(answer, "approvals").detail.starts_with("1 reviewer objects"));
  // A second approval by one person is one approval.
  facts.now.approvals.count = 2;
  facts.verdicts = {verdict(facts, kAnn), verdict(facts, kAnn)};
  EXPECT_FALSE(gate(facts).met);
}

TEST(Gate, AnObjectionStandsWhateverBecameOfItsAuthor) {
  for (const VerdictKind kind : {VerdictKind::request_changes, VerdictKind::reject}) {
    GateFacts facts = approved();
    facts.now.approvals.count = 0;  // even where no approval is asked for
    facts.verdicts.push_back(verdict(facts, kBen, kind));
    EXPECT_FALSE(gate(facts).met);
    std::erase_if(facts.members, [](const Membership& m) { return m.person == kBen; });
    EXPECT_FALSE(gate(facts).met);
    facts.verdicts.back().cycle = 1;  // nor does a newer version clear it
    EXPECT_FALSE(gate(facts).met);
    facts.verdicts.back().review = {"rev_2"};  // of another review: history
    EXPECT_TRUE(gate(facts).met);
  }
}

TEST(Gate, ChecksFailClosed) {
  const std::vector<std::pair<std::string, std::vector<CheckResult>>> bad{
      {"the check scan has no result", {}},
      {"the check scan has no result", {{"eval", CheckStatus::pass, true, ""}}},
      {"the check scan failed (score 9)", {{"scan", CheckStatus::fail, true, "score 9"}}},
      {"the check scan could not be carried out", {{"scan", CheckStatus::error, true, ""}}},
      {"the check scan is still pending", {{"scan", CheckStatus::pending, true, ""}}},
      {"the check scan has a stale result; run it again", {{"scan", CheckStatus::pass, false, ""}}},
      {"the check scan failed",
       {{"scan", CheckStatus::pass, true, ""}, {"scan", CheckStatus::fail, true, ""}}}};
  for (const auto& [why, results] : bad) {
    GateFacts facts = approved();
    facts.items[0].checks = results;
    const GateAnswer answer = gate(facts);
    EXPECT_FALSE(answer.met);
    EXPECT_EQ(requirement(answer, "check:scan").detail, why);
  }
  // Every item of a change set must pass; the answer names the one that does not.
  GateFacts facts = in_review();
  facts.items.push_back({{"art_2"}, 1, "sha256:1", {}, {}, {}, {}});
  facts.items_digest = items_digest_of(facts.items);
  facts.verdicts = {verdict(facts, kAnn)};
  EXPECT_EQ(gate(facts).reasons(), std::vector<std::string>{"art_2 version 1: the check scan has no result"});
}

TEST(Gate, ModelRulesOfBothProtectionsHold) {
  GateFacts facts = approved();
  facts.now.models.allowed = {"gpt-5", "o9"};
  EXPECT_FALSE(gate(facts).met);
  facts.items[0].model = ModelBinding{"openai", "o9", {}, {}, {}};
  EXPECT_TRUE(gate(facts).met);
  facts.at_submission = facts.now;
  facts.at_submission->models.allowed = {"gpt-5"};
  EXPECT_EQ(gate(facts).reasons(),
            std::vector<std::string>{"the model openai/o9 is not allowed; allowed are gpt-5"});
  facts.items[0].kind = ArtifactKind::policy;
  EXPECT_TRUE(gate(facts).met);
}

TEST(Gate, UnknownKindsAndEmptyFactsBlock) {
  GateFacts facts = approved();
  facts.now.unknown = {"soak"};
  GateAnswer answer = gate(facts);
  EXPECT_FALSE(answer.met);
  EXPECT_TRUE(answer.unsatisfiable);
  EXPECT_EQ(requirement(answer, "soak").met, false);
  facts = approved();
  facts.at_submission = facts.now;
  facts.at_submission->unknown = {"soak"};
  EXPECT_FALSE(gate(facts).met);
  EXPECT_FALSE(gate(GateFacts{}).met);
  GateFacts empty = approved();
  empty.items.clear();
  EXPECT_FALSE(gate(empty).met);
  GateFacts forged = approved();  // a digest that is not the items'
  forged.items_digest = forged.verdicts[0].items_digest = "sha256:mine";
  EXPECT_FALSE(gate(forged).met);
}

TEST(Gate, NothingAskedNothingNeeded) {
  GateFacts facts = in_review();
  facts.now = {};
  facts.review.reset();
  const GateAnswer answer = gate(facts);
  EXPECT_TRUE(answer.met);
  EXPECT_TRUE(answer.requirements.empty());
}

TEST(Gate, UnsatisfiableNamesWhatWouldHelp) {
  GateFacts facts = in_review();
  facts.members = {member(kAuthor, Role::admin), member({"usr_editor"}, Role::editor)};
  GateAnswer answer = gate(facts);
  EXPECT_TRUE(answer.unsatisfiable);
  EXPECT_EQ(
      answer.reasons().front(),
      "needs 1 more approval by a reviewer or admin who did not contribute; that cannot be: only 0 of the 1 "
      "people needed could approve; make somebody who did not contribute a reviewer, or let an admin lower "
      "the number");
  facts.members.push_back(member(kAnn));
  EXPECT_FALSE(gate(facts).unsatisfiable);
  facts.now.approvals = {0, {{kSafety, 1}}};
  answer = gate(facts);
  EXPECT_TRUE(answer.unsatisfiable);
  EXPECT_NE(answer.reasons().front().find("@safety"), std::string::npos);
  facts.members.back().teams = {kSafety};
  EXPECT_FALSE(gate(facts).unsatisfiable);
  facts.members.back().active = false;
  EXPECT_TRUE(gate(facts).unsatisfiable);
}

TEST(Gate, DetailsAreBounded) {
  GateFacts facts = in_review();
  facts.items.clear();
  for (int i = 0; i < 500; ++i) facts.items.push_back({{"art_" + std::to_string(i)}, 1, "d", {}, {}, {}, {}});
  facts.items_digest = items_digest_of(facts.items);
  for (const std::string& reason : gate(facts).reasons()) EXPECT_LE(reason.size(), 2000U);
}

TEST(Gate, ItemsDigestIsOfTheSet) {
  const GateItem one{{"art_1"}, 1, "a", {}, {}, {}, {}}, two{{"art_2"}, 1, "b", {}, {}, {}, {}};
  EXPECT_EQ(items_digest_of({one, two}), items_digest_of({two, one}));
  EXPECT_NE(items_digest_of({one}), items_digest_of({one, two}));
  GateItem other = one;
  other.version = 2;
  EXPECT_NE(items_digest_of({one}), items_digest_of({other}));
  EXPECT_EQ(items_digest_of({one}),
            "sha256:97ef566eb74364242180065375fb63c058ccc940c815691671867b3b69ce7965");
}

TEST(Gate, JsonAsTheContractHasIt) {
  const std::string text = canonical_gate(gate(approved()));
  EXPECT_EQ(
      text,
      R"({"met":true,"requirements":[{"detail":"1 approval of people who may give them","kind":"approvals",)"
      R"("met":true,"verdicts":[{"by":"usr_ann","counts":true,"why":"counts"}]},{"detail":)"
      R"("the check scan passed","kind":"check:scan","met":true,"verdicts":[]}],"unsatisfiable":false})");
  EXPECT_EQ(*canonical_json(*parse_json(text)), text);
  EXPECT_EQ(canonical_gate({}), R"({"met":false,"requirements":[],"unsatisfiable":false})");
}

// --- Laws, over random worlds that are small enough for every rule to matter
// --------------------------------------

const std::vector<PrincipalId> kPeople{{"usr_0"}, {"usr_1"}, {"usr_2"}, {"usr_3"}, {"usr_4"}};

Protection random_protection(Random& random, std::int64_t version) {
  Protection out;
  out.version = version;
  out.approvals.count = random.between(0, 3);
  if (random.one_in(3)) out.approvals.teams[kSafety] = random.between(1, 2);
  if (random.one_in(4)) out.approvals.teams[kLegal] = 1;
  if (random.one_in(2)) out.checks = {"scan"};
  if (random.one_in(6)) out.checks.push_back("eval");
  if (random.one_in(6)) out.models.allowed = {"m"};
  if (random.one_in(6)) out.models.temperature_max = 1.0;
  if (random.one_in(30)) out.unknown = {"soak"};
  return out;
}

// `odd` is how often one of the bonds is not as it should be: one in so many.
GateFacts random_facts(Random& random, std::size_t odd) {
  GateFacts facts;
  facts.environment = kProduction;
  for (int i = 0, n = random.between(1, 2); i < n; ++i) {
    GateItem item{{"art_" + std::to_string(i)}, 1, "sha256:1", {}, {}, {}, {}};
    if (!random.one_in(4)) item.model = ModelBinding{"p", random.one_in(odd) ? "n" : "m", 0.5, {}, {}};
    if (random.one_in(2)) item.contributors.insert(random.pick(kPeople));
    for (const char* check : {"scan", "eval"}) {
      const auto status = random.one_in(odd) ? static_cast<CheckStatus>(random.below(4)) : CheckStatus::pass;
      if (!random.one_in(odd)) item.checks.push_back({check, status, !random.one_in(odd), ""});
    }
    facts.items.push_back(item);
  }
  facts.items_digest = items_digest_of(facts.items);
  facts.base_digest = "base";
  facts.now = random_protection(random, 3);
  if (random.one_in(2)) facts.at_submission = random_protection(random, 2);
  if (!random.one_in(odd)) facts.review = ReviewId{"rev_1"};
  facts.review_open = !random.one_in(odd);
  facts.cycle = 2;
  for (const PrincipalId& person : kPeople) {
    if (random.one_in(odd)) continue;
    Membership one = member(person, random.one_in(odd) ? static_cast<Role>(random.below(4)) : Role::reviewer);
    if (random.one_in(2)) one.teams.push_back(kSafety);
    if (random.one_in(3)) one.teams.push_back(kLegal);
    one.verdicts_since = {random.one_in(odd) ? 60 : 0};
    one.active = !random.one_in(odd);
    facts.members.push_back(one);
    for (const TeamId& team : one.teams) {
      facts.team_since[{person, team}] = {random.one_in(odd) ? 60 : 0};
    }
  }
  for (std::size_t n = random.below(7); n > 0; --n) {
    Verdict one{{random.one_in(odd) ? "rev_2" : "rev_1"},
                random.one_in(odd) ? 1 : 2,
                random.pick(kPeople),
                random.one_in(odd) ? static_cast<VerdictKind>(random.below(3)) : VerdictKind::approve,
                {random.one_in(odd) ? "env_s" : "env_p"},
                random.one_in(odd) ? "other" : facts.items_digest,
                random.one_in(odd) ? "other" : "base",
                random.one_in(odd) ? random.between(1, 4) : random.between(2, 3),
                "",
                {random.between(50, 100)}};
    if (!facts.at_submission && !random.one_in(odd)) one.protection_version = 3;
    facts.verdicts.push_back(one);
  }
  return facts;
}

// A change of `rule` that asks for more, or for as much.
void tighten(Random& random, Protection& rule) {
  switch (random.below(7)) {
    case 0: ++rule.approvals.count; return;
    case 1: ++rule.approvals.teams[random.one_in(2) ? kSafety : kLegal]; return;
    case 2: rule.checks.push_back(random.one_in(2) ? "scan" : "eval"); return;
    case 3:
      if (rule.models.allowed.empty()) rule.models.allowed = {"m"};
      return;
    case 4: rule.models.temperature_max = std::min(rule.models.temperature_max.value_or(2), 0.4); return;
    case 5: rule.models.temperature_min = std::max(rule.models.temperature_min.value_or(0), 0.6); return;
    case 6: rule.unknown.push_back("soak"); return;
  }
}

constexpr int kCases = 4000;

TEST(GateLaws, RemovingAnApprovalOpensNothing) {
  int met = 0;
  for_random(kCases, [&](Random& random) {
    GateFacts facts = random_facts(random, 12);
    const bool before = gate(facts).met;
    met += before;
    if (facts.verdicts.empty()) return;
    const std::size_t at = random.below(facts.verdicts.size());
    if (facts.verdicts[at].kind != VerdictKind::approve) return;
    facts.verdicts.erase(facts.verdicts.begin() + static_cast<std::ptrdiff_t>(at));
    if (!before) {
      EXPECT_FALSE(gate(facts).met);
    }
  });
  if (std::getenv("IMPRIMATUR_SEED") == nullptr) {
    EXPECT_GT(met, kCases / 50) << "the worlds are too hostile";
  }
}

TEST(GateLaws, AStricterProtectionOpensNothing) {
  for_random(kCases, [](Random& random) {
    GateFacts facts = random_facts(random, 12);
    const bool before = gate(facts).met;
    const Protection old = facts.now;
    tighten(random, facts.now);
    EXPECT_FALSE(weakens(old, facts.now)) << canonical_protection(old) << canonical_protection(facts.now);
    if (!before) {
      EXPECT_FALSE(gate(facts).met);
    }
    if (facts.at_submission) {
      const bool again = gate(facts).met;
      tighten(random, *facts.at_submission);
      if (!again) {
        EXPECT_FALSE(gate(facts).met);
      }
    }
  });
}

TEST(GateLaws, WhateverAProtectionThatDoesNotWeakenLetsThroughPassedBefore) {
  for_random(kCases, [](Random& random) {
    GateFacts facts = random_facts(random, 15);
    facts.at_submission.reset();
    for (Verdict& one : facts.verdicts) one.protection_version = 3;
    const Protection other = random_protection(random, 3);
    const bool before = gate(facts).met;
    const Protection old = std::exchange(facts.now, other);
    if (gate(facts).met && !before) {
      EXPECT_TRUE(weakens(old, other));
    }
  });
}

TEST(GateLaws, TheWeakerOfTwoProtectionsAddsNothing) {
  for_random(kCases, [](Random& random) {
    GateFacts facts = random_facts(random, 12);
    GateFacts alone = facts;
    alone.at_submission.reset();
    for (Verdict& one : alone.verdicts) one.protection_version = 3;
    if (gate(facts).met) {
      EXPECT_TRUE(gate(alone).met);
      if (facts.at_submission) {
        alone.now = *facts.at_submission;
        alone.now.version = 3;
        EXPECT_TRUE(gate(alone).met);
      }
    }
  });
}

TEST(GateLaws, ContributorsAndPeopleWithoutTheRoleNeverCount) {
  for_random(kCases, [](Random& random) {
    const GateFacts facts = random_facts(random, 6);
    const GateAnswer answer = gate(facts);
    std::set<PrincipalId> counted;
    for (const Requirement& one : answer.requirements) {
      for (const VerdictAnswer& given : one.verdicts) {
        EXPECT_FALSE(given.why.empty());
        if (!given.counts || given.kind != VerdictKind::approve) continue;
        EXPECT_TRUE(counted.insert(given.by).second) << "counted twice";
        for (const GateItem& item : facts.items) EXPECT_FALSE(item.contributors.contains(given.by));
        const auto found = std::find_if(facts.members.begin(), facts.members.end(),
                                        [&](const Membership& m) { return m.person == given.by; });
        ASSERT_NE(found, facts.members.end());
        EXPECT_TRUE(found->active && found->role >= Role::reviewer);
      }
      EXPECT_FALSE(one.detail.empty());
    }
    EXPECT_EQ(answer.met, answer.reasons().empty());
    int needed =
        std::max(facts.now.approvals.count, facts.at_submission ? facts.at_submission->approvals.count : 0);
    if (answer.met) {
      EXPECT_GE(static_cast<int>(counted.size()), needed);
    }
  });
}

TEST(GateLaws, LosingARoleOrBecomingAContributorOpensNothing) {
  for_random(kCases, [](Random& random) {
    GateFacts facts = random_facts(random, 12);
    const bool before = gate(facts).met;
    const PrincipalId person = random.pick(kPeople);
    for (Membership& one : facts.members) {
      if (one.person != person) continue;
      switch (random.below(4)) {
        case 0: one.role = Role::viewer; break;
        case 1: one.active = false; break;
        case 2: one.verdicts_since = {1000}; break;
        case 3: one.teams.clear(); break;
      }
    }
    if (random.one_in(3)) facts.items[0].contributors.insert(person);
    if (random.one_in(5))
      std::erase_if(facts.members, [&](const Membership& m) { return m.person == person; });
    if (!before) {
      EXPECT_FALSE(gate(facts).met);
    }
  });
}

// Unsatisfiable means: even if everyone who is there approved now, it would not be enough. And the reverse.
TEST(GateLaws, UnsatisfiableIsExact) {
  for_random(kCases, [](Random& random) {
    GateFacts facts = random_facts(random, 4);
    facts.review = ReviewId{"rev_1"};
    facts.review_open = true;
    const GateAnswer answer = gate(facts);
    for (const PrincipalId& person : kPeople) {
      facts.verdicts.push_back(verdict(facts, person));
      facts.verdicts.back().at = {1000};
    }
    const GateAnswer best = gate(facts);
    bool unknown =
        !facts.now.unknown.empty() || (facts.at_submission && !facts.at_submission->unknown.empty());
    const Requirement approvals = requirement(best, "approvals");
    const bool enough = approvals.kind == "absent" || approvals.met;
    EXPECT_EQ(answer.unsatisfiable, unknown || !enough);
  });
}

}  // namespace
}  // namespace imprimatur
