// The gate answer. Every rule here errs on the side of "no".
#include "base/check.h"
#include "base/hash.h"
#include "base/json.h"
#include "domain/protection.h"

#include <algorithm>

#include <boost/json.hpp>

namespace imprimatur {
namespace {

namespace json = boost::json;

// A change set of many items fails in many ways; what does not fit is left to the answers for its single
// items.
constexpr std::size_t kMaxDetailBytes = 2000;
constexpr std::string_view kCutShort = " ...";
constexpr std::string_view kItemsTag = "imprimatur-items-v1\n";

// Both the protection at submission and the one that now applies, as one that is at least as strict as each.
// Model rules do not merge into one rule, so they stay side by side.
struct Demands {
  ApprovalRule approvals;
  std::set<std::string> checks;
  std::vector<ModelRule> models;
  std::set<std::string> unknown;

  void add(const Protection& protection) {
    approvals.count = std::max(approvals.count, protection.approvals.count);
    for (const auto& [team, count] : protection.approvals.teams) {
      int& needed = approvals.teams[team];
      needed = std::max(needed, count);
    }
    checks.insert(protection.checks.begin(), protection.checks.end());
    const ModelRule& rule = protection.models;
    if (!rule.allowed.empty() || rule.temperature_min || rule.temperature_max) models.push_back(rule);
    unknown.insert(protection.unknown.begin(), protection.unknown.end());
  }
  bool approvals_wanted() const {
    return approvals.count > 0 || std::any_of(approvals.teams.begin(), approvals.teams.end(),
                                              [](const auto& team) { return team.second > 0; });
  }
};

bool may_give_verdicts(const Membership& member) {
  switch (member.role) {
    case Role::viewer:
    case Role::editor: return false;
    case Role::reviewer:
    case Role::admin: return true;
  }
  CHECK(false, "unknown role");
}

// Answers about the people of one gate question.
class People {
 public:
  explicit People(const GateFacts& facts) : facts_(&facts) {
    for (const Membership& member : facts.members) by_id_[member.person] = &member;
    for (const GateItem& item : facts.items) {
      contributors_.insert(item.contributors.begin(), item.contributors.end());
    }
  }
  bool contributed(const PrincipalId& person) const { return contributors_.contains(person); }
  const Membership* member(const PrincipalId& person) const {
    const auto found = by_id_.find(person);
    return found == by_id_.end() ? nullptr : found->second;
  }
  bool in_team(const PrincipalId& person, const TeamId& team) const {
    const Membership* found = member(person);
    return found != nullptr &&
           std::find(found->teams.begin(), found->teams.end(), team) != found->teams.end();
  }
  // Whether what they said at `at` was said as a member of the team, who is one still.
  bool spoke_for(const PrincipalId& person, const TeamId& team, Time at) const {
    const auto since = facts_->team_since.find({person, team});
    return in_team(person, team) && since != facts_->team_since.end() && since->second <= at;
  }
  // Everyone whose approval can count, now or after they give one.
  std::set<PrincipalId> able() const {
    std::set<PrincipalId> out;
    for (const auto& [id, member] : by_id_) {
      if (member->active && may_give_verdicts(*member) && !contributed(id)) out.insert(id);
    }
    return out;
  }
  int count_in(const std::set<PrincipalId>& people, const TeamId& team) const {
    return static_cast<int>(std::count_if(people.begin(), people.end(),
                                          [&](const PrincipalId& person) { return in_team(person, team); }));
  }
  std::string team_name(const TeamId& team) const {
    const auto found = facts_->team_names.find(team);
    return "@" + (found == facts_->team_names.end() ? team.text : found->second);
  }

