#include "domain/workflow.h"

#include "base/check.h"
#include "base/enums.h"

#include <algorithm>

namespace imprimatur {
namespace {

using enum State;

constexpr Transition kTransitions[] = {
    {draft, Action::submit, Permission::submit, Guard::none, in_review, ArchiveReason::none,
     "It is put before reviewers for an environment; a current scan that blocks refuses it."},
    {in_review, Action::approve, Permission::give_verdict, Guard::no_contributor, approved,
     ArchiveReason::none,
     "A verdict. It leads on once the gate answer of the review's environment is met; until then the version "
     "stays in review."},
    {in_review, Action::request_changes, Permission::give_verdict, Guard::no_contributor, in_review,
     ArchiveReason::none,
     "A verdict that blocks until the same person approves or a newer version begins a new cycle."},
    {in_review, Action::reject, Permission::give_verdict, Guard::no_contributor, draft, ArchiveReason::none,
     "A verdict that ends the review."},
    {in_review, Action::withdraw, Permission::submit, Guard::none, draft, ArchiveReason::none,
     "Its author's side ends the review."},
    {in_review, Action::update, Permission::submit, Guard::none, in_review, ArchiveReason::none,
     "The review moves on to a newer version: a new cycle, earlier verdicts are stale. The version that "
     "left is a draft again, the one that came is in review."},
    {approved, Action::approve, Permission::give_verdict, Guard::no_contributor, approved,
     ArchiveReason::none,
     "A further verdict, for when the gate asks for more than it did: an approver lost the role, the "
     "protection became stricter, another release came first."},
    {approved, Action::request_changes, Permission::give_verdict, Guard::no_contributor, in_review,
     ArchiveReason::none, "Second thoughts before it went live: the approval is gone, the review blocks."},
    {approved, Action::reject, Permission::give_verdict, Guard::no_contributor, draft, ArchiveReason::none,
     "Second thoughts before it went live end the review."},
    {approved, Action::withdraw, Permission::submit, Guard::none, draft, ArchiveReason::none,
     "Its author's side ends the review before it went live."},
    {approved, Action::update, Permission::submit, Guard::none, in_review, ArchiveReason::none,
     "The review moves on to a newer version, in a new cycle."},
    {approved, Action::deploy, Permission::deploy, Guard::gate_met, deployed, ArchiveReason::none,
     "It goes live in the last environment. The gate is asked again at this moment."},
    {approved, Action::retire, Permission::retire, Guard::none, archived, ArchiveReason::retired,
     "It shall never go live. Its review, if it holds nothing else, ends with it."},
    {deployed, Action::supersede, Permission::deploy, Guard::system, archived, ArchiveReason::superseded,
     "Another version of the artifact went live in its place."},
    {deployed, Action::retire, Permission::retire, Guard::none, archived, ArchiveReason::retired,
     "It is taken out of service. Retired text comes back only as a new version with its own review."},
    {deployed, Action::roll_back, Permission::roll_back, Guard::none, archived, ArchiveReason::rolled_back,
     "It gives way to a version that was live before it. Needs no approval, allowed in every freeze."},
    {archived, Action::reinstate, Permission::roll_back, Guard::was_live, deployed, ArchiveReason::none,
     "A roll back brings a superseded version back; never one that was rolled back from or retired."},
    {archived, Action::retire, Permission::retire, Guard::none, archived, ArchiveReason::retired,
     "No roll back shall lead to it any more."},
};

constexpr State kLastState = archived;
constexpr Action kLastAction = Action::reinstate;

bool offered(const Transition& row, const OfferFacts& facts) {
  if (row.permission == Permission::give_verdict && !facts.interactive) return false;
  switch (row.guard) {
    case Guard::none: return true;
    case Guard::gate_met: return facts.gate_met;
    case Guard::no_contributor: return !facts.contributor;
    case Guard::system: return false;
    case Guard::was_live: return facts.was_live;
  }
  CHECK(false, "unknown guard");
}

}  // namespace

std::string_view name_of(State state) {
  switch (state) {
    case State::draft: return "draft";
    case State::in_review: return "in_review";
    case State::approved: return "approved";
    case State::deployed: return "deployed";
    case State::archived: return "archived";
  }
  CHECK(false, "unknown state");
}

std::string_view name_of(Action action) {
  switch (action) {
    case Action::submit: return "submit";
    case Action::approve: return "approve";
    case Action::reject: return "reject";
    case Action::request_changes: return "request_changes";
    case Action::withdraw: return "withdraw";
    case Action::update: return "update";
    case Action::deploy: return "deploy";
    case Action::supersede: return "supersede";
    case Action::retire: return "retire";
    case Action::roll_back: return "roll_back";
    case Action::reinstate: return "reinstate";
  }
  CHECK(false, "unknown action");
}

std::string_view name_of(ArchiveReason reason) {
  switch (reason) {
    case ArchiveReason::none: return "none";
    case ArchiveReason::superseded: return "superseded";
    case ArchiveReason::rolled_back: return "rolled_back";
    case ArchiveReason::retired: return "retired";
  }
  CHECK(false, "unknown archive reason");
}

std::string_view name_of(Guard guard) {
  switch (guard) {
    case Guard::none: return "none";
    case Guard::gate_met: return "gate_met";
    case Guard::no_contributor: return "no_contributor";
    case Guard::system: return "system";
    case Guard::was_live: return "was_live";
  }
  CHECK(false, "unknown guard");
}

std::optional<State> state_of(std::string_view name) { return enumerator_named(name, kLastState); }

std::optional<Action> action_of(std::string_view name) { return enumerator_named(name, kLastAction); }

std::optional<ArchiveReason> archive_reason_of(std::string_view name) {
  return enumerator_named(name, ArchiveReason::retired);
}

std::span<const Transition> transitions() { return kTransitions; }

const Transition* transition(State from, Action action) {
  for (const Transition& row : kTransitions) {
    if (row.from == from && row.action == action) return &row;
  }
  return nullptr;
}

Result<State> next_state(State from, Action action) {
  if (const Transition* row = transition(from, action)) return row->to;
  const std::string cannot =
      "a version that is " + std::string(name_of(from)) + " cannot " + std::string(name_of(action));
  if (from == State::archived) {
    return conflict(cannot + "; what was live comes back by a rollback, any text as a new version");
  }
  std::string possible;
  for (const Transition& row : kTransitions) {
    if (row.from != from || row.guard == Guard::system) continue;
    possible += (possible.empty() ? "" : ", ") + std::string(name_of(row.action));
  }
  return conflict(cannot + "; possible are: " + possible);
}

std::vector<Action> allowed_actions(State state, const std::vector<Permission>& has,
                                    const OfferFacts& facts) {
  std::vector<Action> out;
  for (const Transition& row : kTransitions) {
    if (row.from != state || !offered(row, facts)) continue;
    if (std::find(has.begin(), has.end(), row.permission) != has.end()) out.push_back(row.action);
  }
  return out;
}

}  // namespace imprimatur
