// Versions with their content, and the scans of them.
#include "base/json.h"
#include "store/cursor.h"
#include "store/lock_rows.h"
#include "store/query.h"
#include "store/registry_rows.h"
#include "store/stored.h"

#include <algorithm>
#include <set>

#include <boost/json.hpp>

namespace imprimatur::store {
namespace {

constexpr std::string_view kVersion =
    "SELECT v.project, v.artifact, v.number, v.semver, v.digest, v.state, v.reason, c.content, v.message, "
    "v.author, v.accountable, v.base_version, v.created_at, v.salt FROM versions v JOIN contents c "
    "ON c.project = v.project AND c.artifact = v.artifact AND c.number = v.number";

constexpr std::string_view kBareVersion =
    "SELECT v.project, v.artifact, v.number, v.semver, v.digest, v.state, v.reason, '', v.message, v.author, "
    "v.accountable, v.base_version, v.created_at, v.salt FROM versions v";

constexpr std::string_view kOneVersion =
    " WHERE v.project = (SELECT project FROM artifacts WHERE id = ?) AND v.artifact = ? AND v.number = ?";

Version version_in(const Row& row) {
  Version version;
  version.project = {row.text(0)};
  version.artifact = {row.text(1)};
  version.number = row.integer(2);
  version.semver = row.text(3);
  version.digest = row.text(4);
  version.state = stored(state_of(row.text(5)), row.text(5));
  version.reason = stored(archive_reason_of(row.text(6)), row.text(6));
  version.content = row.text(7);
  version.message = row.text(8);
  version.author = {row.text(9)};
  version.accountable = {row.text(10)};
  version.base_version = row.integer(11);
  version.created_at = row.time(12);
  version.salt = row.text(13);
  return version;
}

// What a search looks at: the text, or the messages, of the canonical content.
std::string searchable(std::string_view content) {
  const Result<boost::json::value> parsed = parse_json(content);
  if (!parsed.ok() || !parsed.value().is_object()) return {};
  std::string out;
  const auto add = [&out](const boost::json::value* value) {
    if (value == nullptr || !value->is_string()) return;
    out += value->get_string();
    out += '\n';
  };
  const boost::json::object& object = parsed.value().get_object();
  add(object.if_contains("content"));
  const boost::json::value* messages = object.if_contains("messages");
  if (messages != nullptr && messages->is_array()) {
    for (const boost::json::value& message : messages->get_array()) {
      if (message.is_object()) add(message.get_object().if_contains("content"));
    }
  }
  return ascii_lowered(out);
}

constexpr std::string_view kScan =
    "SELECT s.id, s.project, s.artifact, s.version, s.digest, s.ruleset, s.status, s.score_tenths, "
    "s.critical_findings, s.report, s.scanned_by, s.created_at, s.number FROM scans s";

constexpr std::string_view kLatestResult =
    "SELECT s.id, s.project, s.artifact, s.version, s.digest, s.ruleset, s.status, s.score_tenths, "
    "s.critical_findings, '', s.scanned_by, s.created_at, s.number FROM scans s "
    "WHERE s.project = (SELECT project FROM artifacts WHERE id = ?) AND s.artifact = ? AND s.version = ? "
    "ORDER BY s.number DESC LIMIT 1";

struct NumberedScan {
  ScanRecord scan;
  std::int64_t number = 0;
};

NumberedScan scan_in(const Row& row) {
  NumberedScan found;
  ScanRecord& scan = found.scan;
  scan.id = {row.text(0)};
  scan.project = {row.text(1)};
  scan.artifact = {row.text(2)};
  scan.version = row.integer(3);
  scan.digest = row.text(4);
  scan.ruleset = row.text(5);
  scan.status = row.text(6);
  scan.score_tenths = static_cast<int>(row.integer(7));
  scan.critical_findings = static_cast<int>(row.integer(8));
  scan.report = row.text(9);
  if (!scan.report.empty()) require_object(scan.report, "the report of scan " + scan.id.text);
  scan.by = {row.text(10)};
  scan.created_at = row.time(11);
  found.number = row.integer(12);
  return found;
}

}  // namespace

void insert_version(Tx& tx, const Version& version) {
  Database& database = tx.database();
  database.exec(
      "INSERT INTO versions (project, artifact, number, semver, digest, state, reason, message, author, "
      "accountable, base_version, created_at, salt) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      version.project, version.artifact, version.number, version.semver, version.digest,
      name_of(version.state), name_of(version.reason), version.message, version.author, version.accountable,
      version.base_version, version.created_at, version.salt);
  database.exec("INSERT INTO contents (project, artifact, number, content) VALUES (?, ?, ?, ?)",
                version.project, version.artifact, version.number, version.content);
  database.exec(
      "UPDATE artifacts SET latest_version = ?, latest_state = ? WHERE project = ? AND id = ? "
      "AND latest_version < ?",
      version.number, name_of(version.state), version.project, version.artifact, version.number);
  database.exec(
      "INSERT INTO latest_texts (project, artifact, lowered) VALUES (?, ?, ?) "
      "ON CONFLICT (project, artifact) DO UPDATE SET lowered = excluded.lowered",
      version.project, version.artifact, searchable(version.content));
  insert_locks(tx, version);
}

void put_version_state(Tx& tx, const ProjectId& project, const VersionRef& version, State state,
                       ArchiveReason reason) {
  tx.database().exec(
      "UPDATE versions SET state = ?, reason = ? WHERE project = ? AND artifact = ? AND number = ?",
      name_of(state), name_of(reason), project, version.artifact, version.number);
  tx.database().exec(
      "UPDATE artifacts SET latest_state = ? WHERE project = ? AND id = ? AND latest_version = ?",
      name_of(state), project, version.artifact, version.number);
}

std::optional<Version> version(Tx& tx, const ArtifactId& artifact, std::int64_t number) {
  static const std::string sql = joined(kVersion, kOneVersion);
  return tx.database().one(sql, version_in, artifact, artifact, number);
}

std::optional<Version> version_bare(Tx& tx, const ArtifactId& artifact, std::int64_t number) {
  static const std::string sql = joined(kBareVersion, kOneVersion);
  return tx.database().one(sql, version_in, artifact, artifact, number);
}

Result<Page<Version>> versions(Tx& tx, const ArtifactId& artifact, const PageRequest& page) {
  const std::int64_t below = TRY(number_after(page, kNewest));
  Query select(kVersion);
  select.where("v.project = (SELECT project FROM artifacts WHERE id = ?)", artifact)
      .where("v.artifact = ?", artifact)
      .where("v.number < ?", below)
      .order("v.number DESC", page.limit);
  return paged(select.all(tx.database(), version_in), page, [](const Version& v) { return v.number; });
}

std::vector<PrincipalId> savers(Tx& tx, const ArtifactId& artifact, std::int64_t after) {
  constexpr std::string_view kAbove =
      "SELECT DISTINCT author, accountable FROM versions WHERE project = (SELECT project FROM artifacts "
      "WHERE id = ?) AND artifact = ? AND number > ?";
  std::set<PrincipalId> found;
  const auto add = [&](const Row& row) {
    found.insert({row.text(0)});
    if (!row.text(1).empty()) found.insert({row.text(1)});
  };
  tx.database().each(kAbove, add, artifact, artifact, after);
  return {found.begin(), found.end()};
}

void insert_scan(Tx& tx, const ScanRecord& scan) {
  tx.database().exec(
      "INSERT INTO scans (project, artifact, version, number, id, digest, ruleset, status, score_tenths, "
      "critical_findings, report, scanned_by, created_at) SELECT ?, ?, ?, coalesce(max(s.number), 0) + 1, ?, "
      "?, "
      "?, ?, ?, ?, ?, ?, ? FROM scans s WHERE s.project = ? AND s.artifact = ? AND s.version = ?",
      scan.project, scan.artifact, scan.version, scan.id, scan.digest, scan.ruleset, scan.status,
      scan.score_tenths, scan.critical_findings, scan.report, scan.by, scan.created_at, scan.project,
      scan.artifact, scan.version);
}

Result<Page<ScanRecord>> scans(Tx& tx, const ArtifactId& artifact, std::int64_t version,
                               const PageRequest& page) {
  const std::int64_t below = TRY(number_after(page, kNewest));
  Query select(kScan);
  select.where("s.project = (SELECT project FROM artifacts WHERE id = ?)", artifact)
      .where("s.artifact = ?", artifact)
      .where("s.version = ?", version)
      .where("s.number < ?", below)
      .order("s.number DESC", page.limit);
  const Page<NumberedScan> numbered =
      paged(select.all(tx.database(), scan_in), page, [](const NumberedScan& s) { return s.number; });
  Page<ScanRecord> out{{}, numbered.next_cursor};
  for (const NumberedScan& found : numbered.items) out.items.push_back(found.scan);
  return out;
}

std::optional<ScanRecord> latest_scan_result(Tx& tx, const ArtifactId& artifact, std::int64_t version) {
  auto found = tx.database().one(kLatestResult, scan_in, artifact, artifact, version);
  if (!found) return std::nullopt;
  return std::move(found->scan);
}

std::optional<ScanRecord> latest_scan(Tx& tx, const ArtifactId& artifact, std::int64_t version) {
  Result<Page<ScanRecord>> page = scans(tx, artifact, version, {.limit = 1});
  if (page.value().items.empty()) return std::nullopt;
  return std::move(page.value().items.front());
}

}  // namespace imprimatur::store
