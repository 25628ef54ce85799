// The owner rules of a project.
#include "domain/owners.h"
#include "registry/caller.h"
#include "registry/events.h"
#include "registry/outcome.h"
#include "registry/registry.h"
#include "registry/tenure.h"
#include "store/identity_rows.h"
#include "store/requirement_rows.h"

#include <algorithm>

namespace imprimatur::registry {
namespace {

using Outcome = Registry::EnvironmentOutcome;

Result<TeamId> team_named(store::Tx& tx, const ProjectId& project, std::string_view name,
                          const std::string& field) {
  for (const Team& team : store::teams(tx, project)) {
    if (team.name == name) return team.id;
  }
  return invalid_field(field, "there is no team called \"" + std::string(name) + "\" in the project");
}

Result<PrincipalId> member_named(store::Tx& tx, const ProjectId& project, const std::string& email,
                                 const std::string& field) {
  const auto person = store::user_by_email(tx, email);
  if (person && store::membership(tx, project, person->id)) return person->id;
  return invalid_field(field, "\"" + email + "\" is no member of the project; a team is written @team");
}

Result<OwnerRules> resolved(store::Tx& tx, const ProjectId& project, const std::vector<NamedOwners>& wanted,
                            std::int64_t version) {
  OwnerRules out{version, {}};
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::string at = "rules[" + std::to_string(i) + "]";
    auto pattern = NamePattern::of(wanted[i].pattern);
    if (!pattern.ok()) return invalid_field(at + ".pattern", pattern.error().detail);
    OwnerRule rule{*std::move(pattern), {}, {}};
    for (std::size_t k = 0; k < wanted[i].owners.size(); ++k) {
      const std::string& owner = wanted[i].owners[k];
      const std::string field = at + ".owners[" + std::to_string(k) + "]";
      if (owner.starts_with('@')) {
        rule.teams.push_back(TRY(team_named(tx, project, std::string_view(owner).substr(1), field)));
      } else {
        rule.people.push_back(TRY(member_named(tx, project, owner, field)));
      }
    }
    out.rules.push_back(std::move(rule));
  }
  // What is stored must be what can be read again; the reader also holds the limits.
  auto read = owners_from_json(canonical_owners(out), version);
  if (!read.ok()) return invalid_field("rules", read.error().detail);
  return read;
}

// Invariant 6, as for a protection that lets more through.
Result<Outcome> weaken(store::Tx& tx, const Caller& caller, const OwnerRules& after) {
  const ProjectId& project = caller.project().id;
  const PrincipalId& who = caller.principal().id;
  const auto waiting = store::owner_proposal(tx, project);
  if (waiting && waiting->by != who && waiting->rules == after && tx.now() < waiting->at + kProposalLives &&
      admin_since(tx, project, waiting->by, waiting->at)) {
    store::delete_owner_proposal(tx, project);
    store::put_owner_rules(tx, project, after, tx.now());
    tx.append(project.text, owners_changed_event(caller.actor(), project, after, true, waiting->by));
    return Outcome::changed;
  }
  if (!other_admin(tx, project, who)) {
    return unprocessable(
        "Changing owner rules needs a second admin, and the project has only one.",
        {"make somebody else an admin of the project; they can then ask for the same change"});
  }
  store::put_owner_proposal(tx, project, {after, who, tx.now()});
  tx.append(project.text, owners_proposed_event(caller.actor(), project, after));
  return Outcome::waiting;
}

bool anything_released(store::Tx& tx, const ProjectId& project) {
  const auto all = store::environments(tx, project);
  return std::any_of(all.begin(), all.end(),
                     [&](const Environment& environment) { return store::any_release(tx, environment.id); });
}

Result<Outcome> change(store::Tx& tx, const Caller& caller, const std::vector<NamedOwners>& wanted,
                       std::optional<std::int64_t> version) {
  const ProjectId& project = caller.project().id;
  const OwnerRules before = store::owner_rules(tx, project);
  if (version && *version != before.version) {
    return conflict("Version " + std::to_string(before.version) +
                    " of the owner rules is in force now; look at it and decide again.");
  }
  const OwnerRules after = TRY(resolved(tx, project, wanted, before.version + 1));
  const bool weaker = weakens(before, after);
  if (weaker && anything_released(tx, project)) return weaken(tx, caller, after);
  if (store::owner_proposal(tx, project)) store::delete_owner_proposal(tx, project);
  store::put_owner_rules(tx, project, after, tx.now());
  tx.append(project.text, owners_changed_event(caller.actor(), project, after, weaker, {}));
  return Outcome::changed;
}

}  // namespace

Result<Registry::EnvironmentOutcome> Registry::put_owners(const Command& command,
                                                          std::string_view project_name,
                                                          const std::vector<NamedOwners>& rules,
                                                          std::optional<std::int64_t> version) {
  const ProjectId project = TRY(store_.read([&](store::Tx& tx) -> Result<ProjectId> {
    return TRY(Caller::in_named(tx, command.principal, project_name)).project().id;
  }));
  return store_.write({project.text}, [&](store::Tx& tx) -> Result<EnvironmentOutcome> {
    const Caller caller = TRY(Caller::in(tx, command.principal, project));
    TRY(caller.require(Permission::manage_protection));
    if (const auto seen = TRY(store::replayed(tx, command))) return settings_from(*seen);
    const Outcome outcome = TRY(change(tx, caller, rules, version));
    store::remember(tx, command, outcome_of(outcome));
    return outcome;
  });
}

}  // namespace imprimatur::registry
