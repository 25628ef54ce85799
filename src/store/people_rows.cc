// People, their memberships and teams.
#include "store/cursor.h"
#include "store/identity_rows.h"
#include "store/query.h"
#include "store/stored.h"

#include <map>

namespace imprimatur::store {
namespace {

constexpr std::string_view kUser =
    "SELECT id, email, display_name, password_hash, organisation_admin, disabled, created_at, salt FROM "
    "users";

User user_in(const Row& row) {
  return {{row.text(0)}, row.text(1), row.text(2), row.text(3),
          row.flag(4),   row.flag(5), row.time(6), row.text(7)};
}

// A member whose person is gone is not active.
constexpr std::string_view kMember =
    "SELECT m.project, m.person, m.role, m.verdicts_since, coalesce(u.disabled, 1), coalesce(u.email, ''), "
    "coalesce(u.display_name, '') FROM members m LEFT JOIN users u ON u.id = m.person";

Member member_in(const Row& row) {
  Member member;
  member.project = {row.text(0)};
  member.membership.person = {row.text(1)};
  member.membership.role = stored(role_of(row.text(2)), row.text(2));
  member.membership.verdicts_since = row.time(3);
  member.membership.active = !row.flag(4);
  member.email = row.text(5);
  member.display_name = row.text(6);
  return member;
}

}  // namespace

void insert_user(Tx& tx, const User& user) {
  tx.database().exec(
      "INSERT INTO users (id, email, display_name, password_hash, organisation_admin, disabled, created_at, "
      "salt) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      user.id, user.email, user.display_name, user.password_hash, user.organisation_admin ? 1 : 0,
      user.disabled ? 1 : 0, user.created_at, user.salt);
}

void put_user(Tx& tx, const User& user) {
  tx.database().exec(
      "UPDATE users SET email = ?, display_name = ?, password_hash = ?, organisation_admin = ?, disabled = "
      "?, "
      "salt = ? WHERE id = ?",
      user.email, user.display_name, user.password_hash, user.organisation_admin ? 1 : 0,
      user.disabled ? 1 : 0, user.salt, user.id);
}

std::optional<User> user(Tx& tx, const PrincipalId& id) {
  static const std::string sql = joined(kUser, " WHERE id = ?");
  return tx.database().one(sql, user_in, id);
}

std::optional<User> user_by_email(Tx& tx, std::string_view email) {
  static const std::string sql = joined(kUser, " WHERE email = ?");
  return tx.database().one(sql, user_in, email);
}

Result<Page<User>> users(Tx& tx, const PageRequest& page) {
  const std::string after = TRY(text_after(page));
  Query select(kUser);
  select.where("email > ?", after).order("email", page.limit);
  return paged(select.all(tx.database(), user_in), page, [](const User& u) { return u.email; });
}

std::int64_t count_users(Tx& tx) {
  return tx.database()
      .one("SELECT count(*) FROM users", [](const Row& row) { return row.integer(0); })
      .value_or(0);
}

void each_email(Tx& tx, const std::function<void(const std::string&)>& take) {
  tx.database().each("SELECT email FROM users", [&](const Row& row) { take(row.text(0)); });
}

void put_member(Tx& tx, const ProjectId& project, const Membership& membership) {
  Database& database = tx.database();
  database.exec(
      "INSERT INTO members (project, person, role, verdicts_since) VALUES (?, ?, ?, ?) "
      "ON CONFLICT (project, person) DO UPDATE SET role = excluded.role, "
      "verdicts_since = excluded.verdicts_since",
      project, membership.person, name_of(membership.role), membership.verdicts_since);
  database.exec("DELETE FROM team_members WHERE project = ? AND person = ?", project, membership.person);
  for (const TeamId& team : membership.teams) {
    database.exec(
        "INSERT INTO team_members (project, person, team) VALUES (?, ?, ?) "
        "ON CONFLICT (project, person, team) DO NOTHING",
        project, membership.person, team);
  }
}

void delete_member(Tx& tx, const ProjectId& project, const PrincipalId& person) {
  tx.database().exec("DELETE FROM team_members WHERE project = ? AND person = ?", project, person);
  tx.database().exec("DELETE FROM members WHERE project = ? AND person = ?", project, person);
}

std::optional<Membership> membership(Tx& tx, const ProjectId& project, const PrincipalId& person) {
  static const std::string sql = joined(kMember, " WHERE m.project = ? AND m.person = ?");
  std::optional<Member> found = tx.database().one(sql, member_in, project, person);
  if (!found) return std::nullopt;
  found->membership.teams = tx.database().all(
      "SELECT team FROM team_members WHERE project = ? AND person = ? ORDER BY team",
      [](const Row& row) { return TeamId{row.text(0)}; }, project, person);
  return std::move(found->membership);
}

std::vector<Member> members(Tx& tx, const ProjectId& project) {
  static const std::string sql = joined(kMember, " WHERE m.project = ? ORDER BY 6, m.person");
  std::vector<Member> found = tx.database().all(sql, member_in, project);
  std::map<std::string, std::vector<TeamId>> teams;
  tx.database().each(
      "SELECT person, team FROM team_members WHERE project = ? ORDER BY person, team",
      [&](const Row& row) { teams[row.text(0)].push_back({row.text(1)}); }, project);
  for (Member& member : found) {
    const auto its = teams.find(member.membership.person.text);
    if (its != teams.end()) member.membership.teams = its->second;
  }
  return found;
}

std::vector<Standing> standings(Tx& tx, const PrincipalId& person) {
  return tx.database().all(
      "SELECT p.id, p.name, p.description, p.created_by, p.created_at, m.role FROM members m "
      "JOIN projects p ON p.id = m.project WHERE m.person = ? ORDER BY p.name",
      [](const Row& row) {
        return Standing{{{row.text(0)}, row.text(1), row.text(2), {row.text(3)}, row.time(4)},
                        stored(role_of(row.text(5)), row.text(5))};
      },
      person);
}

void insert_team(Tx& tx, const Team& team) {
  tx.database().exec("INSERT INTO teams (project, id, name) VALUES (?, ?, ?)", team.project, team.id,
                     team.name);
}

std::vector<Team> teams(Tx& tx, const ProjectId& project) {
  return tx.database().all(
      "SELECT id, project, name FROM teams WHERE project = ? ORDER BY name",
      [](const Row& row) {
        return Team{{row.text(0)}, {row.text(1)}, row.text(2)};
      },
      project);
}

std::string display_of(Tx& tx, const PrincipalId& id) {
  if (const std::optional<User> person = user(tx, id)) return person->display_name;
  if (const std::optional<ServiceAccount> account = service_account(tx, id)) return account->name;
  return id.text;
}

}  // namespace imprimatur::store
