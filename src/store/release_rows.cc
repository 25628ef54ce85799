// Releases, retirements, and what delivery serves of them.
#include "store/cursor.h"
#include "store/query.h"
#include "store/registry_rows.h"
#include "store/stored.h"

namespace imprimatur::store {
namespace {

constexpr std::string_view kColumns =
    "r.id, r.project, r.environment, r.artifact, r.version, r.digest, r.kind, r.change_set, r.review, "
    "r.replaced, r.previous, r.protection_version, r.protection_met, r.gate, r.rollout, r.reason, "
    "r.released_by, r.released_at, r.ended, r.ended_at, r.number, r.salt";
constexpr std::size_t kNumberColumn = 20;

Release release_in(const Row& row) {
  Release release;
  release.id = {row.text(0)};
  release.project = {row.text(1)};
  release.environment = {row.text(2)};
  release.artifact = {row.text(3)};
  release.version = row.integer(4);
  release.digest = row.text(5);
  release.kind = stored(release_kind_of(row.text(6)), row.text(6));
  release.change_set = row.text(7);
  release.review = {row.text(8)};
  release.replaced = {row.text(9)};
  release.previous = {row.text(10)};
  release.protection_version = row.integer(11);
  release.protection_met = row.flag(12);
  release.gate = row.text(13);
  release.rollout = row.text(14);
  release.reason = row.text(15);
  release.by = {row.text(16)};
  release.at = row.time(17);
  release.end = stored(release_end_of(row.text(18)), row.text(18));
  release.ended_at = row.time(19);
  release.salt = row.text(21);
  return release;
}

std::string select_release(std::string_view rest) {
  return "SELECT " + joined(kColumns, " FROM releases r") + std::string(rest);
}

constexpr std::string_view kOfArtifact =
    " WHERE r.project = (SELECT project FROM artifacts WHERE id = ?) AND r.artifact = ?";

constexpr std::string_view kDeliverable =
    "SELECT r.id, r.artifact, r.environment, a.name, r.version, r.ended, r.digest, c.content, r.project, "
    "r.number FROM releases r "
    "JOIN artifacts a ON a.project = r.project AND a.id = r.artifact "
    "JOIN contents c ON c.project = r.project AND c.artifact = r.artifact AND c.number = r.version ";

// What is live, and of what was live there and is not retired the newest release of each version.
constexpr std::string_view kServed =
    "(r.ended = 'live' OR (NOT EXISTS (SELECT 1 FROM retirements t WHERE t.project = r.project "
    "AND t.artifact = r.artifact AND t.version = r.version AND t.environment = r.environment) "
    "AND NOT EXISTS (SELECT 1 FROM releases l WHERE l.project = r.project AND l.artifact = r.artifact "
    "AND l.environment = r.environment AND l.version = r.version AND (l.number > r.number "
    "OR l.ended = 'live'))))";

Deliverable deliverable_in(const Row& row) {
  return {.release = {row.text(0)},
          .artifact = {row.text(1)},
          .environment = {row.text(2)},
          .name = row.text(3),
          .version = row.integer(4),
          .live = row.text(5) == name_of(ReleaseEnd::live),
          .rolled_back = row.text(5) == name_of(ReleaseEnd::rolled_back),
          .digest = row.text(6),
          .content = row.text(7)};
}

// PostgreSQL hands over a whole result, so what is long is read in pieces.
constexpr int kReleasesAtOnce = 1000;

}  // namespace

void insert_release(Tx& tx, const Release& release) {
  tx.database().exec(
      "INSERT INTO releases (project, id, number, environment, artifact, version, digest, kind, change_set, "
      "review, replaced, previous, protection_version, protection_met, gate, rollout, reason, released_by, "
      "released_at, ended, ended_at, salt) SELECT ?, ?, coalesce(max(r.number), 0) + 1, ?, ?, ?, ?, ?, ?, ?, "
      "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ? FROM releases r WHERE r.project = ? AND r.artifact = ? AND "
      "r.environment = ?",
      release.project, release.id, release.environment, release.artifact, release.version, release.digest,
      name_of(release.kind), release.change_set, release.review, release.replaced, release.previous,
      release.protection_version, release.protection_met ? 1 : 0, release.gate, release.rollout,
      release.reason, release.by, release.at, name_of(release.end), release.ended_at, release.salt,
      release.project, release.artifact, release.environment);
}

void end_release(Tx& tx, const ReleaseId& id, ReleaseEnd end, Time at) {
  tx.database().exec(
      "UPDATE releases SET ended = ?, ended_at = ? WHERE project = (SELECT project FROM releases WHERE id = "
      "?) "
      "AND id = ?",
      name_of(end), at, id, id);
}

std::optional<Release> release(Tx& tx, const ReleaseId& id) {
  static const std::string sql = select_release(" WHERE r.id = ?");
  return tx.database().one(sql, release_in, id);
}

std::optional<Release> live_release(Tx& tx, const ArtifactId& artifact, const EnvironmentId& environment) {
  static const std::string sql =
      select_release(joined(kOfArtifact, " AND r.environment = ? AND r.ended = 'live' AND r.rollout = ''"));
  return tx.database().one(sql, release_in, artifact, artifact, environment);
}

std::optional<Release> newest_release(Tx& tx, const ArtifactId& artifact, std::int64_t version,
                                      const EnvironmentId& environment) {
  static const std::string sql = select_release(
      joined(kOfArtifact, " AND r.environment = ? AND r.version = ? ORDER BY r.number DESC LIMIT 1"));
  return tx.database().one(sql, release_in, artifact, artifact, environment, version);
}

std::vector<Release> live_releases(Tx& tx, const ArtifactId& artifact) {
  static const std::string sql =
      select_release(joined(kOfArtifact, " AND r.ended = 'live' ORDER BY r.environment, r.number"));
  return tx.database().all(sql, release_in, artifact, artifact);
}

Result<Page<Release>> releases(Tx& tx, const ArtifactId& artifact, const EnvironmentId& environment,
                               const PageRequest& page) {
  const std::int64_t below = TRY(number_after(page, kNewest));
  struct NumberedRelease {
    Release release;
    std::int64_t number;
  };
  Query select(select_release(""));
  select.where("r.project = (SELECT project FROM artifacts WHERE id = ?)", artifact)
      .where("r.artifact = ?", artifact)
      .where("r.environment = ?", environment)
      .where("r.number < ?", below)
      .order("r.number DESC", page.limit);
  const auto rows = select.all(tx.database(), [](const Row& row) {
    return NumberedRelease{release_in(row), row.integer(kNumberColumn)};
  });
  const auto numbered = paged(rows, page, [](const NumberedRelease& r) { return r.number; });
  Page<Release> out{{}, numbered.next_cursor};
  for (const NumberedRelease& found : numbered.items) out.items.push_back(found.release);
  return out;
}

std::optional<Release> release_at(Tx& tx, const ArtifactId& artifact, const EnvironmentId& environment,
                                  Time at) {
  static const std::string sql = select_release(joined(
      kOfArtifact,
      " AND r.environment = ? AND r.rollout = '' AND r.released_at <= ? ORDER BY r.number DESC LIMIT 1"));
  auto found = tx.database().one(sql, release_in, artifact, artifact, environment, at);
  // Each begins when the one before ends, or later.
  if (found && found->end != ReleaseEnd::live && found->ended_at <= at) return std::nullopt;
  return found;
}

std::vector<LetThrough> let_through_below(Tx& tx, const ArtifactId& artifact,
                                          const EnvironmentId& environment, std::int64_t number) {
  return tx.database().all(
      "SELECT max(r.version), r.protection_version FROM releases r WHERE r.project = (SELECT project FROM "
      "artifacts WHERE id = ?) AND r.artifact = ? AND r.environment = ? AND r.version < ? "
      "AND r.protection_met = 1 AND NOT EXISTS (SELECT 1 FROM retirements t WHERE t.project = r.project "
      "AND t.artifact = r.artifact AND t.version = r.version AND t.environment = r.environment) "
      "AND NOT EXISTS (SELECT 1 FROM releases b WHERE b.project = r.project AND b.artifact = r.artifact "
      "AND b.environment = r.environment AND b.version = r.version AND b.ended = 'rolled_back') "
      "GROUP BY r.protection_version ORDER BY max(r.version) DESC, r.protection_version",
      [](const Row& row) {
        return LetThrough{row.integer(0), row.integer(1)};
      },
      artifact, artifact, environment, number);
}

bool any_release(Tx& tx, const EnvironmentId& environment) {
  return tx.database()
      .one(
          "SELECT 1 FROM releases WHERE project = (SELECT project FROM environments WHERE id = ?) "
          "AND environment = ? LIMIT 1",
          [](const Row&) { return true; }, environment, environment)
      .has_value();
}

void insert_retirement(Tx& tx, const ProjectId& project, const ArtifactId& artifact, std::int64_t version,
                       const EnvironmentId& environment, Time at) {
  tx.database().exec(
      "INSERT INTO retirements (project, artifact, version, environment, retired_at) VALUES (?, ?, ?, ?, ?) "
      "ON CONFLICT (project, artifact, version, environment) DO UPDATE SET retired_at = excluded.retired_at",
      project, artifact, version, environment, at);
}

bool retired(Tx& tx, const ArtifactId& artifact, std::int64_t version, const EnvironmentId& environment) {
  return tx.database()
      .one(
          "SELECT 1 FROM retirements WHERE project = (SELECT project FROM artifacts WHERE id = ?) "
          "AND artifact = ? AND version = ? AND environment = ?",
          [](const Row&) { return true; }, artifact, artifact, version, environment)
      .has_value();
}

void each_deliverable(Tx& tx, const std::function<void(const Deliverable&)>& take) {
  static const std::string sql =
      joined(kDeliverable, "WHERE (r.project, r.artifact, r.environment, r.number) > (?, ?, ?, ?) AND ") +
      joined(kServed, " ORDER BY r.project, r.artifact, r.environment, r.number LIMIT ?");
  std::string project, artifact, environment;
  std::int64_t number = 0;
  while (true) {
    int taken = 0;
    // The arguments are copied when the statement begins, so they may move on with the rows.
    tx.database().each(
        sql,
        [&](const Row& row) {
          const Deliverable deliverable = deliverable_in(row);
          artifact = deliverable.artifact.text;
          environment = deliverable.environment.text;
          project = row.text(8);
          number = row.integer(9);
          ++taken;
          take(deliverable);
        },
        project, artifact, environment, number, kReleasesAtOnce);
    if (taken < kReleasesAtOnce) return;
  }
}

std::vector<Deliverable> deliverables(Tx& tx, const ArtifactId& artifact, const EnvironmentId& environment) {
  static const std::string sql = joined(kDeliverable,
                                        "WHERE r.project = (SELECT project FROM artifacts WHERE id = ?) "
                                        "AND r.artifact = ? AND r.environment = ? AND ") +
                                 joined(kServed, " ORDER BY r.number");
  return tx.database().all(sql, deliverable_in, artifact, artifact, environment);
}

}  // namespace imprimatur::store
