// What protections ask for beside approvals and the scan, and who owns which names.
#include "store/schema_parts.h"

namespace imprimatur::store {

namespace {

constexpr std::string_view kRequirements = R"sql(
CREATE TABLE check_results (
  project TEXT NOT NULL,
  artifact TEXT NOT NULL,
  version INTEGER NOT NULL,
  number INTEGER NOT NULL,
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  status TEXT NOT NULL,
  summary TEXT NOT NULL,
  url TEXT NOT NULL,
  salt TEXT NOT NULL,
  reported_by TEXT NOT NULL,
  reported_at INTEGER NOT NULL,
  PRIMARY KEY (project, artifact, version, number),
  FOREIGN KEY (project, artifact, version) REFERENCES versions (project, artifact, number)
) STRICT, WITHOUT ROWID
;
REFUSE UPDATE OF project, artifact, version, number, id, name, digest, status, reported_by, reported_at
  ON check_results
;
REFUSE DELETE ON check_results
;
CREATE TABLE acceptances (
  project TEXT NOT NULL,
  artifact TEXT NOT NULL,
  version INTEGER NOT NULL,
  number INTEGER NOT NULL,
  id TEXT NOT NULL,
  digest TEXT NOT NULL,
  rule TEXT NOT NULL,
  reason TEXT NOT NULL,
  salt TEXT NOT NULL,
  accepted_by TEXT NOT NULL,
  accepted_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (project, artifact, version, number),
  FOREIGN KEY (project, artifact, version) REFERENCES versions (project, artifact, number)
) STRICT, WITHOUT ROWID
;
REFUSE UPDATE OF project, artifact, version, number, id, digest, rule, accepted_by, accepted_at, expires_at
  ON acceptances
;
REFUSE DELETE ON acceptances
;
CREATE TABLE checklist_answers (
  project TEXT NOT NULL,
  review TEXT NOT NULL,
  verdict INTEGER NOT NULL,
  checklist TEXT NOT NULL,
  answers TEXT NOT NULL,
  salt TEXT NOT NULL,
  PRIMARY KEY (project, review, verdict),
  FOREIGN KEY (project, review, verdict) REFERENCES verdicts (project, review, number)
) STRICT, WITHOUT ROWID
;
REFUSE UPDATE OF project, review, verdict, checklist ON checklist_answers
;
REFUSE DELETE ON checklist_answers
;
CREATE TABLE dismissals (
  project TEXT NOT NULL,
  review TEXT NOT NULL,
  number INTEGER NOT NULL,
  verdict INTEGER NOT NULL,
  reason TEXT NOT NULL,
  salt TEXT NOT NULL,
  dismissed_by TEXT NOT NULL,
  dismissed_at INTEGER NOT NULL,
  PRIMARY KEY (project, review, number),
  FOREIGN KEY (project, review, verdict) REFERENCES verdicts (project, review, number)
) STRICT, WITHOUT ROWID
;
REFUSE UPDATE OF project, review, number, verdict, dismissed_by, dismissed_at ON dismissals
;
REFUSE DELETE ON dismissals
;
CREATE TABLE owner_rules (
  project TEXT NOT NULL REFERENCES projects (id),
  version INTEGER NOT NULL,
  rules TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (project, version)
) STRICT, WITHOUT ROWID
;
REFUSE UPDATE OF project, version, rules, changed_at ON owner_rules
;
REFUSE DELETE ON owner_rules
;
CREATE TABLE owner_proposals (
  project TEXT NOT NULL PRIMARY KEY REFERENCES projects (id),
  version INTEGER NOT NULL,
  rules TEXT NOT NULL,
  proposed_by TEXT NOT NULL,
  proposed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID
)sql";

}  // namespace

std::string_view requirements_step() { return kRequirements; }

}  // namespace imprimatur::store
