// What is written about the workflow, from the table alone.
#include "base/check.h"
#include "base/json.h"
#include "domain/workflow.h"

#include <map>
#include <vector>

namespace imprimatur {
namespace {

constexpr State kStates[] = {State::draft, State::in_review, State::approved, State::deployed,
                             State::archived};
constexpr Role kRoles[] = {Role::viewer, Role::editor, Role::reviewer, Role::admin};

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

template <class T>
std::string list_of(const std::vector<T>& items) {
  std::string out = "[";
  for (const T& item : items) out += (out.size() > 1 ? "," : "") + quoted(name_of(item));
  return out + "]";
}

std::string says(Guard guard) {
  switch (guard) {
    case Guard::none: return "The permission is enough.";
    case Guard::gate_met: return "Only when the gate answer of the last environment is met.";
    case Guard::no_contributor: return "Only by somebody who contributed nothing to the change.";
    case Guard::system: return "Never offered: it follows from another version's action.";
    case Guard::was_live:
      return "Only for what was live there with its protection met and was superseded, not retired.";
  }
  CHECK(false, "unknown guard");
}

std::string target(const Transition& row) {
  std::string out = "`" + std::string(name_of(row.to)) + "`";
  if (row.reason != ArchiveReason::none) out += " (" + std::string(name_of(row.reason)) + ")";
  return out;
}

std::string diagram() {
  std::string out = "```mermaid\nstateDiagram-v2\n  [*] --> draft: save\n";
  // One arrow for all the actions between two states.
  std::map<std::pair<State, State>, std::string> arrows;
  for (const Transition& row : transitions()) {
    std::string& label = arrows[{row.from, row.to}];
    label += (label.empty() ? "" : ", ") + std::string(name_of(row.action));
  }
  for (const auto& [ends, label] : arrows) {
    out += "  " + std::string(name_of(ends.first)) + " --> " + std::string(name_of(ends.second)) + ": " +
           label + "\n";
  }
  return out + "```\n";
}

std::string role_table() {
  std::string out = "| role | may |\n|---|---|\n";
  for (const Role role : kRoles) {
    out += "| " + std::string(name_of(role)) + " | ";
    std::string separator;
    for (const Permission permission : permissions_of(role)) {
      out += separator + "`" + std::string(name_of(permission)) + "`";
      separator = ", ";
    }
    out += " |\n";
  }
  return out;
}

}  // namespace

std::string workflow_page() {
  std::string out =
      "# The life of a version\n\n"
      "Generated from the table in `src/domain/workflow.cc` by `ACCEPT=1 domain_tests`; do not edit. A test "
      "fails\n"
      "when this page and the table differ. `GET /api/v1/workflow` answers the same table as JSON.\n\n"
      "The state speaks of the last environment. What is live elsewhere is in the releases: deploying a "
      "draft to\n"
      "an environment that asks for nothing changes no state.\n\n";
  out += diagram();
  out += "\n| from | action | needs | guard | to | |\n|---|---|---|---|---|---|\n";
  for (const Transition& row : transitions()) {
    out += "| `" + std::string(name_of(row.from)) + "` | `" + std::string(name_of(row.action)) + "` | `" +
           std::string(name_of(row.permission)) + "` | " +
           (row.guard == Guard::none ? "" : "`" + std::string(name_of(row.guard)) + "`") + " | " +
           target(row) + " | " + std::string(row.says) + " |\n";
  }
  out += "\n## Guards\n\n";
  for (int value = 1; value <= static_cast<int>(Guard::was_live); ++value) {
    const auto guard = static_cast<Guard>(value);
    out += "- `" + std::string(name_of(guard)) + "`: " + says(guard) + "\n";
  }
  out += "\n## Roles\n\n" + role_table();
  out +=
      "\nService accounts have no role: the scopes of their keys decide, in the key's own project (and "
      "environment).\n"
      "No key gives a verdict, or manages members or protection. `report_check` is theirs alone.\n";
  return out;
}

std::string workflow_json() {
  std::vector<State> states(std::begin(kStates), std::end(kStates));
  std::vector<Action> actions;
  for (int value = 0; value <= static_cast<int>(Action::reinstate); ++value) {
    actions.push_back(static_cast<Action>(value));
  }
  std::string out =
      "{\"states\":" + list_of(states) + ",\"actions\":" + list_of(actions) + ",\"transitions\":[";
  for (const Transition& row : transitions()) {
    if (out.back() == '}') out.push_back(',');
    out += "{\"from\":" + quoted(name_of(row.from)) + ",\"action\":" + quoted(name_of(row.action)) +
           ",\"permission\":" + quoted(name_of(row.permission)) + ",\"guard\":" + quoted(name_of(row.guard)) +
           ",\"to\":" + quoted(name_of(row.to)) +
           ",\"reason\":" + (row.reason == ArchiveReason::none ? "null" : quoted(name_of(row.reason))) +
           ",\"says\":" + quoted(row.says) + "}";
  }
  return out + "],\"initial\":" + quoted(name_of(State::draft)) + "}";
}

}  // namespace imprimatur
