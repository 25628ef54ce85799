#include "domain/gate_people.h"

#include "base/check.h"
#include "domain/name.h"

#include <algorithm>

namespace imprimatur {
namespace {

// A verdict knows the protection it was given under when that is the one at submission, the present one, or
// one between them: what they ask of people is counted afresh below. One from before the submission, or from
// a later protection than these facts know, belongs to another question.
bool knows_protection(const Verdict& verdict, const GateFacts& facts) {
  const std::int64_t now = facts.now.version;
  const std::int64_t first = facts.at_submission ? std::min(facts.at_submission->version, now) : now;
  return verdict.protection_version >= first && verdict.protection_version <= now;
}

// Why an approval does not count, or nothing.
std::string objection(const Verdict& verdict, const GateFacts& facts, const Demands& demands,
                      const People& people) {
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
  if (std::string why = people.objection(verdict.by, verdict.at); !why.empty()) return why;
  if (!demands.checklist.empty() && verdict.checklist != checklist_digest(demands.checklist)) {
    return verdict.checklist.empty() ? "does not answer the checklist; a new verdict with answers is needed"
                                     : "answers another checklist; a new verdict is needed";
  }
  return {};
}

// The verdicts, read from the newest to the oldest.
class Tally {
 public:
  Tally(const GateFacts& facts, const Demands& demands, const People& people)
      : facts_(facts), demands_(demands), people_(people), answers_(facts.verdicts.size()) {
    for (std::size_t i = facts.verdicts.size(); i-- > 0;) answers_[i] = answer_for(facts.verdicts[i]);
  }
  // Whose approval counts, and when it was given; who objects.
  const std::map<PrincipalId, Time>& approved() const { return approved_; }
  const std::set<PrincipalId>& against() const { return against_; }
  const std::vector<VerdictAnswer>& answers() const { return answers_; }

 private:
  VerdictAnswer answer_for(const Verdict& verdict) {
    switch (verdict.kind) {
      case VerdictKind::approve: return approval(verdict);
      case VerdictKind::request_changes:
      case VerdictKind::reject: return against(verdict);
    }
    CHECK(false, "unknown verdict kind");
  }
  bool of_this_cycle(const Verdict& verdict) const {
    return of_this_review(verdict) && verdict.cycle == facts_.cycle;
  }
  bool of_this_review(const Verdict& verdict) const {
    return facts_.review && verdict.review == *facts_.review && verdict.cycle <= facts_.cycle;
  }
  // Overtaken by a newer objection only, so that giving one more approval never takes one away.
  VerdictAnswer approval(const Verdict& verdict) {
    if (of_this_review(verdict)) {
      spoke_.insert(verdict.by);
      if (of_this_cycle(verdict) && objected_.contains(verdict.by))
        return {verdict.by, verdict.kind, false, std::string(kReplaced)};
    }
    std::string why = objection(verdict, facts_, demands_, people_);
    if (!why.empty()) return {verdict.by, verdict.kind, false, std::move(why)};
    const auto [known, first] = approved_.emplace(verdict.by, verdict.at);
    if (!first) {
      known->second = std::max(known->second, verdict.at);
      return {verdict.by, verdict.kind, false, std::string(kReplaced)};
    }
    return {verdict.by, verdict.kind, true, "counts" + exceptions(verdict)};
  }
  // The teams of theirs that it was given too early for.
  std::string exceptions(const Verdict& verdict) const {
    std::string out;
    for (const TeamId& team : teams_asked()) {
      if (!people_.in_team(verdict.by, team) || people_.spoke_for(verdict.by, team, verdict.at)) continue;
      out += (out.empty() ? ", but not for " : ", ") + people_.team_name(team);
    }
    if (!out.empty()) out += ", which they joined after it; a new verdict is needed";
    return out;
  }
  std::set<TeamId> teams_asked() const {
    std::set<TeamId> out;
    const auto add = [&](const ApprovalRule& rule) {
      for (const auto& [team, count] : rule.teams) out.insert(team);
    };
    add(demands_.approvals);
    for (const Tier& tier : demands_.tiers) add(tier.approvals);
    for (const GateItem& item : facts_.items) {
      if (item.owners) out.insert(item.owners->teams.begin(), item.owners->teams.end());
    }
    return out;
  }
  // Stands until the same person says something newer in this review, whoever they are by now and whatever
  // was moved into it since: neither losing a role nor a new cycle clears an objection.
  VerdictAnswer against(const Verdict& verdict) {
    if (!of_this_review(verdict))
      return {verdict.by, verdict.kind, false, objection(verdict, facts_, demands_, people_)};
    objected_.insert(verdict.by);
    if (!spoke_.insert(verdict.by).second) return {verdict.by, verdict.kind, false, std::string(kReplaced)};
    if (std::string why = dismissed(verdict); !why.empty()) return {verdict.by, verdict.kind, false, why};
    against_.insert(verdict.by);
    return {verdict.by, verdict.kind, true,
            verdict.kind == VerdictKind::reject
                ? "rejected the change; that ends this cycle"
                : "requested changes; a newer verdict by the same person clears it, or somebody who is at "
                  "least " +
                      std::string(name_of(demands_.dismissers)) + " dismisses it with a reason"};
  }
  // By whom, or nothing. Somebody takes back their own at any time; another has to be able to do it now.
  std::string dismissed(const Verdict& verdict) const {
    for (const Dismissal& dismissal : facts_.dismissals) {
      if (dismissal.review != verdict.review || dismissal.verdict != verdict.number) continue;
      if (dismissal.by == verdict.by) return "was taken back";
      const Membership* member = people_.member(dismissal.by);
      if (member == nullptr || member->role < demands_.dismissers) continue;
      if (people_.objection(dismissal.by, dismissal.at).empty()) {
        return "was dismissed by somebody who may";
      }
    }
    return {};
  }