 private:
  const GateFacts* facts_;
  std::map<PrincipalId, const Membership*> by_id_;
  std::set<PrincipalId> contributors_;
};

// A verdict knows the protection it was given under when that is the one at submission, the present one, or
// one between them: what they ask of people is counted afresh below. One from before the submission, or from
// a later protection than these facts know, belongs to another question.
bool knows_protection(const Verdict& verdict, const GateFacts& facts) {
  const std::int64_t now = facts.now.version;
  const std::int64_t first = facts.at_submission ? std::min(facts.at_submission->version, now) : now;
  return verdict.protection_version >= first && verdict.protection_version <= now;
}

// Why an approval does not count, or nothing.
std::string objection(const Verdict& verdict, const GateFacts& facts, const People& people) {
  if (!facts.review || verdict.review != *facts.review) return "was given in another review";
  if (!facts.review_open) return "the review is closed";
  if (verdict.cycle != facts.cycle) {
    return "was given in cycle " + std::to_string(verdict.cycle) + "; this is cycle " +
           std::to_string(facts.cycle);
  }
  if (verdict.environment != facts.environment) return "was given for another environment";
  if (verdict.items_digest != facts.items_digest) return "was given for other content";
  if (verdict.base_digest != facts.base_digest) {
    return "was given against another base; what is live has changed since";
  }
  if (!knows_protection(verdict, facts)) {
    return "was given under protection version " + std::to_string(verdict.protection_version) +
           "; now it is " + std::to_string(facts.now.version);
  }
  if (people.contributed(verdict.by)) return "contributed to this change";
  const Membership* member = people.member(verdict.by);
  if (member == nullptr) return "is not a member of the project any more";
  if (!member->active) return "is disabled";
  if (!may_give_verdicts(*member)) {
    return "has the role " + std::string(name_of(member->role)) + " now; an approval needs reviewer or admin";
  }
  if (verdict.at < member->verdicts_since) {
    return "was given before the role was lost and regained; a new verdict is needed";
  }
  return {};
}

bool of_this_cycle(const Verdict& verdict, const GateFacts& facts) {
  return facts.review && verdict.review == *facts.review && verdict.cycle == facts.cycle;
}

// The verdicts, read from the newest to the oldest.
class Tally {
 public:
  Tally(const GateFacts& facts, const People& people) : answers_(facts.verdicts.size()) {
    for (std::size_t i = facts.verdicts.size(); i-- > 0;) {
      answers_[i] = answer_for(facts.verdicts[i], facts, people);
    }
  }
  // Whose approval counts, and when it was given; who objects.
  const std::map<PrincipalId, Time>& approved() const { return approved_; }
  const std::set<PrincipalId>& against() const { return against_; }
  const std::vector<VerdictAnswer>& answers() const { return answers_; }

 private:
  VerdictAnswer answer_for(const Verdict& verdict, const GateFacts& facts, const People& people) {
    switch (verdict.kind) {
      case VerdictKind::approve: return approval(verdict, facts, people);
      case VerdictKind::request_changes:
      case VerdictKind::reject: return against(verdict, facts, people);
    }
    CHECK(false, "unknown verdict kind");
  }
  // Overtaken by a newer objection only, so that giving one more approval never takes one away.
  VerdictAnswer approval(const Verdict& verdict, const GateFacts& facts, const People& people) {
    if (of_this_cycle(verdict, facts)) {
      spoke_.insert(verdict.by);
      if (objected_.contains(verdict.by)) return {verdict.by, verdict.kind, false, std::string(kReplaced)};
    }
    std::string why = objection(verdict, facts, people);
    if (!why.empty()) return {verdict.by, verdict.kind, false, std::move(why)};
    const auto [known, first] = approved_.emplace(verdict.by, verdict.at);
    if (!first) {
      known->second = std::max(known->second, verdict.at);
      return {verdict.by, verdict.kind, false, std::string(kReplaced)};
    }
    return {verdict.by, verdict.kind, true, "counts" + exceptions(verdict, facts, people)};
  }
  // The teams of theirs that it was given too early for.
  static std::string exceptions(const Verdict& verdict, const GateFacts& facts, const People& people) {
    std::string out;
    for (const auto& [team, name] : facts.team_names) {
      const bool asked = facts.now.approvals.teams.contains(team) ||
                         (facts.at_submission && facts.at_submission->approvals.teams.contains(team));
      if (!asked || !people.in_team(verdict.by, team) || people.spoke_for(verdict.by, team, verdict.at))
        continue;
      out += (out.empty() ? ", but not for @" : ", @") + name;
    }
    if (!out.empty()) out += ", which they joined after it; a new verdict is needed";
    return out;
  }
  // Stands until the same person says something newer in this cycle, whoever they are by now: losing a role
  // clears no objection.
  VerdictAnswer against(const Verdict& verdict, const GateFacts& facts, const People& people) {
    if (!of_this_cycle(verdict, facts))
      return {verdict.by, verdict.kind, false, objection(verdict, facts, people)};
    objected_.insert(verdict.by);
    if (!spoke_.insert(verdict.by).second) return {verdict.by, verdict.kind, false, std::string(kReplaced)};
    against_.insert(verdict.by);
    return {verdict.by, verdict.kind, true,
            verdict.kind == VerdictKind::reject
                ? "rejected the change; that ends this cycle"
                : "requested changes; a newer verdict by the same person or a newer version clears it"};
  }

