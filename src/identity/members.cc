// Members and teams of a project.
#include "domain/name.h"
#include "identity/events.h"
#include "identity/paging.h"
#include "identity/projects.h"
#include "identity/standing.h"
#include "store/registry_rows.h"

#include <algorithm>
#include <set>

namespace imprimatur::identity {
namespace {

constexpr std::string_view kTeamOutcome = "team:";

Error last_admin() { return conflict("A project keeps at least one admin; appoint another one first."); }

Error unknown_person() { return not_found("There is no person with this e-mail address."); }

std::vector<std::string> names_of(const std::vector<TeamId>& ids, const std::vector<Team>& all) {
  std::vector<std::string> names;
  for (const Team& team : all) {
    if (std::find(ids.begin(), ids.end(), team.id) != ids.end()) names.push_back(team.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::vector<TeamId>> ids_of(const std::vector<std::string>& names, const std::vector<Team>& all) {
  if (names.size() > kMaxTeamsOfMember)
    return invalid_field("teams", "must name at most " + std::to_string(kMaxTeamsOfMember) + " teams");
  std::set<TeamId> ids;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto team =
        std::find_if(all.begin(), all.end(), [&](const Team& one) { return one.name == names[i]; });
    if (team == all.end())
      return invalid_field("teams[" + std::to_string(i) + "]", "is no team of the project; create it first");
    ids.insert(team->id);
  }
  return std::vector<TeamId>(ids.begin(), ids.end());
}

MemberView view_of(const User& user, const Membership& membership, const std::vector<Team>& teams) {
  return {.person = user.id,
          .email = user.email,
          .display_name = user.display_name,
          .role = membership.role,
          .teams = names_of(membership.teams, teams),
          .active = !user.disabled};
}

TeamView team_view(Team team, const std::vector<store::Member>& people) {
  TeamView view{std::move(team), {}};
  for (const store::Member& member : people) {
    const auto& teams = member.membership.teams;
    if (std::find(teams.begin(), teams.end(), view.team.id) != teams.end())
      view.members.push_back(member.email);
  }
  std::sort(view.members.begin(), view.members.end());
  return view;
}

// Who may change members: admins of the project, and, for appointing one, an organisation admin where none is
// left who could.
Result<Project> managed(store::Tx& tx, const Principal& principal, std::string_view name,
                        std::optional<Role> appoints) {
  auto inside = project_admin(tx, principal, name);
  if (inside.ok()) return std::move(inside)->project;
  if (appoints == Role::admin && require_organisation_admin(tx, principal).ok()) {
    auto project = store::project_by_name(tx, name);
    if (project && active_admins(tx, project->id, PrincipalId{}) == 0) return *std::move(project);
  }
  return std::move(inside).error();
}

Time right_since(const std::optional<Membership>& before, Role role, Time now) {
  if (!gives_verdicts(role)) return Time{};
  return before && gives_verdicts(before->role) ? before->verdicts_since : now;
}

}  // namespace

Result<store::Page<MemberView>> Projects::members(const Principal& principal, std::string_view project,
                                                  const PageRequest& page) {
  return store_.read([&](store::Tx& tx) -> Result<store::Page<MemberView>> {
    const Insider inside = TRY(insider(tx, principal, project));
    if (!inside.membership) return forbidden("A key does not see who the members are.");
    const auto teams = store::teams(tx, inside.project.id);
    std::vector<MemberView> all;
    for (const store::Member& member : store::members(tx, inside.project.id)) {
      all.push_back({.person = member.membership.person,
                     .email = member.email,
                     .display_name = member.display_name,
                     .role = member.membership.role,
                     .teams = names_of(member.membership.teams, teams),
                     .active = member.membership.active});
    }
    return page_of(std::move(all), page, [](const MemberView& member) { return member.email; });
  });
}

Result<MemberView> Projects::put_member(const Command& command, std::string_view name, std::string_view email,
                                        Role role,
                                        const std::optional<std::vector<std::string>>& team_names) {
  const ProjectId id = TRY(id_of(name));
  return store_.write({id.text}, [&](store::Tx& tx) -> Result<MemberView> {
    TRY(managed(tx, command.principal, name, role));
    const auto address = checked_email(email);
    const auto user = address.ok() ? store::user_by_email(tx, *address) : std::nullopt;
    if (!user) return unknown_person();
    const auto teams = store::teams(tx, id);
    const auto before = store::membership(tx, id, user->id);
    // Putting the same member twice is the same as once; a repetition only must not undo what came between.
    if (TRY(store::replayed(tx, command)) && before) return view_of(*user, *before, teams);

    Membership after = before.value_or(Membership{.person = user->id});
    after.role = role;
    if (team_names) after.teams = TRY(ids_of(*team_names, teams));
    after.verdicts_since = right_since(before, role, tx.now());
    if (before && before->role == Role::admin && role != Role::admin && active_admins(tx, id, user->id) == 0)
      return last_admin();
    if (!before && store::members(tx, id).size() >= kMaxMembers)
      return conflict("The project has as many members as it can hold.");
    const auto before_names = before ? names_of(before->teams, teams) : std::vector<std::string>();
    const auto after_names = names_of(after.teams, teams);
    if (!before || before->role != role || before_names != after_names) {
      store::put_member(tx, id, after);
      const auto previous = before ? std::optional(before->role) : std::nullopt;
      tx.append(id.text, member_changed(command.principal.id, after, previous));
    }
    store::remember(tx, command, "member:" + user->id.text);
    return view_of(*user, after, teams);
  });
}

Status Projects::delete_member(const Command& command, std::string_view name, std::string_view email) {
  const ProjectId id = TRY(id_of(name));
  return store_.write({id.text}, [&](store::Tx& tx) -> Status {
    TRY(managed(tx, command.principal, name, std::nullopt));
    if (TRY(store::replayed(tx, command))) return Ok{};
    const auto address = checked_email(email);
    const auto user = address.ok() ? store::user_by_email(tx, *address) : std::nullopt;
    const auto before = user ? store::membership(tx, id, user->id) : std::nullopt;
    if (!before) return not_found("There is no member with this e-mail address.");
    if (before->role == Role::admin && active_admins(tx, id, user->id) == 0) return last_admin();
    store::delete_member(tx, id, user->id);
    tx.append(id.text, member_removed(command.principal.id, *before));
    store::remember(tx, command, "member:" + user->id.text);
    return Ok{};
  });
}

Result<store::Page<TeamView>> Projects::teams(const Principal& principal, std::string_view project,
                                              const PageRequest& page) {
  return store_.read([&](store::Tx& tx) -> Result<store::Page<TeamView>> {
    const Insider inside = TRY(insider(tx, principal, project));
    if (!inside.membership) return forbidden("A key does not see the teams.");
    const auto people = store::members(tx, inside.project.id);
    std::vector<TeamView> all;
    for (Team& team : store::teams(tx, inside.project.id)) all.push_back(team_view(std::move(team), people));
    return page_of(std::move(all), page, [](const TeamView& view) { return view.team.name; });
  });
}

Result<TeamView> Projects::create_team(const Command& command, std::string_view project,
                                       std::string_view name) {
  const ProjectId id = TRY(id_of(project));
  const TeamId team_id{make_id("tea")};
  return store_.write({id.text}, [&](store::Tx& tx) -> Result<TeamView> {
    TRY(project_admin(tx, command.principal, project));
    const auto all = store::teams(tx, id);
    if (const auto outcome = TRY(store::replayed(tx, command))) {
      const TeamId first{store::reference_in(*outcome, kTeamOutcome)};
      const auto team =
          std::find_if(all.begin(), all.end(), [&](const Team& one) { return one.id == first; });
      if (team == all.end()) throw store::DataBroken("a team that is gone");
      return team_view(*team, store::members(tx, id));
    }
    const auto checked = checked_short_name(name);
    if (!checked.ok()) return invalid_field("name", checked.error().detail);
    if (std::any_of(all.begin(), all.end(), [&](const Team& one) { return one.name == *checked; }))
      return conflict("There is already a team of this name.");
    if (all.size() >= kMaxTeams) return conflict("The project has as many teams as it can hold.");
    const Team team{.id = team_id, .project = id, .name = *checked};
    store::insert_team(tx, team);
    tx.append(id.text, team_created(command.principal.id, team));
    store::remember(tx, command, std::string(kTeamOutcome) + team_id.text);
    return TeamView{team, {}};
  });
}

}  // namespace imprimatur::identity
