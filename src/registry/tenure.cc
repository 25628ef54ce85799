#include "registry/tenure.h"

#include "base/json.h"
#include "store/identity_rows.h"
#include "store/journal_rows.h"

#include <algorithm>
#include <functional>

#include <boost/json.hpp>

namespace imprimatur::registry {
namespace {

namespace json = boost::json;

bool names_team(const json::object& details, const TeamId& team) {
  const auto* teams = details.if_contains("teams");
  if (teams == nullptr || !teams->is_array()) return false;
  const auto& all = teams->get_array();
  return std::any_of(all.begin(), all.end(), [&](const auto& each) {
    return each.is_string() && std::string_view(each.get_string()) == team.text;
  });
}

bool makes_admin(const json::object& details) {
  const auto* role = details.if_contains("role");
  return role != nullptr && role->is_string() && std::string_view(role->get_string()) == name_of(Role::admin);
}

// Back to the last entry about the member that does not say what `says` looks for.
std::optional<Time> held_since(store::Tx& tx, const ProjectId& project, const PrincipalId& person,
                               Time enough, const std::function<bool(const json::object&)>& says) {
  constexpr int kAtOnce = 50;
  store::AuditQuery query;
  query.journal = project.text;
  query.resource = "member:" + person.text;
  std::optional<Time> since;
  store::PageRequest request{.limit = kAtOnce};
  do {
    const auto page = store::audit(tx, query, request);
    if (!page.ok()) throw store::DataBroken("the entries about a member: " + page.error().detail);
    for (const journal::Entry& entry : page->items) {
      const auto details = parse_json(entry.event.details);
      const bool held = entry.event.action == "member.changed" && details.ok() && details->is_object() &&
                        says(details->get_object());
      if (!held) return since;
      since = entry.time;
      if (entry.time <= enough) return since;
    }
    request.cursor = page->next_cursor;
  } while (!request.cursor.empty());
  return since;
}

}  // namespace

std::optional<Time> in_team_since(store::Tx& tx, const ProjectId& project, const PrincipalId& person,
                                  const TeamId& team, Time enough) {
  return held_since(tx, project, person, enough,
                    [&](const json::object& details) { return names_team(details, team); });
}

bool admin_since(store::Tx& tx, const ProjectId& project, const PrincipalId& person, Time then) {
  const auto now = store::membership(tx, project, person);
  // Whoever was disabled has the right to give verdicts from the end of that on.
  if (!now || !now->active || now->role != Role::admin || now->verdicts_since > then) return false;
  const auto since = held_since(tx, project, person, then, makes_admin);
  return since && *since <= then;
}

bool other_admin(store::Tx& tx, const ProjectId& project, const PrincipalId& first) {
  const auto all = store::members(tx, project);
  return std::any_of(all.begin(), all.end(), [&](const store::Member& member) {
    const Membership& standing = member.membership;
    return standing.active && standing.role == Role::admin && standing.person != first;
  });
}

}  // namespace imprimatur::registry