  static constexpr std::string_view kReplaced = "was replaced by the same person's newer verdict";
  std::map<PrincipalId, Time> approved_;
  std::set<PrincipalId> against_;
  std::set<PrincipalId> spoke_, objected_;  // in this cycle, newer than the verdict at hand
  std::vector<VerdictAnswer> answers_;
};

std::string approvals_word(int count) {
  return std::to_string(count) + (count == 1 ? " approval" : " approvals");
}

// What is missing for one number, and whether the people for it exist.
struct Lack {
  std::string says;
  std::string remedy;
};

std::vector<Lack> lacks(const ApprovalRule& rule, const Tally& tally, const People& people) {
  std::vector<Lack> out;
  const std::set<PrincipalId> able = people.able();
  const auto add = [&](int needed, int have, int possible, const std::string& from,
                       const std::string& remedy) {
    if (have >= needed) return;
    const int missing = needed - have;
    Lack lack{
        "needs " + std::to_string(missing) + " more " + (missing == 1 ? "approval" : "approvals") + from, {}};
    if (possible < needed) {
      lack.remedy = "only " + std::to_string(possible) + " of the " + std::to_string(needed) +
                    " people needed could approve" + remedy;
    }
    out.push_back(std::move(lack));
  };
  add(rule.count, static_cast<int>(tally.approved().size()), static_cast<int>(able.size()),
      " by a reviewer or admin who did not contribute",
      "; make somebody who did not contribute a reviewer, or let an admin lower the number");
  for (const auto& [team, needed] : rule.teams) {
    const std::string name = people.team_name(team);
    const auto spoke = std::count_if(tally.approved().begin(), tally.approved().end(),
                                     [&, &team = team](const auto& approval) {
                                       return people.spoke_for(approval.first, team, approval.second);
                                     });
    add(needed, static_cast<int>(spoke), people.count_in(able, team), " from " + name,
        " in " + name +
            "; add a reviewer who did not contribute to the team, or let an admin change the rule");
  }
  return out;
}

Requirement approvals(const ApprovalRule& rule, const GateFacts& facts, const People& people,
                      const Tally& tally, bool& unsatisfiable) {
  Requirement out{"approvals", false, {}, {}};
  std::string separator;
  const auto say = [&](const std::string& sentence) {
    out.detail += separator + sentence;
    separator = "; ";
  };
  if (const std::size_t against = tally.against().size(); against > 0) {
    say(against == 1 ? "1 reviewer objects" : std::to_string(against) + " reviewers object");
  }
  std::string remedies;
  const std::vector<Lack> missing = lacks(rule, tally, people);
  for (const Lack& lack : missing) {
    say(lack.says);
    if (!lack.remedy.empty()) {
      unsatisfiable = true;
      remedies += (remedies.empty() ? "" : "; ") + lack.remedy;
    }
  }
  if (!remedies.empty()) say("that cannot be: " + remedies);
  if (!missing.empty() && !facts.review) say("it has not been submitted for review");
  out.met = missing.empty() && tally.against().empty();
  if (out.met)
    out.detail = approvals_word(static_cast<int>(tally.approved().size())) + " of people who may give them";
  out.verdicts = tally.answers();
  return out;
}

std::string item_name(const GateItem& item, const GateFacts& facts) {
  return facts.items.size() == 1 ? ""
                                 : item.artifact.text + " version " + std::to_string(item.version) + ": ";
}

// Why `check` is not passed for one item, or nothing. Of several results under one name each must pass.
std::string check_objection(const GateItem& item, const std::string& check) {
  bool passed = false;
  for (const CheckResult& result : item.checks) {
    if (result.name != check) continue;
    const std::string summary = result.summary.empty() ? "" : " (" + result.summary + ")";
    if (!result.current) return "has a stale result; run it again" + summary;
    switch (result.status) {
      case CheckStatus::pass: passed = true; break;
      case CheckStatus::fail: return "failed" + summary;
      case CheckStatus::error: return "could not be carried out" + summary;
      case CheckStatus::pending: return "is still pending" + summary;
    }
  }
  return passed ? std::string() : "has no result";
}

Requirement check(const std::string& name, const GateFacts& facts) {
  Requirement out{"check:" + name, true, {}, {}};
  for (const GateItem& item : facts.items) {
    const std::string why = check_objection(item, name);
    if (why.empty()) continue;
    out.met = false;
    out.detail += (out.detail.empty() ? "" : "; ") + item_name(item, facts) + "the check " + name + " " + why;
  }
  if (out.met) out.detail = "the check " + name + " passed";
  return out;
}

Requirement models(const std::vector<ModelRule>& rules, const GateFacts& facts) {
  Requirement out{"model", true, {}, {}};
  for (const GateItem& item : facts.items) {
    if (item.kind == ArtifactKind::policy) continue;
    for (const ModelRule& rule : rules) {
      const Status allowed = check_model(item.model, rule);
      if (allowed.ok()) continue;
      out.met = false;
      out.detail += (out.detail.empty() ? "" : "; ") + item_name(item, facts) + allowed.error().detail;
      break;
    }
  }
  if (out.met) out.detail = "the model is allowed";
  return out;
}

// Content that was changed behind the program's back is not what anybody looked at.
Requirement intact(const GateFacts& facts) {
  Requirement out{"content", true, {}, {}};
  for (const GateItem& item : facts.items) {
    if (item.intact) continue;
    out.met = false;
    out.detail += (out.detail.empty() ? "" : "; ") + item_name(item, facts) +
                  "the stored content does not have its digest";
  }
  return out;
}

void cut_short(std::string& text) {
  if (text.size() <= kMaxDetailBytes) return;
  std::size_t end = kMaxDetailBytes - kCutShort.size();
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;  // between characters
  text.resize(end);
  text += kCutShort;
}

void append_bool(std::string& out, std::string_view name, bool value) {
  append_json_string(out, name);
  out += value ? ":true" : ":false";
}

}  // namespace

std::vector<std::string> GateAnswer::reasons() const {
  std::vector<std::string> out;
  for (const Requirement& requirement : requirements) {
    if (!requirement.met) out.push_back(requirement.detail);
  }
  return out;
}

GateAnswer gate(const GateFacts& facts) {
  GateAnswer answer;
  Demands demands;
  demands.add(facts.now);
  if (facts.at_submission) demands.add(*facts.at_submission);
  if (facts.items.empty() || facts.items_digest != items_digest_of(facts.items)) {
    answer.requirements.push_back(
        {"items", false, "there is no change set that this answer could be about", {}});
  }
  const People people(facts);
  const Tally tally(facts, people);
  if (demands.approvals_wanted() || !tally.against().empty()) {
    answer.requirements.push_back(approvals(demands.approvals, facts, people, tally, answer.unsatisfiable));
  }
  if (Requirement content = intact(facts); !content.met) answer.requirements.push_back(std::move(content));
  for (const std::string& name : demands.checks) answer.requirements.push_back(check(name, facts));
  if (!demands.models.empty()) answer.requirements.push_back(models(demands.models, facts));
  if (auto layers = layers_requirement(facts)) answer.requirements.push_back(*std::move(layers));
  for (const std::string& kind : demands.unknown) {
    answer.unsatisfiable = true;
    answer.requirements.push_back(
        {kind,
         false,
         "this program does not know the requirement " + kind + "; a newer one may, or an admin removes it",
         {}});
  }
  for (Requirement& requirement : answer.requirements) cut_short(requirement.detail);
  answer.met = std::all_of(answer.requirements.begin(), answer.requirements.end(),
                           [](const Requirement& requirement) { return requirement.met; });
  return answer;
}

std::string canonical_gate(const GateAnswer& answer) {
  std::string out = "{";
  append_bool(out, "met", answer.met);
  out += ",\"requirements\":[";
  for (const Requirement& requirement : answer.requirements) {
    if (out.back() == '}') out.push_back(',');
    out += "{\"detail\":";
    append_json_string(out, requirement.detail);
    out += ",\"kind\":";
    append_json_string(out, requirement.kind);
    out.push_back(',');
    append_bool(out, "met", requirement.met);
    out += ",\"verdicts\":[";
    for (const VerdictAnswer& verdict : requirement.verdicts) {
      if (out.back() == '}') out.push_back(',');
      out += "{\"by\":";
      append_json_string(out, verdict.by.text);
      out.push_back(',');
      append_bool(out, "counts", verdict.counts);
      out += ",\"why\":";
      append_json_string(out, verdict.why);
      out.push_back('}');
    }
    out += "]}";
  }
  out += "],";
  append_bool(out, "unsatisfiable", answer.unsatisfiable);
  return out + "}";
}

bool is_canonical_gate(std::string_view text) {
  const auto parsed = parse_json(text);
  if (!parsed.ok() || !parsed->is_object()) return false;
  const auto written = canonical_json(*parsed);
  if (!written.ok() || *written != text) return false;
  const auto list = [](const json::value& of, std::string_view name) {
    const json::value* found = of.is_object() ? of.get_object().if_contains(name) : nullptr;
    return found != nullptr && found->is_array() ? &found->get_array() : nullptr;
  };
  const auto names_giver = [](const json::value& verdict) {
    const json::value* by = verdict.is_object() ? verdict.get_object().if_contains("by") : nullptr;
    return by != nullptr && by->is_string();
  };
  const json::array* requirements = list(*parsed, "requirements");
  return requirements != nullptr &&
         std::all_of(requirements->begin(), requirements->end(), [&](const json::value& requirement) {
           const json::array* verdicts = list(requirement, "verdicts");
           return verdicts != nullptr && std::all_of(verdicts->begin(), verdicts->end(), names_giver);
         });
}

std::string items_digest_of(const std::vector<GateItem>& items) {
  std::vector<std::string> lines;
  for (const GateItem& item : items) {
    lines.push_back(item.artifact.text + " " + std::to_string(item.version) + " " + item.digest + "\n");
  }
  // The order in which somebody listed them says nothing.
  std::sort(lines.begin(), lines.end());
  Sha256 hash;
  hash.add(kItemsTag);
  for (const std::string& line : lines) hash.add(line);
  return "sha256:" + to_hex(hash.finish());
}

}  // namespace imprimatur
