// Artifacts, their tags and their labels.
#include "store/cursor.h"
#include "store/query.h"
#include "store/registry_rows.h"
#include "store/stored.h"

namespace imprimatur::store {
namespace {

constexpr std::string_view kLabel = "SELECT artifact, name, version, set_by, set_at FROM labels";

Label label_in(const Row& row) {
  return {{row.text(0)}, row.text(1), row.integer(2), {row.text(3)}, row.time(4)};
}

constexpr std::string_view kArtifact =
    "SELECT a.id, a.project, a.name, a.skeleton, a.kind, a.type, a.tags, a.latest_version, a.latest_state, "
    "a.created_by, a.created_at, a.changed_at FROM artifacts a";

Artifact artifact_in(const Row& row) {
  Artifact artifact;
  artifact.id = {row.text(0)};
  artifact.project = {row.text(1)};
  artifact.name = row.text(2);
  artifact.skeleton = row.text(3);
  artifact.kind = stored(artifact_kind_of(row.text(4)), row.text(4));
  artifact.type = stored(content_type_of(row.text(5)), row.text(5));
  artifact.tags = list_of(row.text(6));
  artifact.latest_version = row.integer(7);
  artifact.latest_state = stored(state_of(row.text(8)), row.text(8));
  artifact.created_by = {row.text(9)};
  artifact.created_at = row.time(10);
  artifact.changed_at = row.time(11);
  return artifact;
}

void insert_tags(Tx& tx, const Artifact& artifact) {
  for (const std::string& tag : artifact.tags) {
    tx.database().exec(
        "INSERT INTO artifact_tags (project, artifact, tag) VALUES (?, ?, ?) "
        "ON CONFLICT (project, artifact, tag) DO NOTHING",
        artifact.project, artifact.id, tag);
  }
}

}  // namespace

void insert_artifact(Tx& tx, const Artifact& artifact) {
  tx.database().exec(
      "INSERT INTO artifacts (project, id, name, skeleton, kind, type, tags, latest_version, latest_state, "
      "created_by, created_at, changed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      artifact.project, artifact.id, artifact.name, artifact.skeleton, name_of(artifact.kind),
      name_of(artifact.type), list_text(artifact.tags), artifact.latest_version,
      name_of(artifact.latest_state), artifact.created_by, artifact.created_at, artifact.changed_at);
  insert_tags(tx, artifact);
}

void put_artifact(Tx& tx, const Artifact& artifact) {
  const std::string tags = list_text(artifact.tags);
  const std::optional<std::string> tags_before = tx.database().one(
      "SELECT tags FROM artifacts WHERE project = ? AND id = ?", [](const Row& row) { return row.text(0); },
      artifact.project, artifact.id);
  tx.database().exec("UPDATE artifacts SET tags = ?, changed_at = ? WHERE project = ? AND id = ?", tags,
                     artifact.changed_at, artifact.project, artifact.id);
  if (tags_before && *tags_before == tags) return;
  tx.database().exec("DELETE FROM artifact_tags WHERE project = ? AND artifact = ?", artifact.project,
                     artifact.id);
  insert_tags(tx, artifact);
}

std::optional<Artifact> artifact(Tx& tx, const ArtifactId& id) {
  static const std::string sql = joined(kArtifact, " WHERE a.id = ?");
  return tx.database().one(sql, artifact_in, id);
}

std::optional<Artifact> artifact_by_skeleton(Tx& tx, const ProjectId& project, std::string_view skeleton) {
  static const std::string sql = joined(kArtifact, " WHERE a.project = ? AND a.skeleton = ?");
  return tx.database().one(sql, artifact_in, project, skeleton);
}

Result<Page<Artifact>> artifacts(Tx& tx, const ArtifactQuery& query, const PageRequest& page) {
  const std::string after = TRY(text_after(page));
  Query select(kArtifact);
  select.where("a.project = ?", query.project);
  if (!after.empty()) select.where("a.name > ?", after);
  if (!query.name.empty()) select.where("a.name = ?", query.name);
  if (query.state) select.where("a.latest_state = ?", name_of(*query.state));
  if (!query.tag.empty()) {
    select.where(
        "EXISTS (SELECT 1 FROM artifact_tags t WHERE t.project = a.project AND t.artifact = a.id AND t.tag = "
        "?)",
        query.tag);
  }
  if (query.only_live) {
    select.where(
        "EXISTS (SELECT 1 FROM releases r WHERE r.project = a.project AND r.artifact = a.id "
        "AND r.ended = 'live')");
  }
  if (!query.text.empty()) {
    const std::string pattern = like_pattern(query.text);
    select.where(
        "(lower(a.name) LIKE ? ESCAPE '!' OR EXISTS (SELECT 1 FROM artifact_tags t WHERE t.project = "
        "a.project "
        "AND t.artifact = a.id AND lower(t.tag) LIKE ? ESCAPE '!') OR EXISTS (SELECT 1 FROM latest_texts l "
        "WHERE l.project = a.project AND l.artifact = a.id AND l.lowered LIKE ? ESCAPE '!'))",
        pattern, pattern, pattern);
  }
  select.order("a.name", page.limit);
  return paged(select.all(tx.database(), artifact_in), page, [](const Artifact& a) { return a.name; });
}

void put_label(Tx& tx, const ProjectId& project, const Label& label) {
  tx.database().exec(
      "INSERT INTO labels (project, artifact, name, version, set_by, set_at) VALUES (?, ?, ?, ?, ?, ?) "
      "ON CONFLICT (project, artifact, name) DO UPDATE SET version = excluded.version, "
      "set_by = excluded.set_by, set_at = excluded.set_at",
      project, label.artifact, label.name, label.version, label.by, label.at);
}

void delete_label(Tx& tx, const ArtifactId& artifact, std::string_view name) {
  tx.database().exec(
      "DELETE FROM labels WHERE project = (SELECT project FROM artifacts WHERE id = ?) AND artifact = ? "
      "AND name = ?",
      artifact, artifact, name);
}

std::vector<Label> labels(Tx& tx, const ArtifactId& artifact) {
  static const std::string sql = joined(
      kLabel, " WHERE project = (SELECT project FROM artifacts WHERE id = ?) AND artifact = ? ORDER BY name");
  return tx.database().all(sql, label_in, artifact, artifact);
}

void each_label(Tx& tx, const std::function<void(const Label&)>& take) {
  static const std::string sql = joined(kLabel, " ORDER BY project, artifact, name");
  tx.database().each(sql, [&](const Row& row) { take(label_in(row)); });
}

}  // namespace imprimatur::store
