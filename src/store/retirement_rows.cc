#include "store/retirement_rows.h"

#include "store/database.h"

namespace imprimatur::store {

void insert_retirement_reason(Tx& tx, const ProjectId& project, const RetirementReason& reason) {
  tx.database().exec(
      "INSERT INTO retirement_reasons (project, artifact, version, environment, reason, salt) VALUES (?, ?, "
      "?, ?, "
      "?, ?)",
      project, reason.version.artifact, reason.version.number, reason.environment, reason.reason,
      reason.salt);
}

std::optional<RetirementReason> retirement_reason(Tx& tx, const ProjectId& project, const VersionRef& version,
                                                  const EnvironmentId& environment) {
  return tx.database().one(
      "SELECT reason, salt FROM retirement_reasons WHERE project = ? AND artifact = ? AND version = ? AND "
      "environment = ?",
      [&](const Row& row) {
        return RetirementReason{version, environment, row.text(0), row.text(1)};
      },
      project, version.artifact, version.number, environment);
}

}  // namespace imprimatur::store
