// Labels, and the protection of environments.
#include "domain/name.h"
#include "domain/words.h"
#include "registry/caller.h"
#include "registry/events.h"
#include "registry/outcome.h"
#include "registry/protecting.h"
#include "registry/registry.h"
#include "registry/tenure.h"
#include "registry/writing.h"
#include "store/identity_rows.h"
#include "store/registry_rows.h"

#include <algorithm>

namespace imprimatur::registry {
namespace {

constexpr std::size_t kMaxEnvironments = 20;

std::optional<Label> label_of(store::Tx& tx, const ArtifactId& artifact, std::string_view name) {
  for (Label& label : store::labels(tx, artifact)) {
    if (label.name == name) return std::move(label);
  }
  return std::nullopt;
}

// `latest` and the environments' names are kept by the server.
Status require_free_label(store::Tx& tx, const ProjectId& project, std::string_view name) {
  if (name == kLatest) return unprocessable("The label `latest` is kept by the server.");
  if (store::environment_by_name(tx, project, name)) {
    return unprocessable("This label is an environment's name; deploy or roll back to move it.");
  }
  return Ok{};
}

bool reorders(store::Tx& tx, const Environment& before, std::int64_t order) {
  const auto place = [&](std::int64_t at) {
    std::vector<std::string> below;
    for (const Environment& other : store::environments(tx, before.project)) {
      if (other.id != before.id && other.order < at) below.push_back(other.name);
    }
    return below;
  };
  return place(before.order) != place(order);
}

Status require_free_place(store::Tx& tx, const Environment& wanted) {
  for (const Environment& other : store::environments(tx, wanted.project)) {
    if (other.id != wanted.id && other.order == wanted.order) {
      return conflict("The environment " + other.name + " has this place in the order.");
    }
  }
  return Ok{};
}

bool anything_released(store::Tx& tx, const ProjectId& project) {
  const auto all = store::environments(tx, project);
  return std::any_of(all.begin(), all.end(),
                     [&](const Environment& environment) { return store::any_release(tx, environment.id); });
}

// States speak of the last environment, so while somebody is asked about a version's way into it, or into the
// one that would be the last, which one that is stays as it is.
Status require_no_review_of_the_last(store::Tx& tx, const Environment& after) {
  const Environment before = last_environment(tx, after.project);
  Environment last = after;
  for (const Environment& other : store::environments(tx, after.project)) {
    if (other.id != after.id && other.order > last.order) last = other;
  }
  if (last.id == before.id) return Ok{};
  for (const Environment& environment : {before, last}) {
    if (const auto review = store::standing_review(tx, after.project, environment.id)) {
      return conflict("Review " + review->text + " for " + environment.name +
                      " is not finished; deploy or withdraw it before another environment becomes the last.");
    }
  }
  return Ok{};
}

using Change = Registry::EnvironmentChange;
using Outcome = Registry::EnvironmentOutcome;

// A path leads upwards, so what comes after another stays after it.
Status require_paths(store::Tx& tx, const Environment& changed) {
  auto all = store::environments(tx, changed.project);
  for (Environment& each : all) {
    if (each.id == changed.id) each = changed;
  }
  for (const Environment& each : all) {
    if (!each.protection.path) continue;
    const auto before = std::find_if(all.begin(), all.end(), [&](const Environment& other) {
      return other.id == each.protection.path->after;
    });
    if (before == all.end() || before->order < each.order) continue;
    return unprocessable("The order of environments follows the path through them.",
                         {each.name + " takes only what was live in " + before->name + " before, so " +
                          before->name + " has to come first"});
  }
  return Ok{};
}

Result<Outcome> create_environment(store::Tx& tx, const Caller& caller, const std::string& name,
                                   const Change& change) {
  const ProjectId& project = caller.project().id;
  const Environment last = last_environment(tx, project);
  if (store::environments(tx, project).size() >= kMaxEnvironments) {
    return unprocessable("A project has at most " + std::to_string(kMaxEnvironments) + " environments.");
  }
  Environment made{{fresh_id("env", tx.now())},           project, name,
                   change.order.value_or(last.order + 1), {},      tx.now()};
  TRY(require_free_place(tx, made));
  // States speak of the last environment, and so do the releases made so far.
  if (made.order > last.order && anything_released(tx, project)) {
    return unprocessable("A new environment cannot become the last one after something was released.",
                         {"give it an `order` below that of " + last.name});
  }
  TRY(require_no_review_of_the_last(tx, made));
  made.protection = TRY(changed_protection(tx, made, change.protection));
  store::insert_environment(tx, made);
  tx.append(project.text, environment_changed_event(caller.actor(), made, false, {}));
  return Outcome::created;
}

// Invariant 6: what asks for less is in force once a second admin asks for the very same. One who lost the
// role since is no second admin, also not with the role given back: their proposal counts as not made.
Result<Outcome> weaken_environment(store::Tx& tx, const Caller& caller, const Environment& after) {
  const PrincipalId& who = caller.principal().id;
  const auto waiting = store::proposal(tx, after.id);
  const bool confirms = waiting && waiting->by != who && waiting->environment.order == after.order &&
                        waiting->environment.protection == after.protection &&
                        tx.now() < waiting->environment.changed_at + kProposalLives &&
                        admin_since(tx, after.project, waiting->by, waiting->environment.changed_at);
  if (confirms) {
    store::delete_proposal(tx, after.id);
    store::put_environment(tx, after);
    tx.append(after.project.text, environment_changed_event(caller.actor(), after, true, waiting->by));
    return Outcome::changed;
  }
  if (!other_admin(tx, after.project, who)) {
    return unprocessable(
        "A weaker protection needs a second admin, and the project has only one.",
        {"make somebody else an admin of the project; they can then ask for the same change"});
  }
  store::put_proposal(tx, {after, who});
  tx.append(after.project.text, environment_proposed_event(caller.actor(), after));
  return Outcome::waiting;
}

Result<Outcome> change_environment(store::Tx& tx, const Caller& caller, const Environment& before,
                                   const Change& change) {
  if (change.version && *change.version != before.protection.version) {
    return conflict("Version " + std::to_string(before.protection.version) +
                    " of the protection is in force now; look at it and decide again.");
  }
  Environment after = before;
  after.order = change.order.value_or(before.order);
  after.protection = TRY(changed_protection(tx, after, change.protection));
  after.changed_at = tx.now();
  TRY(require_free_place(tx, after));
  TRY(require_paths(tx, after));
  TRY(require_no_review_of_the_last(tx, after));
  const bool reordered = reorders(tx, before, after.order);
  const bool weaker = weakens(before.protection, after.protection) || reordered;
  // Before the first release there is nothing to protect yet.
  if (weaker && (reordered ? anything_released(tx, before.project) : store::any_release(tx, before.id))) {
    return weaken_environment(tx, caller, after);
  }
  if (store::proposal(tx, before.id)) store::delete_proposal(tx, before.id);
  store::put_environment(tx, after);
  tx.append(after.project.text, environment_changed_event(caller.actor(), after, weaker, {}));
  return Outcome::changed;
}

}  // namespace

Status Registry::put_label(const Command& command, const ArtifactId& id, std::string_view name,
                           std::int64_t number) {
  const std::string label = TRY(checked_short_name(name));
  const ProjectId project = TRY(store_.read([&](store::Tx& tx) -> Result<ProjectId> {
    return TRY(artifact_for(tx, command.principal, id)).artifact.project;
  }));
  return store_.write({project.text}, [&](store::Tx& tx) -> Status {
    const ArtifactScene scene = TRY(artifact_for(tx, command.principal, id));
    TRY(scene.caller.require(Permission::save));
    if (TRY(store::replayed(tx, command))) return Ok{};
    TRY(require_free_label(tx, project, label));
    TRY(version_or_404(tx, id, number));
    const auto before = label_of(tx, id, label);
    if (!before && store::labels(tx, id).size() >= kMaxLabels) {
      return unprocessable("A prompt has at most " + std::to_string(kMaxLabels) + " labels.");
    }
    if (before && before->version == number) return Ok{};
    store::put_label(tx, project, {id, label, number, scene.caller.author(), tx.now()});
    tx.append(project.text, label_moved_event(scene.caller.actor(), id, label, number,
                                              before ? std::optional(before->version) : std::nullopt));
    store::remember(tx, command, "label");
    return Ok{};
  });
}

Status Registry::delete_label(const Command& command, const ArtifactId& id, std::string_view name) {
  const std::string label(name);
  const ProjectId project = TRY(store_.read([&](store::Tx& tx) -> Result<ProjectId> {
    return TRY(artifact_for(tx, command.principal, id)).artifact.project;
  }));
  return store_.write({project.text}, [&](store::Tx& tx) -> Status {
    const ArtifactScene scene = TRY(artifact_for(tx, command.principal, id));
    TRY(scene.caller.require(Permission::save));
    if (TRY(store::replayed(tx, command))) return Ok{};
    TRY(require_free_label(tx, project, label));
    const auto before = label_of(tx, id, label);
    if (!before) return not_found("The prompt has no such label.");
    store::delete_label(tx, id, label);
    tx.append(project.text,
              label_moved_event(scene.caller.actor(), id, label, std::nullopt, before->version));
    store::remember(tx, command, "label");
    return Ok{};
  });
}

Result<Registry::EnvironmentOutcome> Registry::put_environment(const Command& command,
                                                               std::string_view project_name,
                                                               std::string_view environment,
                                                               const EnvironmentChange& change) {
  const std::string name = TRY(checked_short_name(environment));
  const ProjectId project = TRY(store_.read([&](store::Tx& tx) -> Result<ProjectId> {
    return TRY(Caller::in_named(tx, command.principal, project_name)).project().id;
  }));
  return store_.write({project.text}, [&](store::Tx& tx) -> Result<EnvironmentOutcome> {
    const Caller caller = TRY(Caller::in(tx, command.principal, project));
    TRY(caller.require(Permission::manage_protection));
    if (const auto seen = TRY(store::replayed(tx, command))) return settings_from(*seen);
    const auto before = store::environment_by_name(tx, project, name);
    const EnvironmentOutcome outcome = before ? TRY(change_environment(tx, caller, *before, change))
                                              : TRY(create_environment(tx, caller, name, change));
    store::remember(tx, command, outcome_of(outcome));
    return outcome;
  });
}

}  // namespace imprimatur::registry
