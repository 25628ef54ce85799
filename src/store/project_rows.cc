// Projects, environments and the history of their protections.
#include "store/query.h"
#include "store/registry_rows.h"
#include "store/stored.h"

namespace imprimatur::store {
namespace {

constexpr std::string_view kProject = "SELECT id, name, description, created_by, created_at FROM projects";

Project project_in(const Row& row) {
  return {id_in<struct ProjectTag>(row, 0), row.text(1), row.text(2), {row.text(3)}, row.time(4)};
}

Protection protection_in(const std::string& rule, std::int64_t version) {
  Result<Protection> protection = protection_from_json(rule, version);
  if (!protection.ok()) throw DataBroken("a broken protection");
  return std::move(protection).value();
}

constexpr std::string_view kEnvironment =
    "SELECT e.id, e.project, e.name, e.position, e.protection_version, e.changed_at, p.rule "
    "FROM environments e JOIN protections p ON p.project = e.project AND p.environment = e.id "
    "AND p.version = e.protection_version";

Environment environment_in(const Row& row) {
  return {
      {row.text(0)}, {row.text(1)}, row.text(2), row.integer(3), protection_in(row.text(6), row.integer(4)),
      row.time(5)};
}

void keep_protection(Tx& tx, const Environment& environment) {
  tx.database().exec(
      "INSERT INTO protections (project, environment, version, rule) VALUES (?, ?, ?, ?) "
      "ON CONFLICT (project, environment, version) DO NOTHING",
      environment.project, environment.id, environment.protection.version,
      canonical_protection(environment.protection));
}

}  // namespace

void insert_project(Tx& tx, const Project& project) {
  tx.database().exec(
      "INSERT INTO projects (id, name, description, created_by, created_at) VALUES (?, ?, ?, ?, ?)",
      project.id, project.name, project.description, project.created_by, project.created_at);
}

std::optional<Project> project(Tx& tx, const ProjectId& id) {
  static const std::string sql = joined(kProject, " WHERE id = ?");
  return tx.database().one(sql, project_in, id);
}

std::optional<Project> project_by_name(Tx& tx, std::string_view name) {
  static const std::string sql = joined(kProject, " WHERE name = ?");
  return tx.database().one(sql, project_in, name);
}

std::int64_t count_projects_by(Tx& tx, const PrincipalId& creator) {
  return tx.database()
      .one(
          "SELECT count(*) FROM projects WHERE created_by = ?", [](const Row& row) { return row.integer(0); },
          creator)
      .value_or(0);
}

std::vector<Project> all_projects(Tx& tx) {
  static const std::string sql = joined(kProject, " ORDER BY name");
  return tx.database().all(sql, project_in);
}

void insert_environment(Tx& tx, const Environment& environment) {
  keep_protection(tx, environment);
  tx.database().exec(
      "INSERT INTO environments (project, id, name, position, protection_version, changed_at) "
      "VALUES (?, ?, ?, ?, ?, ?)",
      environment.project, environment.id, environment.name, environment.order,
      environment.protection.version, environment.changed_at);
}

void put_environment(Tx& tx, const Environment& environment) {
  keep_protection(tx, environment);
  tx.database().exec(
      "UPDATE environments SET name = ?, position = ?, protection_version = ?, changed_at = ? "
      "WHERE project = ? AND id = ?",
      environment.name, environment.order, environment.protection.version, environment.changed_at,
      environment.project, environment.id);
}

std::vector<Environment> environments(Tx& tx, const ProjectId& project) {
  static const std::string sql = joined(kEnvironment, " WHERE e.project = ? ORDER BY e.position, e.name");
  return tx.database().all(sql, environment_in, project);
}

std::vector<std::pair<EnvironmentId, std::string>> environment_names(Tx& tx, const ProjectId& project) {
  return tx.database().all(
      "SELECT id, name FROM environments WHERE project = ? ORDER BY position, name",
      [](const Row& row) { return std::pair(EnvironmentId{row.text(0)}, row.text(1)); }, project);
}

std::optional<Environment> environment_by_name(Tx& tx, const ProjectId& project, std::string_view name) {
  static const std::string sql = joined(kEnvironment, " WHERE e.project = ? AND e.name = ?");
  return tx.database().one(sql, environment_in, project, name);
}

std::optional<Protection> protection(Tx& tx, const EnvironmentId& environment, std::int64_t version) {
  return tx.database().one(
      "SELECT rule, version FROM protections WHERE project = (SELECT project FROM environments WHERE id = ?) "
      "AND environment = ? AND version = ?",
      [](const Row& row) { return protection_in(row.text(0), row.integer(1)); }, environment, environment,
      version);
}

void put_proposal(Tx& tx, const Proposal& proposal) {
  const Environment& environment = proposal.environment;
  tx.database().exec(
      "INSERT INTO proposals (project, environment, name, position, protection_version, rule, changed_at, "
      "proposed_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (project, environment) DO UPDATE SET "
      "name = excluded.name, position = excluded.position, protection_version = excluded.protection_version, "
      "rule = excluded.rule, changed_at = excluded.changed_at, proposed_by = excluded.proposed_by",
      environment.project, environment.id, environment.name, environment.order,
      environment.protection.version, canonical_protection(environment.protection), environment.changed_at,
      proposal.by);
}

void delete_proposal(Tx& tx, const EnvironmentId& environment) {
  tx.database().exec(
      "DELETE FROM proposals WHERE project = (SELECT project FROM environments WHERE id = ?) "
      "AND environment = ?",
      environment, environment);
}

std::optional<Proposal> proposal(Tx& tx, const EnvironmentId& environment) {
  return tx.database().one(
      "SELECT environment, project, name, position, protection_version, changed_at, rule, proposed_by "
      "FROM proposals WHERE project = (SELECT project FROM environments WHERE id = ?) AND environment = ?",
      [](const Row& row) {
        return Proposal{environment_in(row), {row.text(7)}};
      },
      environment, environment);
}

}  // namespace imprimatur::store
