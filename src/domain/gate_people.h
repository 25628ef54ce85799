// Whose word counts: the requirements of the gate that people meet.
#pragma once

#include "domain/gate.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace imprimatur {

bool may_give_verdicts(Role role);
// Of every change, however it is tagged and whoever owns its name.
bool asks_for_people(const ApprovalRule& rule);
// Of several items each sentence says which one it is about.
std::string item_name(const GateItem& item, const GateFacts& facts);

// Answers about the people of one gate question.
class People {
 public:
  explicit People(const GateFacts& facts);
  bool contributed(const PrincipalId& person) const { return contributors_.contains(person); }
  const Membership* member(const PrincipalId& person) const;
  bool in_team(const PrincipalId& person, const TeamId& team) const;
  // Whether what they said at `at` was said as a member of the team, who is one still.
  bool spoke_for(const PrincipalId& person, const TeamId& team, Time at) const;
  // Everyone whose approval can count, now or after they give one.
  std::set<PrincipalId> able() const;
  // Why what they decided about this change at `at` does not count, as the people they are now; or nothing.
  std::string objection(const PrincipalId& person, Time at) const;
  std::string team_name(const TeamId& team) const;

 private:
  const GateFacts* facts_;
  std::map<PrincipalId, const Membership*> by_id_;
  std::set<PrincipalId> contributors_;
};

// The protection at submission and the present one as one that is at least as strict as each. What cannot be
// one rule stays side by side.
struct Demands {
  ApprovalRule approvals;
  std::vector<Tier> tiers;
  std::set<std::string> checks;
  std::map<std::string, std::vector<CheckRule>> check_rules;
  std::vector<ScanRule> scans;
  std::vector<Question> checklist;  // the one that an approval answers
  Role dismissers = Role::reviewer;
  std::vector<PathRule> paths;
  std::vector<ShapeRule> shapes;
  std::vector<ModelRule> models;
  std::set<std::string> unknown;

  explicit Demands(const GateFacts& facts);
  bool asks_for_approvals() const;

 private:
  void add(const Protection& protection);
};

// "approvals", the tiers that the items fall under, and "owners", where they are asked for; all verdicts with
// why they count stand in the first.
std::vector<Requirement> people_requirements(const GateFacts& facts, const Demands& demands,
                                             bool& unsatisfiable);

}  // namespace imprimatur
