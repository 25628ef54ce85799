#include "store/requirement_rows.h"

#include "store/cursor.h"
#include "store/query.h"
#include "store/stored.h"

namespace imprimatur::store {
namespace {

constexpr std::string_view kCheck =
    "SELECT c.id, c.project, c.artifact, c.version, c.name, c.digest, c.status, c.summary, c.url, "
    "c.reported_by, c.reported_at, c.salt, c.number FROM check_results c";
constexpr std::string_view kOfVersion =
    " WHERE c.project = (SELECT project FROM artifacts WHERE id = ?) AND c.artifact = ? AND c.version = ?";

struct NumberedCheck {
  CheckReport report;
  std::int64_t number = 0;
};

NumberedCheck check_in(const Row& row) {
  CheckReport report;
  report.id = row.text(0);
  report.project = {row.text(1)};
  report.artifact = {row.text(2)};
  report.version = row.integer(3);
  report.name = row.text(4);
  report.digest = row.text(5);
  report.status = stored(check_status_of(row.text(6)), row.text(6));
  report.summary = row.text(7);
  report.url = row.text(8);
  report.by = {row.text(9)};
  report.at = row.time(10);
  report.salt = row.text(11);
  return {std::move(report), row.integer(12)};
}

OwnerRules rules_in(const std::string& rules, std::int64_t version) {
  auto read = owners_from_json(rules, version);
  if (!read.ok()) throw DataBroken("broken owner rules");
  return *std::move(read);
}

}  // namespace

void insert_check(Tx& tx, const CheckReport& report) {
  tx.database().exec(
      "INSERT INTO check_results (project, artifact, version, number, id, name, digest, status, summary, "
      "url, "
      "salt, reported_by, reported_at) SELECT ?, ?, ?, coalesce(max(c.number), 0) + 1, ?, ?, ?, ?, ?, ?, ?, "
      "?, ? FROM check_results c WHERE c.project = ? AND c.artifact = ? AND c.version = ?",
      report.project, report.artifact, report.version, report.id, report.name, report.digest,
      name_of(report.status), report.summary, report.url, report.salt, report.by, report.at, report.project,
      report.artifact, report.version);
}

std::vector<CheckReport> latest_checks(Tx& tx, const ArtifactId& artifact, std::int64_t version) {
  static const std::string sql =
      joined(kCheck, joined(kOfVersion,
                            " AND NOT EXISTS (SELECT 1 FROM check_results n WHERE n.project = c.project AND "
                            "n.artifact = c.artifact AND n.version = c.version AND n.name = c.name AND "
                            "n.reported_by = c.reported_by AND n.number > c.number) ORDER BY c.number"));
  std::vector<CheckReport> out;
  for (NumberedCheck& found : tx.database().all(sql, check_in, artifact, artifact, version)) {
    out.push_back(std::move(found.report));
  }
  return out;
}

Result<Page<CheckReport>> checks(Tx& tx, const ArtifactId& artifact, std::int64_t version,
                                 const PageRequest& page) {
  const std::int64_t below = TRY(number_after(page, kNewest));
  Query select(kCheck);
  select.where("c.project = (SELECT project FROM artifacts WHERE id = ?)", artifact)
      .where("c.artifact = ?", artifact)
      .where("c.version = ?", version)
      .where("c.number < ?", below)
      .order("c.number DESC", page.limit);
  Page<NumberedCheck> numbered =
      paged(select.all(tx.database(), check_in), page, [](const NumberedCheck& c) { return c.number; });
  Page<CheckReport> out{{}, numbered.next_cursor};
  for (NumberedCheck& found : numbered.items) out.items.push_back(std::move(found.report));
  return out;
}

std::optional<CheckReport> check(Tx& tx, const ArtifactId& artifact, std::int64_t version,
                                 std::string_view id) {
  static const std::string sql = joined(kCheck, joined(kOfVersion, " AND c.id = ?"));
  auto found = tx.database().one(sql, check_in, artifact, artifact, version, std::string(id));
  if (!found) return std::nullopt;
  return std::move(found->report);
}

std::int64_t count_checks(Tx& tx, const ArtifactId& artifact, std::int64_t version) {
  return tx.database()
      .one(
          "SELECT coalesce(max(number), 0) FROM check_results WHERE project = (SELECT project FROM artifacts "
          "WHERE id = ?) AND artifact = ? AND version = ?",
          [](const Row& row) { return row.integer(0); }, artifact, artifact, version)
      .value_or(0);
}

void insert_acceptance(Tx& tx, const AcceptedFinding& accepted) {
  tx.database().exec(
      "INSERT INTO acceptances (project, artifact, version, number, id, digest, rule, reason, salt, "
      "accepted_by, accepted_at, expires_at) SELECT ?, ?, ?, coalesce(max(a.number), 0) + 1, ?, ?, ?, ?, ?, "
      "?, ?, ? FROM acceptances a WHERE a.project = ? AND a.artifact = ? AND a.version = ?",
      accepted.project, accepted.artifact, accepted.version, accepted.id, accepted.digest, accepted.rule,
      accepted.reason, accepted.salt, accepted.by, accepted.at, accepted.expires, accepted.project,
      accepted.artifact, accepted.version);
}

std::vector<AcceptedFinding> acceptances(Tx& tx, const ArtifactId& artifact, std::int64_t version) {
  return tx.database().all(
      "SELECT id, project, artifact, version, digest, rule, reason, accepted_by, accepted_at, expires_at, "
      "salt "
      "FROM acceptances WHERE project = (SELECT project FROM artifacts WHERE id = ?) AND artifact = ? AND "
      "version = ? ORDER BY number",
      [](const Row& row) {
        return AcceptedFinding{row.text(0), {row.text(1)}, {row.text(2)}, row.integer(3),
                               row.text(4), row.text(5),   row.text(6),   {row.text(7)},
                               row.time(8), row.time(9),   row.text(10)};
      },
      artifact, artifact, version);
}

void insert_dismissal(Tx& tx, const Dismissal& dismissal) {
  tx.database().exec(
      "INSERT INTO dismissals (project, review, number, verdict, reason, salt, dismissed_by, dismissed_at) "
      "SELECT r.project, r.id, (SELECT coalesce(max(d.number), 0) + 1 FROM dismissals d WHERE d.project = "
      "r.project AND d.review = r.id), ?, ?, ?, ?, ? FROM reviews r WHERE r.id = ?",
      dismissal.verdict, dismissal.reason, dismissal.salt, dismissal.by, dismissal.at, dismissal.review);
}

std::vector<Dismissal> dismissals(Tx& tx, const ReviewId& review) {
  return tx.database().all(
      "SELECT review, verdict, dismissed_by, reason, dismissed_at, salt FROM dismissals WHERE project = "
      "(SELECT project FROM reviews WHERE id = ?) AND review = ? ORDER BY number",
      [](const Row& row) {
        return Dismissal{{row.text(0)}, row.integer(1), {row.text(2)}, row.text(3), row.time(4), row.text(5)};
      },
      review, review);
}

OwnerRules owner_rules(Tx& tx, const ProjectId& project) {
  return tx.database()
      .one(
          "SELECT rules, version FROM owner_rules WHERE project = ? ORDER BY version DESC LIMIT 1",
          [](const Row& row) { return rules_in(row.text(0), row.integer(1)); }, project)
      .value_or(OwnerRules{});
}

void put_owner_rules(Tx& tx, const ProjectId& project, const OwnerRules& rules, Time at) {
  tx.database().exec("INSERT INTO owner_rules (project, version, rules, changed_at) VALUES (?, ?, ?, ?)",
                     project, rules.version, canonical_owners(rules), at);
}

void put_owner_proposal(Tx& tx, const ProjectId& project, const OwnerProposal& proposal) {
  tx.database().exec(
      "INSERT INTO owner_proposals (project, version, rules, proposed_by, proposed_at) VALUES (?, ?, ?, ?, "
      "?) "
      "ON CONFLICT (project) DO UPDATE SET version = excluded.version, rules = excluded.rules, "
      "proposed_by = excluded.proposed_by, proposed_at = excluded.proposed_at",
      project, proposal.rules.version, canonical_owners(proposal.rules), proposal.by, proposal.at);
}

void delete_owner_proposal(Tx& tx, const ProjectId& project) {
  tx.database().exec("DELETE FROM owner_proposals WHERE project = ?", project);
}

std::optional<OwnerProposal> owner_proposal(Tx& tx, const ProjectId& project) {
  return tx.database().one(
      "SELECT rules, version, proposed_by, proposed_at FROM owner_proposals WHERE project = ?",
      [](const Row& row) {
        return OwnerProposal{rules_in(row.text(0), row.integer(1)), {row.text(2)}, row.time(3)};
      },
      project);
}

}  // namespace imprimatur::store
