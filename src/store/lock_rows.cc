#include "store/lock_rows.h"

#include "domain/content.h"
#include "store/broken.h"
#include "store/query.h"
#include "store/registry_rows.h"

namespace imprimatur::store {

void insert_locks(Tx& tx, const Version& version) {
  if (!may_include(version.content)) return;
  const auto content = content_from_canonical(version.content);
  if (!content.ok()) throw DataBroken("a version to keep whose content cannot be read");
  for (std::size_t i = 0; i < content->lock.size(); ++i) {
    const LockEntry& entry = content->lock[i];
    tx.database().exec(
        "INSERT INTO locks (project, artifact, number, position, layer, layer_number, direct) VALUES (?, ?, "
        "?, "
        "?, ?, ?, ?)",
        version.project, version.artifact, version.number, static_cast<std::int64_t>(i), entry.name,
        entry.version, i < content->layers.size() ? 1 : 0);
  }
}

std::vector<Locked> locks(Tx& tx, const ArtifactId& artifact, std::int64_t number) {
  return tx.database().all(
      "SELECT layer, layer_number, direct FROM locks WHERE project = (SELECT project FROM artifacts WHERE id "
      "= ?) "
      "AND artifact = ? AND number = ? ORDER BY position",
      [](const Row& row) {
        return Locked{row.text(0), row.integer(1), row.flag(2)};
      },
      artifact, artifact, number);
}

std::vector<ArtifactId> dependants(Tx& tx, const ProjectId& project, std::string_view layer,
                                   std::int64_t number, int limit) {
  return tx.database().all(
      "SELECT DISTINCT l.artifact FROM locks l JOIN artifacts a ON a.project = l.project AND a.id = "
      "l.artifact "
      "AND a.latest_version = l.number WHERE l.project = ? AND l.layer = ? AND l.direct = 1 "
      "AND l.layer_number < ? ORDER BY l.artifact LIMIT ?",
      [](const Row& row) { return ArtifactId{row.text(0)}; }, project, layer, number, limit);
}

std::optional<Artifact> artifact_by_name(Tx& tx, const ProjectId& project, std::string_view name) {
  const auto id = tx.database().one(
      "SELECT id FROM artifacts WHERE project = ? AND name = ?",
      [](const Row& row) { return ArtifactId{row.text(0)}; }, project, name);
  return id ? artifact(tx, *id) : std::nullopt;
}

std::vector<LayerCandidate> layer_candidates(Tx& tx, const Artifact& artifact) {
  return tx.database().all(
      "SELECT number, semver FROM versions WHERE project = ? AND artifact = ? AND reason <> ? ORDER BY "
      "number",
      [](const Row& row) {
        return LayerCandidate{row.integer(0), row.text(1)};
      },
      artifact.project, artifact.id, name_of(ArchiveReason::retired));
}

std::optional<std::string> content_named(Tx& tx, const ProjectId& project, std::string_view name,
                                         std::int64_t number) {
  return tx.database().one(
      "SELECT c.content FROM artifacts a JOIN contents c ON c.project = a.project AND c.artifact = a.id "
      "WHERE a.project = ? AND a.name = ? AND c.number = ?",
      [](const Row& row) { return row.text(0); }, project, name, number);
}

bool was_let_through(Tx& tx, const ArtifactId& artifact, std::int64_t version,
                     const EnvironmentId& environment) {
  if (retired(tx, artifact, version, environment)) return false;
  bool met = false, taken_back = false;
  tx.database().each(
      "SELECT protection_met, ended FROM releases WHERE project = (SELECT project FROM artifacts WHERE id = "
      "?) "
      "AND artifact = ? AND environment = ? AND version = ?",
      [&](const Row& row) {
        met = met || row.flag(0);
        taken_back = taken_back || row.text(1) == name_of(ReleaseEnd::rolled_back);
      },
      artifact, artifact, environment, version);
  return met && !taken_back;
}

}  // namespace imprimatur::store