  static constexpr std::string_view kReplaced = "was replaced by the same person's newer verdict";
  const GateFacts& facts_;
  const Demands& demands_;
  const People& people_;
  std::map<PrincipalId, Time> approved_;
  std::set<PrincipalId> against_;
  std::set<PrincipalId> spoke_, objected_;  // in this review, newer than the verdict at hand
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

std::optional<Lack> lack(int needed, int have, int possible, const std::string& from,
                         const std::string& remedy) {
  if (have >= needed) return std::nullopt;
  const int missing = needed - have;
  Lack out{"needs " + std::to_string(missing) + " more " + (missing == 1 ? "approval" : "approvals") + from,
           {}};
  if (possible < needed) {
    out.remedy = "only " + std::to_string(possible) + " of the " + std::to_string(needed) +
                 " people needed could approve" + remedy;
  }
  return out;
}

std::vector<Lack> lacks(const ApprovalRule& rule, const Tally& tally, const People& people) {
  std::vector<Lack> out;
  const std::set<PrincipalId> able = people.able();
  const auto add = [&](std::optional<Lack> one) {
    if (one) out.push_back(*std::move(one));
  };
  add(lack(rule.count, static_cast<int>(tally.approved().size()), static_cast<int>(able.size()),
           " by a reviewer or admin who did not contribute",
           "; make somebody who did not contribute a reviewer, or let an admin lower the number"));
  for (const auto& [team, needed] : rule.teams) {
    const std::string name = people.team_name(team);
    const auto spoke = std::count_if(tally.approved().begin(), tally.approved().end(),
                                     [&, &team = team](const auto& approval) {
                                       return people.spoke_for(approval.first, team, approval.second);
                                     });
    const auto possible =
        std::count_if(able.begin(), able.end(),
                      [&, &team = team](const PrincipalId& person) { return people.in_team(person, team); });
    add(lack(needed, static_cast<int>(spoke), static_cast<int>(possible), " from " + name,
             " in " + name +
                 "; add a reviewer who did not contribute to the team, or let an admin change the rule"));
  }
  return out;
}

// Sentences that follow one another.
class Sentences {
 public:
  void say(const std::string& sentence) { text_ += (text_.empty() ? "" : "; ") + sentence; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// What is lacking, and what would help where nobody is left.
bool say_lacks(const std::vector<Lack>& missing, Sentences& out) {
  Sentences remedies;
  for (const Lack& one : missing) {
    out.say(one.says);
    if (!one.remedy.empty()) remedies.say(one.remedy);
  }
  if (remedies.text().empty()) return false;
  out.say("that cannot be: " + remedies.text());
  return true;
}

Requirement approvals(const GateFacts& facts, const Demands& demands, const People& people,
                      const Tally& tally, bool& unsatisfiable) {
  Requirement out{"approvals"};
  Sentences detail;
  if (const std::size_t against = tally.against().size(); against > 0) {
    detail.say(against == 1 ? "1 reviewer objects" : std::to_string(against) + " reviewers object");
  }
  const std::vector<Lack> missing = lacks(demands.approvals, tally, people);
  unsatisfiable = say_lacks(missing, detail) || unsatisfiable;
  if (!missing.empty() && !facts.review) detail.say("it has not been submitted for review");
  out.met = missing.empty() && tally.against().empty();
  out.detail =
      out.met ? approvals_word(static_cast<int>(tally.approved().size())) + " of people who may give them"
              : detail.text();
  out.verdicts = tally.answers();
  return out;
}

bool falls_under(const Tier& tier, const GateItem& item) {
  const bool tagged = std::any_of(tier.tags.begin(), tier.tags.end(), [&](const std::string& tag) {
    return std::any_of(item.tags.begin(), item.tags.end(), [&](const std::string& carried) {
      return carried == tag || skeleton_of(carried) == skeleton_of(tag);  // as names are compared
    });
  });
  return tagged || matches_any(tier.patterns, skeleton_of(item.name));
}

Requirement tier_requirement(const Tier& tier, const GateItem& item, const People& people, const Tally& tally,
                             bool& unsatisfiable) {
  Requirement out{"tier:" + tier.name};
  const std::vector<Lack> missing = lacks(tier.approvals, tally, people);
  Sentences detail;
  unsatisfiable = say_lacks(missing, detail) || unsatisfiable;
  out.met = missing.empty();
  out.detail = out.met ? "has what \"" + tier.name + "\" asks for"
                       : detail.text() + ", because " + item.name + " is \"" + tier.name + "\"";
  return out;
}

// People stand in it by their number: who they are is beside the journal, which knows this answer.
std::string names_of(const OwnedBy& owners, const People& people_of_project) {
  std::string out;
  for (const TeamId& team : owners.teams) {
    out += (out.empty() ? "" : ", ") + people_of_project.team_name(team);
  }
  if (owners.people.empty()) return out;
  const std::string people = owners.people.size() == 1 ? " person" : " people";
  return out + (out.empty() ? "" : " or ") + std::to_string(owners.people.size()) + " named" + people;
}

bool owns(const OwnedBy& owners, const PrincipalId& person, const People& people) {
  return owners.people.contains(person) ||
         std::any_of(owners.teams.begin(), owners.teams.end(),
                     [&](const TeamId& team) { return people.in_team(person, team); });
}

// Why no owner of the item has signed, or nothing.
std::string unsigned_by_owner(const GateItem& item, const People& people, const Tally& tally,
                              bool& unsatisfiable) {
  const OwnedBy& owners = *item.owners;
  const bool has_signed =
      std::any_of(tally.approved().begin(), tally.approved().end(), [&](const auto& approval) {
        return owners.people.contains(approval.first) ||
               std::any_of(owners.teams.begin(), owners.teams.end(), [&](const TeamId& team) {
                 return people.spoke_for(approval.first, team, approval.second);
               });
      });
  if (has_signed) return {};
  std::string out =
      "needs an approval by an owner (" + names_of(owners, people) + " for " + owners.pattern + ")";
  const auto able = people.able();
  const bool possible = std::any_of(able.begin(), able.end(),
                                    [&](const PrincipalId& person) { return owns(owners, person, people); });
  if (possible) return out;
  unsatisfiable = true;
  return out + ", and none of them could approve; make a reviewer who did not contribute an owner";
}

Requirement owners_requirement(const GateFacts& facts, const People& people, const Tally& tally,
                               bool& unsatisfiable) {
  Requirement out{"owners", true};
  Sentences detail, unowned;
  for (const GateItem& item : facts.items) {
    if (!item.owners) {
      unowned.say(item.name + " has no owner");
      continue;
    }
    const std::string why = unsigned_by_owner(item, people, tally, unsatisfiable);
    if (why.empty()) continue;
    out.met = false;
    detail.say(item_name(item, facts) + why);
  }
  if (out.met) detail.say("every owner has signed");
  if (!unowned.text().empty()) detail.say(unowned.text());
  out.detail = detail.text();
  return out;
}

bool wants(const ApprovalRule& rule) { return rule.owners || asks_for_people(rule); }

}  // namespace

bool may_give_verdicts(Role role) {
  switch (role) {
    case Role::viewer:
    case Role::editor: return false;
    case Role::reviewer:
    case Role::admin: return true;
  }
  CHECK(false, "unknown role");
}

bool asks_for_people(const ApprovalRule& rule) {
  return rule.count > 0 ||
         std::any_of(rule.teams.begin(), rule.teams.end(), [](const auto& team) { return team.second > 0; });
}

std::string item_name(const GateItem& item, const GateFacts& facts) {
  return facts.items.size() == 1 ? ""
                                 : item.artifact.text + " version " + std::to_string(item.version) + ": ";
}

People::People(const GateFacts& facts) : facts_(&facts) {
  for (const Membership& member : facts.members) by_id_[member.person] = &member;
  for (const GateItem& item : facts.items) {
    contributors_.insert(item.contributors.begin(), item.contributors.end());
  }
}

const Membership* People::member(const PrincipalId& person) const {
  const auto found = by_id_.find(person);
  return found == by_id_.end() ? nullptr : found->second;
}

bool People::in_team(const PrincipalId& person, const TeamId& team) const {
  const Membership* found = member(person);
  return found != nullptr && std::find(found->teams.begin(), found->teams.end(), team) != found->teams.end();
}

bool People::spoke_for(const PrincipalId& person, const TeamId& team, Time at) const {
  const auto since = facts_->team_since.find({person, team});
  return in_team(person, team) && since != facts_->team_since.end() && since->second <= at;
}

std::set<PrincipalId> People::able() const {
  std::set<PrincipalId> out;
  for (const auto& [id, member] : by_id_) {
    if (member->active && may_give_verdicts(member->role) && !contributed(id)) out.insert(id);
  }
  return out;
}

std::string People::objection(const PrincipalId& person, Time at) const {
  if (contributed(person)) return "contributed to this change";
  const Membership* found = member(person);
  if (found == nullptr) return "is not a member of the project any more";
  if (!found->active) return "is disabled";
  if (!may_give_verdicts(found->role)) {
    return "has the role " + std::string(name_of(found->role)) + " now; an approval needs reviewer or admin";
  }
  if (at < found->verdicts_since) {
    return "was given before the role was lost and regained; a new verdict is needed";
  }
  return {};
}

std::string People::team_name(const TeamId& team) const {
  const auto found = facts_->team_names.find(team);
  return "@" + (found == facts_->team_names.end() ? team.text : found->second);
}

Demands::Demands(const GateFacts& facts) {
  if (facts.at_submission) add(*facts.at_submission);
  add(facts.now);
}

// The present protection comes last: there is one checklist to answer, and it is the present one where there
// is one.
void Demands::add(const Protection& protection) {
  approvals.count = std::max(approvals.count, protection.approvals.count);
  approvals.owners = approvals.owners || protection.approvals.owners;
  for (const auto& [team, count] : protection.approvals.teams) {
    int& needed = approvals.teams[team];
    needed = std::max(needed, count);
  }
  for (const Tier& tier : protection.tiers) {
    if (std::find(tiers.begin(), tiers.end(), tier) == tiers.end()) tiers.push_back(tier);
  }
  checks.insert(protection.checks.begin(), protection.checks.end());
  for (const auto& [name, rule] : protection.check_rules) check_rules[name].push_back(rule);
  scans.push_back(protection.scan);
  if (!protection.checklist.empty()) checklist = protection.checklist;
  dismissers = std::max(dismissers, protection.dismissers);
  if (protection.path) paths.push_back(*protection.path);
  if (!(protection.shape == ShapeRule{})) shapes.push_back(protection.shape);
  const ModelRule& rule = protection.models;
  if (!rule.allowed.empty() || rule.temperature_min || rule.temperature_max) models.push_back(rule);
  unknown.insert(protection.unknown.begin(), protection.unknown.end());
}

bool Demands::asks_for_approvals() const {
  return wants(approvals) ||
         std::any_of(tiers.begin(), tiers.end(), [](const Tier& tier) { return wants(tier.approvals); });
}

std::vector<Requirement> people_requirements(const GateFacts& facts, const Demands& demands,
                                             bool& unsatisfiable) {
  std::vector<Requirement> out;
  const People people(facts);
  const Tally tally(facts, demands, people);
  if (!demands.asks_for_approvals() && tally.against().empty()) return out;
  out.push_back(approvals(facts, demands, people, tally, unsatisfiable));
  bool owners = demands.approvals.owners;
  for (const Tier& tier : demands.tiers) {
    const auto item = std::find_if(facts.items.begin(), facts.items.end(),
                                   [&](const GateItem& each) { return falls_under(tier, each); });
    if (item == facts.items.end()) continue;
    owners = owners || tier.approvals.owners;
    out.push_back(tier_requirement(tier, *item, people, tally, unsatisfiable));
  }
  if (owners) out.push_back(owners_requirement(facts, people, tally, unsatisfiable));
  return out;
}

}  // namespace imprimatur
