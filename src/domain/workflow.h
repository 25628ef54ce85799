// The life of a version: one table, from which the documentation, GET /workflow, the offered actions and the
// exhaustive test derive.
#pragma once

#include "base/result.h"
#include "domain/access.h"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur {

enum class State { draft, in_review, approved, deployed, archived };
enum class Action {
  submit,
  approve,
  reject,
  request_changes,
  withdraw,
  update,
  deploy,
  supersede,
  retire,
  roll_back,
  reinstate
};
enum class ArchiveReason { none, superseded, rolled_back, retired };

std::string_view name_of(State state);
std::string_view name_of(Action action);
std::string_view name_of(ArchiveReason reason);
std::optional<State> state_of(std::string_view name);
std::optional<Action> action_of(std::string_view name);
std::optional<ArchiveReason> archive_reason_of(std::string_view name);

// One row: in `from`, `action` needs `permission` and, when `guard` says so, more; it leads to `to`.
enum class Guard {
  none,            // the permission is enough
  gate_met,        // only when the gate answer of the last environment is met
  no_contributor,  // only by somebody who contributed nothing
  system,          // never offered: it follows from another artifact's action (superseded, approved)
  was_live,        // only for what was live there with its protection met, and not retired
};
struct Transition {
  State from;
  Action action;
  Permission permission;
  Guard guard;
  State to;
  ArchiveReason reason = ArchiveReason::none;
  std::string_view says;  // one sentence for the generated page
};

std::span<const Transition> transitions();
const Transition* transition(State from, Action action);
// The next state, or a conflict that names the state and what is possible from it.
Result<State> next_state(State from, Action action);
std::string_view name_of(Guard guard);

// The actions a caller may be offered for a version in `state`.
struct OfferFacts {
  bool contributor = false;
  bool interactive = true;  // a person in a session
  bool gate_met = false;
  bool was_live = false;
};
std::vector<Action> allowed_actions(State state, const std::vector<Permission>& has, const OfferFacts& facts);

// docs/workflow.md and the JSON of GET /workflow, from the same table.
std::string workflow_page();
std::string workflow_json();

}  // namespace imprimatur
