#include "domain/protection.h"

#include "base/property_test.h"
#include "domain/gate.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include <gtest/gtest.h>

namespace imprimatur {
namespace {

const TeamId kSafety{"tea_s"}, kLegal{"tea_l"};
const PrincipalId kSource{"svc_ci"};

ModelBinding model(std::string provider, std::string name, std::optional<double> temperature = {}) {
  return {std::move(provider), std::move(name), temperature, {}, {}};
}

TEST(Protection, RoundTrips) {
  Protection full;
  full.version = 7;
  full.approvals = {2, {{kSafety, 1}}};
  full.checks = {"eval", "scan"};
  full.models = {{"gpt-5", "openai/o9"}, 0.0, 1.5};
  full.unknown = {"soak"};
  for (const Protection& protection : {Protection{}, full}) {
    const auto back = protection_from_json(canonical_protection(protection), protection.version);
    ASSERT_TRUE(back.ok()) << back.error().detail;
    EXPECT_EQ(*back, protection);
    EXPECT_EQ(canonical_protection(*back), canonical_protection(protection));
  }
  EXPECT_EQ(canonical_protection(Protection{}),
            R"({"approvals":{"count":0,"teams":{}},"checks":[],"models":{"allowed":[],"temperatureMax":null,)"
            R"("temperatureMin":null}})");
}

TEST(Protection, DigestIsOfTheRuleNotOfItsNumberOrOrder) {
  Protection one, other;
  one.version = 1;
  other.version = 2;
  one.checks = {"a", "b", "a"};
  other.checks = {"b", "a"};
  EXPECT_EQ(digest_of(one), digest_of(other));
  other.approvals.count = 1;
  EXPECT_NE(digest_of(one), digest_of(other));
  EXPECT_EQ(digest_of(Protection{}),
            "sha256:a41238dcbac7fae9f652cad9e5daf5de469420e1e55a9f5faf284d4612371fe4");
}

TEST(Protection, WhatIsUnknownIsKeptByName) {
  const auto read = protection_from_json(
      R"({"soak":{"hours":4},"approvals":{"count":1,"seniors":true},"models":{"seed":1}})", 1);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->unknown, (std::vector<std::string>{"approvals.seniors", "models.seed", "soak"}));
  EXPECT_EQ(*protection_from_json(canonical_protection(*read), 1), *read);
  EXPECT_FALSE(read->asks_for_nothing());
}

TEST(Protection, ItsNumbersAreThoseThatItsTextCanHold) {
  const auto with = [](auto change) {
    Protection rule;
    change(rule);
    return check_protection(rule).ok();
  };
  EXPECT_TRUE(with([](Protection& rule) { rule.models = {{}, 0.0, 2.0}; }));
  for (const double bad : {-0.1, 2.1, 1e16, 1e308, std::nan(""), std::numeric_limits<double>::infinity()}) {
    EXPECT_FALSE(with([&](Protection& rule) { rule.models.temperature_min = bad; })) << bad;
    EXPECT_FALSE(with([&](Protection& rule) { rule.models.temperature_max = bad; })) << bad;
  }
  EXPECT_FALSE(with([](Protection& rule) { rule.models = {{}, 1.0, 0.5}; }));
  for (const int bad : {-1, kMaxApprovals + 1}) {
    EXPECT_FALSE(with([&](Protection& rule) { rule.approvals.count = bad; }));
    EXPECT_FALSE(with([&](Protection& rule) { rule.approvals.teams[kSafety] = bad; }));
  }
}

TEST(Protection, RefusesBadRules) {
  for (const std::string& bad : std::vector<std::string>{
           "", "[]", "null", R"({"approvals":1})", R"({"approvals":{"count":-1}})",
           R"({"approvals":{"count":21}})", R"({"approvals":{"count":1.5}})",
           R"({"approvals":{"count":"1"}})", R"({"approvals":{"teams":[]}})",
           R"({"approvals":{"teams":{"a":-1}}})", R"({"checks":"scan"})", R"({"checks":[1]})",
           R"({"checks":[""]})", R"({"models":[]})", R"({"models":{"temperatureMin":-0.1}})",
           R"({"models":{"temperatureMax":2.1}})", R"({"models":{"temperatureMin":1,"temperatureMax":0.5}})",
           R"({"models":{"allowed":{}}})", R"({"checks":[)" + std::string(200, ' ') + R"("a"])"}) {
    EXPECT_FALSE(protection_from_json(bad, 1).ok()) << bad;
  }
  std::string many = R"({"checks":["0")";
  for (int i = 1; i <= 50; ++i) many += ",\"" + std::to_string(i) + "\"";
  EXPECT_FALSE(protection_from_json(many + "]}", 1).ok());
}

TEST(Protection, AsksForNothing) {
  EXPECT_TRUE(Protection{}.asks_for_nothing());
  Protection zero;
  zero.approvals.teams[kSafety] = 0;
  EXPECT_TRUE(zero.asks_for_nothing());
  for (const char* something :
       {R"({"approvals":{"count":1}})", R"({"approvals":{"teams":{"a":1}}})", R"({"checks":["scan"]})",
        R"({"models":{"allowed":["x"]}})", R"({"models":{"temperatureMax":1}})", R"({"anything":null})"}) {
    EXPECT_FALSE(protection_from_json(something, 1)->asks_for_nothing()) << something;
  }
}

TEST(Protection, ModelRule) {
  const ModelRule listed{{"gpt-5", "mistral/large", "meta-llama/Llama-3"}, {}, {}};
  EXPECT_TRUE(check_model(model("openai", "gpt-5"), listed).ok());
  EXPECT_TRUE(check_model(model("", "gpt-5"), listed).ok());
  EXPECT_TRUE(check_model(model("mistral", "large"), listed).ok());
  EXPECT_TRUE(check_model(model("", "meta-llama/Llama-3"), listed).ok());
  EXPECT_TRUE(check_model(model("together", "meta-llama/Llama-3"), listed).ok());
  EXPECT_FALSE(check_model(model("not-mistral", "large"), listed).ok());
  EXPECT_FALSE(check_model(model("", "fake-gpt-5"), listed).ok());
  EXPECT_FALSE(check_model(model("openai", "large"), listed).ok());
  EXPECT_FALSE(check_model(model("", "large"), listed).ok());
  EXPECT_FALSE(check_model(model("openai", "gpt-5x"), listed).ok());
  EXPECT_FALSE(check_model(std::nullopt, listed).ok());
  EXPECT_TRUE(check_model(std::nullopt, {}).ok());
  const ModelRule cool{{}, 0.2, 0.7};
  EXPECT_TRUE(check_model(model("", "x", 0.2), cool).ok());
  EXPECT_TRUE(check_model(model("", "x", 0.7), cool).ok());
  EXPECT_FALSE(check_model(model("", "x", 0.19), cool).ok());
  EXPECT_FALSE(check_model(model("", "x", 0.71), cool).ok());
  EXPECT_FALSE(check_model(model("", "x"), cool).ok());
  EXPECT_FALSE(check_model(std::nullopt, cool).ok());
  EXPECT_EQ(check_model(model("", "x", 1.0), cool).error().detail,
            "the temperature 1 is not from 0.2 to 0.7");
}

// --- weakens, by its meaning: some facts pass `after` and do not pass `before`
// ------------------------------------

// Every small rule and every small world. In the worlds four people approve, in all combinations of two
// teams; two checks pass or not; the model is one of a few. Rules stay small enough for these worlds to tell
// them apart.
std::vector<ApprovalRule> approval_rules() {
  std::vector<ApprovalRule> out;
  for (int count = 0; count <= 2; ++count) {
    for (int safety = 0; safety <= 2; ++safety) {
      for (int legal = 0; legal <= 1; ++legal) {
        ApprovalRule rule{count, {}};
        if (safety > 0) rule.teams[kSafety] = safety;
        if (legal > 0) rule.teams[kLegal] = legal;
        out.push_back(rule);
      }
    }
  }
  return out;
}

std::vector<ModelRule> model_rules() {
  std::vector<ModelRule> out;
  for (const std::vector<std::string>& allowed :
       std::vector<std::vector<std::string>>{{}, {"m"}, {"p/m"}, {"m", "n"}, {"p/m", "q/m"}, {"q/p/m"}}) {
    for (const std::optional<double> low :
         {std::optional<double>(), std::optional(0.0), std::optional(1.0)}) {
      for (const std::optional<double> high :
           {std::optional<double>(), std::optional(1.0), std::optional(2.0)}) {
        out.push_back({allowed, low, high});
      }
    }
  }
  return out;
}

GateFacts world(const std::vector<Membership>& approvers, const std::vector<std::string>& passed,
                const std::optional<ModelBinding>& bound) {
  GateFacts facts;
  facts.environment = {"env_p"};
  facts.review = ReviewId{"rev_1"};
  facts.review_open = true;
  facts.cycle = 1;
  facts.base_digest = "base";
  GateItem item{{"art_1"}, 1, "sha256:1", bound, {{"usr_author"}}, {}, ArtifactKind::prompt};
  for (const std::string& name : passed) {
    item.checks.push_back({name, CheckStatus::pass, true, "", name == "scan" ? PrincipalId{} : kSource, {}});
  }
  facts.items = {item};
  facts.items_digest = items_digest_of(facts.items);
  facts.members = approvers;
  for (const Membership& member : approvers) {
    for (const TeamId& team : member.teams) facts.team_since[{member.person, team}] = {};
    facts.verdicts.push_back({*facts.review,
                              1,
                              member.person,
                              VerdictKind::approve,
                              facts.environment,
                              facts.items_digest,
                              "base",
                              0,
                              "",
                              {}});
  }
  return facts;
}

std::vector<GateFacts> approval_worlds() {
  std::vector<GateFacts> out;
  const std::vector<std::vector<TeamId>> teams{{}, {kSafety}, {kLegal}, {kSafety, kLegal}};
  // How many people of each kind of membership approve: up to two of each.
  for (int mask = 0; mask < 81; ++mask) {
    std::vector<Membership> approvers;
    for (int kind = 0, rest = mask; kind < 4; ++kind, rest /= 3) {
      for (int n = 0; n < rest % 3; ++n) {
        const std::string id = "usr_" + std::to_string(kind) + std::to_string(n);
        approvers.push_back({{id}, Role::reviewer, teams[static_cast<std::size_t>(kind)], {}, true});
      }
    }
    out.push_back(world(approvers, {}, std::nullopt));
  }
  return out;
}

std::vector<GateFacts> model_worlds() {
  std::vector<GateFacts> out{world({}, {}, std::nullopt)};
  for (const char* provider : {"", "p", "q", "r"}) {
    for (const char* name : {"m", "n", "o", "p/m", "q/m"}) {
      for (const std::optional<double> temperature :
           {std::optional<double>(), std::optional(0.0), std::optional(0.5), std::optional(1.0),
            std::optional(1.5), std::optional(2.0)}) {
        out.push_back(world({}, {}, model(provider, name, temperature)));
      }
    }
  }
  return out;
}

std::vector<GateFacts> check_worlds() {
  return {world({}, {}, {}), world({}, {"scan"}, {}), world({}, {"eval"}, {}),
          world({}, {"scan", "eval"}, {})};
}

std::vector<bool> passing(const Protection& protection, std::vector<GateFacts>& worlds) {
  std::vector<bool> out;
  for (GateFacts& facts : worlds) {
    facts.now = protection;
    out.push_back(gate(facts).met);
  }
  return out;
}

void expect_weakens_means_passing(const std::vector<Protection>& rules, std::vector<GateFacts> worlds) {
  std::vector<std::vector<bool>> passes;
  for (const Protection& rule : rules) passes.push_back(passing(rule, worlds));
  for (std::size_t before = 0; before < rules.size(); ++before) {
    for (std::size_t after = 0; after < rules.size(); ++after) {
      bool lets_more_through = false;
      for (std::size_t i = 0; i < worlds.size(); ++i) {
        lets_more_through = lets_more_through || (passes[after][i] && !passes[before][i]);
      }
      ASSERT_EQ(weakens(rules[before], rules[after]), lets_more_through)
          << canonical_protection(rules[before]) << " to " << canonical_protection(rules[after]);
    }
  }
}

TEST(Weakens, ApprovalsByMeaning) {
  std::vector<Protection> rules;
  for (const ApprovalRule& rule : approval_rules()) {
    rules.emplace_back();
    rules.back().approvals = rule;
  }
  expect_weakens_means_passing(rules, approval_worlds());
}

TEST(Weakens, ModelsByMeaning) {
  std::vector<Protection> rules;
  for (const ModelRule& rule : model_rules()) {
    rules.emplace_back();
    rules.back().models = rule;
  }
  expect_weakens_means_passing(rules, model_worlds());
}

TEST(Weakens, ChecksAndUnknownKindsByMeaning) {
  std::vector<Protection> rules;
  for (const std::vector<std::string>& checks :
       std::vector<std::vector<std::string>>{{}, {"scan"}, {"eval"}, {"scan", "eval"}}) {
    for (const std::vector<std::string>& unknown : std::vector<std::vector<std::string>>{{}, {"soak"}}) {
      rules.emplace_back();
      rules.back().checks = checks;
      for (const std::string& name : checks) {
        if (name != "scan") rules.back().check_rules[name].sources = {kSource};
      }
      rules.back().unknown = unknown;
    }
  }
  expect_weakens_means_passing(rules, check_worlds());
}

// What a rule that is not weaker lets through, the one before let through: of everything that came later.
void expect_not_weaker_means_no_more(const std::vector<Protection>& rules, std::vector<GateFacts> worlds) {
  std::vector<std::vector<bool>> passes;
  for (const Protection& rule : rules) passes.push_back(passing(rule, worlds));
  int differing = 0;
  for (std::size_t before = 0; before < rules.size(); ++before) {
    for (std::size_t after = 0; after < rules.size(); ++after) {
      for (std::size_t i = 0; i < worlds.size(); ++i) {
        if (!passes[after][i] || passes[before][i]) continue;
        ++differing;
        ASSERT_TRUE(weakens(rules[before], rules[after]))
            << canonical_protection(rules[before]) << " to " << canonical_protection(rules[after]);
      }
    }
  }
  EXPECT_GT(differing, 0) << "worlds that all rules see alike say nothing";
}

using SetRule = std::function<void(Protection&)>;
std::vector<Protection> rules_by(const std::vector<SetRule>& settings) {
  std::vector<Protection> out(1);
  for (const SetRule& set : settings) set(out.emplace_back());
  return out;
}

TEST(Weakens, TiersByMeaning) {
  std::vector<SetRule> settings;
  for (const int count : {1, 2}) {
    settings.push_back([=](Protection& rule) { rule.approvals.count = count; });
    for (const std::vector<std::string>& tags :
         std::vector<std::vector<std::string>>{{"a"}, {"b"}, {"a", "b"}}) {
      settings.push_back([=](Protection& rule) { rule.tiers = {{"t", tags, {}, {count, {}}}}; });
    }
  }
  std::vector<GateFacts> worlds;
  for (const std::vector<std::string>& tags :
       std::vector<std::vector<std::string>>{{}, {"a"}, {"b"}, {"a", "b"}}) {
    for (GateFacts facts : approval_worlds()) {
      facts.items[0].tags = tags;
      worlds.push_back(std::move(facts));
    }
  }
  expect_not_weaker_means_no_more(rules_by(settings), std::move(worlds));
}

TEST(Weakens, ScanPathAndShapeByMeaning) {
  std::vector<SetRule> settings;
  for (const Severity worst : {Severity::low, Severity::high, Severity::critical}) {
    settings.push_back([=](Protection& rule) { rule.checks = {"scan"}, rule.scan.worst = worst; });
    settings.push_back([=](Protection& rule) {
      rule.checks = {"scan"};
      rule.scan = {worst, {"PHI_EXPOSURE"}, {"R-1"}};
    });
  }
  for (const std::int64_t minutes : {0, 5, 10}) {
    settings.push_back([=](Protection& rule) { rule.path = PathRule{{"env_s"}, minutes}; });
    settings.push_back([=](Protection& rule) { rule.path = PathRule{{"env_d"}, minutes}; });
  }
  for (const std::int64_t bytes : {1, 5}) {
    settings.push_back([=](Protection& rule) { rule.shape.max_bytes = bytes; });
    settings.push_back([=](Protection& rule) { rule.shape.max_bytes = bytes, rule.shape.message = true; });
  }
  std::vector<GateFacts> worlds;
  for (const Severity severity : {Severity::info, Severity::medium, Severity::high, Severity::critical}) {
    for (const std::int64_t minutes : {-1, 0, 7, 20}) {
      for (const char* text : {"x", "longer"}) {
        GateFacts facts = world({}, {"scan"}, {});
        GateItem& item = facts.items[0];
        item.weaknesses = {{severity, severity == Severity::info ? "PHI_EXPOSURE" : "OTHER", "R-2"}};
        if (minutes >= 0) item.soaked[EnvironmentId{"env_s"}] = seconds(minutes * 60);
        item.content.emplace();
        item.content->text = text;
        item.message = minutes == 7 ? "" : "why";
        worlds.push_back(std::move(facts));
      }
    }
  }
  expect_not_weaker_means_no_more(rules_by(settings), std::move(worlds));
}

Protection random_protection(Random& random) {
  Protection out;
  out.approvals = random.pick(approval_rules());
  out.models = random.pick(model_rules());
  if (random.one_in(2)) out.checks.push_back("scan");
  if (random.one_in(2)) {
    out.checks.push_back("eval");
    CheckRule& rule = out.check_rules["eval"];
    for (const char* source : {"svc_1", "svc_2"}) {
      if (random.one_in(2)) rule.sources.push_back({source});
    }
    rule.minutes = random.pick(std::vector<std::int64_t>{0, 60, 120});
  }
  if (random.one_in(3)) out.path = PathRule{{"env_s"}, random.pick(std::vector<std::int64_t>{0, 5, 10})};
  if (random.one_in(3)) out.shape.max_bytes = random.pick(std::vector<std::int64_t>{1, 2});
  if (random.one_in(3)) out.shape.variables = {"a"};
  if (random.one_in(3)) {
    Window window;
    window.name = "w";
    window.kind = random.pick(std::vector<Window::Kind>{Window::Kind::deny, Window::Kind::allow});
    window.from = {1};
    window.until = {random.pick(std::vector<std::int64_t>{2, 3})};
    if (random.one_in(2)) window.override_role = Role::admin;
    out.windows.push_back(window);
  }
  if (random.one_in(3)) {
    Tier tier{"t", {"x"}, {}, random.pick(approval_rules())};
    if (Protection{.approvals = tier.approvals}.asks_for_approvals()) out.tiers.push_back(std::move(tier));
  }
  if (random.one_in(8)) out.unknown.push_back("soak");
  return out;
}

TEST(Weakens, IsAnOrder) {
  for_random(2000, [](Random& random) {
    const Protection a = random_protection(random), b = random_protection(random),
                     c = random_protection(random);
    EXPECT_FALSE(weakens(a, a));
    EXPECT_FALSE(weakens(Protection{}, a));
    if (!weakens(a, b) && !weakens(b, c)) {
      EXPECT_FALSE(weakens(a, c));
    }
    EXPECT_EQ(weakens(a, Protection{}), !a.asks_for_nothing());
  });
}

}  // namespace
}  // namespace imprimatur
