// The steps of the schema. A step that was released never changes; a change is a new step.
//
// Only INTEGER and TEXT, never null: 0 and '' mean none, flags are 0 and 1, times are microseconds, hashes
// are hex. A salt belongs to the journal's commitment to the words beside it. Every row of a project has the
// project first in its key. Where an id alone is looked up, an index leads to the project. Evidence refers to
// people by id without a foreign key, so that a person can be erased.
#include "store/schema.h"
#include "store/schema_parts.h"

namespace imprimatur::store {
namespace {

constexpr std::string_view kJournals = R"sql(
CREATE TABLE writers (
  id TEXT NOT NULL PRIMARY KEY,
  group_number INTEGER NOT NULL,
  seen_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID
;
CREATE TABLE installation (
  id INTEGER NOT NULL PRIMARY KEY,
  unicode TEXT NOT NULL
) STRICT, WITHOUT ROWID
;
CREATE TABLE heads (
  journal TEXT NOT NULL PRIMARY KEY,
  size INTEGER NOT NULL,
  last_hash TEXT NOT NULL,
  last_time INTEGER NOT NULL,
  frontier TEXT NOT NULL,
  signature TEXT NOT NULL,
  public_key TEXT NOT NULL
) STRICT, WITHOUT ROWID
;
CREATE TABLE entries (
  journal TEXT NOT NULL,
  seq INTEGER NOT NULL,
  time INTEGER NOT NULL,
  action TEXT NOT NULL,
  actor TEXT NOT NULL,
  resource TEXT NOT NULL,
  details TEXT NOT NULL,
  previous TEXT NOT NULL,
  hash TEXT NOT NULL,
  PRIMARY KEY (journal, seq)
) STRICT, WITHOUT ROWID
;
CREATE INDEX entries_by_actor ON entries (journal, actor, seq)
;
CREATE INDEX entries_by_resource ON entries (journal, resource, seq)
;
CREATE INDEX entries_by_action ON entries (journal, action, seq)
;
REFUSE UPDATE OF journal, seq, time, action, actor, resource, details, previous, hash ON entries
;
REFUSE DELETE ON entries
;
REFUSE DELETE ON heads
)sql";

constexpr std::string_view kPeople = R"sql(
CREATE TABLE users (
  id TEXT NOT NULL PRIMARY KEY,
  email TEXT NOT NULL,
  display_name TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  organisation_admin INTEGER NOT NULL,
  disabled INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  salt TEXT NOT NULL
) STRICT, WITHOUT ROWID
;
CREATE UNIQUE INDEX users_by_email ON users (email)
;
CREATE TABLE projects (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID
;
CREATE UNIQUE INDEX projects_by_name ON projects (name)
;
CREATE TABLE members (
  project TEXT NOT NULL REFERENCES projects (id),
  person TEXT NOT NULL,
  role TEXT NOT NULL,
  verdicts_since INTEGER NOT NULL,
  PRIMARY KEY (project, person)
) STRICT, WITHOUT ROWID
;
CREATE INDEX members_by_person ON members (person)
;
CREATE TABLE teams (
  project TEXT NOT NULL REFERENCES projects (id),
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (project, id)
) STRICT, WITHOUT ROWID
;
CREATE UNIQUE INDEX teams_by_name ON teams (project, name)
;
CREATE TABLE team_members (
  project TEXT NOT NULL,
  person TEXT NOT NULL,
  team TEXT NOT NULL,
  PRIMARY KEY (project, person, team),
  FOREIGN KEY (project, team) REFERENCES teams (project, id)
) STRICT, WITHOUT ROWID
;
CREATE INDEX team_members_by_team ON team_members (project, team)
;
CREATE TABLE service_accounts (
  project TEXT NOT NULL REFERENCES projects (id),
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  owner TEXT NOT NULL,
  disabled INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (project, id)
) STRICT, WITHOUT ROWID
;
CREATE INDEX service_accounts_by_id ON service_accounts (id)
;
CREATE TABLE api_keys (
  project TEXT NOT NULL REFERENCES projects (id),
  id TEXT NOT NULL,
  account TEXT NOT NULL,
  owner TEXT NOT NULL,
  name TEXT NOT NULL,
  hash TEXT NOT NULL,
  hint TEXT NOT NULL,
  scopes TEXT NOT NULL,
  environment TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  revoked_at INTEGER NOT NULL,
  PRIMARY KEY (project, id)
) STRICT, WITHOUT ROWID
;
CREATE INDEX api_keys_by_id ON api_keys (id)
;
REFUSE UPDATE OF project, id, account, owner, hash, scopes, environment, created_at ON api_keys
;
CREATE TABLE key_uses (
  project TEXT NOT NULL,
  api_key TEXT NOT NULL,
  used_at INTEGER NOT NULL,
  PRIMARY KEY (project, api_key)
) STRICT, WITHOUT ROWID
;
CREATE TABLE sessions (
  id TEXT NOT NULL PRIMARY KEY,
  person TEXT NOT NULL,
  hash TEXT NOT NULL,
  csrf TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID
;
CREATE UNIQUE INDEX sessions_by_hash ON sessions (hash)
;
CREATE INDEX sessions_by_person ON sessions (person)
;
CREATE INDEX sessions_by_expiry ON sessions (expires_at)
;
CREATE TABLE failed_logins (
  account TEXT NOT NULL PRIMARY KEY,
  failures INTEGER NOT NULL,
  last_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID
;
CREATE TABLE idempotency (
  principal TEXT NOT NULL,
  request_key TEXT NOT NULL,
  request_hash TEXT NOT NULL,
  outcome TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (principal, request_key)
) STRICT, WITHOUT ROWID
;
CREATE INDEX idempotency_by_time ON idempotency (created_at)
)sql";

constexpr std::string_view kArtifacts = R"sql(
CREATE TABLE environments (
  project TEXT NOT NULL REFERENCES projects (id),
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  position INTEGER NOT NULL,
  protection_version INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (project, id)
) STRICT, WITHOUT ROWID
;
CREATE INDEX environments_by_id ON environments (id)
;
CREATE UNIQUE INDEX environments_by_name ON environments (project, name)
;
CREATE TABLE protections (
  project TEXT NOT NULL,
  environment TEXT NOT NULL,
  version INTEGER NOT NULL,
  rule TEXT NOT NULL,
  PRIMARY KEY (project, environment, version)
) STRICT, WITHOUT ROWID
;
REFUSE UPDATE OF project, environment, version, rule ON protections
;
REFUSE DELETE ON protections
;
CREATE TABLE proposals (
  project TEXT NOT NULL,
  environment TEXT NOT NULL,
  name TEXT NOT NULL,
  position INTEGER NOT NULL,
  protection_version INTEGER NOT NULL,
  rule TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
  proposed_by TEXT NOT NULL,
  PRIMARY KEY (project, environment),
  FOREIGN KEY (project, environment) REFERENCES environments (project, id)
) STRICT, WITHOUT ROWID
;
CREATE TABLE artifacts (
  project TEXT NOT NULL REFERENCES projects (id),
  id TEXT NOT NULL,
  name TEXT NOT NULL,
  skeleton TEXT NOT NULL,
  kind TEXT NOT NULL,
  type TEXT NOT NULL,
  tags TEXT NOT NULL,
  latest_version INTEGER NOT NULL,
  latest_state TEXT NOT NULL,
  created_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (project, id)
) STRICT, WITHOUT ROWID
;
CREATE INDEX artifacts_by_id ON artifacts (id)
;
CREATE UNIQUE INDEX artifacts_by_skeleton ON artifacts (project, skeleton)
;
CREATE UNIQUE INDEX artifacts_by_name ON artifacts (project, name)
;
CREATE INDEX artifacts_by_state ON artifacts (project, latest_state, name)
;
CREATE TABLE artifact_tags (
  project TEXT NOT NULL,
  artifact TEXT NOT NULL,
  tag TEXT NOT NULL,
  PRIMARY KEY (project, artifact, tag)
) STRICT, WITHOUT ROWID
;
CREATE INDEX artifact_tags_by_tag ON artifact_tags (project, tag, artifact)
;
CREATE TABLE latest_texts (
  project TEXT NOT NULL,
  artifact TEXT NOT NULL,
  lowered TEXT NOT NULL,
  PRIMARY KEY (project, artifact)
) STRICT, WITHOUT ROWID
;
CREATE TABLE versions (
  project TEXT NOT NULL,
  artifact TEXT NOT NULL,
  number INTEGER NOT NULL,
  semver TEXT NOT NULL,
  digest TEXT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  message TEXT NOT NULL,
  salt TEXT NOT NULL,
  author TEXT NOT NULL,
  accountable TEXT NOT NULL,
  base_version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (project, artifact, number),
  FOREIGN KEY (project, artifact) REFERENCES artifacts (project, id)
) STRICT, WITHOUT ROWID
;
REFUSE UPDATE OF project, artifact, number, semver, digest, author, accountable, base_version, created_at
  ON versions
;
REFUSE DELETE ON versions
;
CREATE TABLE contents (
  project TEXT NOT NULL,
  artifact TEXT NOT NULL,
  number INTEGER NOT NULL,
  content TEXT NOT NULL,
  PRIMARY KEY (project, artifact, number),
  FOREIGN KEY (project, artifact, number) REFERENCES versions (project, artifact, number)
) STRICT, WITHOUT ROWID
;
REFUSE UPDATE OF project, artifact, number, content ON contents
;
REFUSE DELETE ON contents
;
CREATE TABLE scans (
  project TEXT NOT NULL,
  artifact TEXT NOT NULL,
  version INTEGER NOT NULL,
  number INTEGER NOT NULL,
  id TEXT NOT NULL,
  digest TEXT NOT NULL,
  ruleset TEXT NOT NULL,
  status TEXT NOT NULL,
  score_tenths INTEGER NOT NULL,
  critical_findings INTEGER NOT NULL,
  report TEXT NOT NULL,
  scanned_by TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (project, artifact, version, number),
  FOREIGN KEY (project, artifact, version) REFERENCES versions (project, artifact, number)
) STRICT, WITHOUT ROWID
;
REFUSE UPDATE OF project, artifact, version, number, id, digest, ruleset, status, score_tenths,
  critical_findings ON scans
;
CREATE TABLE labels (
  project TEXT NOT NULL,
  artifact TEXT NOT NULL,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  set_by TEXT NOT NULL,
  set_at INTEGER NOT NULL,
  PRIMARY KEY (project, artifact, name),
  FOREIGN KEY (project, artifact, version) REFERENCES versions (project, artifact, number)
) STRICT, WITHOUT ROWID
)sql";

constexpr std::string_view kReviews = R"sql(
CREATE TABLE reviews (
  project TEXT NOT NULL REFERENCES projects (id),
  id TEXT NOT NULL,
  number INTEGER NOT NULL,
  environment TEXT NOT NULL,
  state TEXT NOT NULL,
  cycle INTEGER NOT NULL,
  protection_version INTEGER NOT NULL,
  submitted_by TEXT NOT NULL,
  comment TEXT NOT NULL,
  salt TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  PRIMARY KEY (project, id),
  FOREIGN KEY (project, environment) REFERENCES environments (project, id)
) STRICT, WITHOUT ROWID
;
CREATE INDEX reviews_by_id ON reviews (id)
;
CREATE UNIQUE INDEX reviews_by_number ON reviews (project, number)
;
CREATE INDEX reviews_by_state ON reviews (project, state, number)
;
CREATE INDEX reviews_by_submitter ON reviews (project, submitted_by, number)
;
CREATE TABLE review_items (
  project TEXT NOT NULL,
  review TEXT NOT NULL,
  cycle INTEGER NOT NULL,
  position INTEGER NOT NULL,
  artifact TEXT NOT NULL,
  version INTEGER NOT NULL,
  digest TEXT NOT NULL,
  base TEXT NOT NULL,
  PRIMARY KEY (project, review, cycle, position),
  FOREIGN KEY (project, review) REFERENCES reviews (project, id)
) STRICT, WITHOUT ROWID
;
CREATE INDEX review_items_by_version ON review_items (project, artifact, version, review)
;
REFUSE UPDATE OF project, review, cycle, position, artifact, version, digest, base ON review_items
;
REFUSE DELETE ON review_items
;
CREATE TABLE verdicts (
  project TEXT NOT NULL,
  review TEXT NOT NULL,
  number INTEGER NOT NULL,
  cycle INTEGER NOT NULL,
  given_by TEXT NOT NULL,
  kind TEXT NOT NULL,
  environment TEXT NOT NULL,
  items_digest TEXT NOT NULL,
  base_digest TEXT NOT NULL,
  protection_version INTEGER NOT NULL,
  comment TEXT NOT NULL,
  salt TEXT NOT NULL,
  given_at INTEGER NOT NULL,
  PRIMARY KEY (project, review, number),
  FOREIGN KEY (project, review) REFERENCES reviews (project, id)
) STRICT, WITHOUT ROWID
;
REFUSE UPDATE OF project, review, number, cycle, given_by, kind, environment, items_digest, base_digest,
  protection_version, given_at ON verdicts
;
REFUSE DELETE ON verdicts
;
CREATE TABLE comments (
  project TEXT NOT NULL,
  review TEXT NOT NULL,
  number INTEGER NOT NULL,
  id TEXT NOT NULL,
  cycle INTEGER NOT NULL,
  given_by TEXT NOT NULL,
  body TEXT NOT NULL,
  salt TEXT NOT NULL,
  given_at INTEGER NOT NULL,
  PRIMARY KEY (project, review, number),
  FOREIGN KEY (project, review) REFERENCES reviews (project, id)
) STRICT, WITHOUT ROWID
;
CREATE TABLE releases (
  project TEXT NOT NULL,
  id TEXT NOT NULL,
  number INTEGER NOT NULL,
  environment TEXT NOT NULL,
  artifact TEXT NOT NULL,
  version INTEGER NOT NULL,
  digest TEXT NOT NULL,
  kind TEXT NOT NULL,
  change_set TEXT NOT NULL,
  review TEXT NOT NULL,
  replaced TEXT NOT NULL,
  previous TEXT NOT NULL,
  protection_version INTEGER NOT NULL,
  protection_met INTEGER NOT NULL,
  gate TEXT NOT NULL,
  rollout TEXT NOT NULL,
  reason TEXT NOT NULL,
  salt TEXT NOT NULL,
  released_by TEXT NOT NULL,
  released_at INTEGER NOT NULL,
  ended TEXT NOT NULL,
  ended_at INTEGER NOT NULL,
  PRIMARY KEY (project, id),
  FOREIGN KEY (project, environment) REFERENCES environments (project, id),
  FOREIGN KEY (project, artifact, version) REFERENCES versions (project, artifact, number)
) STRICT, WITHOUT ROWID
;
CREATE INDEX releases_by_id ON releases (id)
;
CREATE INDEX releases_by_environment ON releases (project, environment)
;
CREATE UNIQUE INDEX releases_by_number ON releases (project, artifact, environment, number)
;
CREATE INDEX releases_by_version ON releases (project, artifact, environment, version, number)
;
CREATE UNIQUE INDEX releases_stable ON releases (project, artifact, environment) WHERE ended = 'live' AND
  rollout = ''
;
CREATE UNIQUE INDEX releases_candidate ON releases (project, artifact, environment) WHERE ended = 'live'
  AND rollout <> ''
;
REFUSE UPDATE OF project, id, number, environment, artifact, version, digest, kind, change_set, review,
  replaced, previous, protection_version, protection_met, gate, released_by, released_at ON releases
;
REFUSE DELETE ON releases
;
CREATE TABLE retirements (
  project TEXT NOT NULL,
  artifact TEXT NOT NULL,
  version INTEGER NOT NULL,
  environment TEXT NOT NULL,
  retired_at INTEGER NOT NULL,
  PRIMARY KEY (project, artifact, version, environment)
) STRICT, WITHOUT ROWID
)sql";

// What a version's lock says, by the row: read out of its content when it is saved, and compared with it by
// every verification. `direct`: one of `layers` led to it, and not another layer.
constexpr std::string_view kLocks = R"sql(
CREATE TABLE locks (
  project TEXT NOT NULL,
  artifact TEXT NOT NULL,
  number INTEGER NOT NULL,
  position INTEGER NOT NULL,
  layer TEXT NOT NULL,
  layer_number INTEGER NOT NULL,
  direct INTEGER NOT NULL,
  PRIMARY KEY (project, artifact, number, position),
  FOREIGN KEY (project, artifact, number) REFERENCES versions (project, artifact, number)
) STRICT, WITHOUT ROWID
;
CREATE INDEX locks_by_layer ON locks (project, layer, direct, artifact, number)
;
REFUSE UPDATE OF project, artifact, number, position, layer, layer_number, direct ON locks
;
REFUSE DELETE ON locks
)sql";

// Of a witness the latest cosignature of each journal is kept. It proves itself, so no event stands for it:
// an event would change the head that it is about.
// Why a version was retired stands apart: versions retired before have none.
constexpr std::string_view kEvidence = R"sql(
CREATE TABLE witnesses (
  id TEXT NOT NULL PRIMARY KEY,
  verifier_key TEXT NOT NULL,
  added_by TEXT NOT NULL,
  added_at INTEGER NOT NULL,
  removed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID
;
REFUSE UPDATE OF id, verifier_key, added_by, added_at ON witnesses
;
REFUSE DELETE ON witnesses
;
CREATE TABLE cosignatures (
  journal TEXT NOT NULL,
  witness TEXT NOT NULL REFERENCES witnesses (id),
  size INTEGER NOT NULL,
  root TEXT NOT NULL,
  signature TEXT NOT NULL,
  PRIMARY KEY (journal, witness)
) STRICT, WITHOUT ROWID
;
CREATE TABLE retirement_reasons (
  project TEXT NOT NULL,
  artifact TEXT NOT NULL,
  version INTEGER NOT NULL,
  environment TEXT NOT NULL,
  reason TEXT NOT NULL,
  salt TEXT NOT NULL,
  PRIMARY KEY (project, artifact, version, environment)
) STRICT, WITHOUT ROWID
)sql";

}  // namespace

// 1 to 4 were trials: their journals do not commit to what people wrote.
std::span<const Migration> migrations() {
  static const Migration kSteps[] = {{5, kJournals}, {6, kPeople},    {7, kArtifacts},          {8, kReviews},
                                     {9, kLocks},    {10, kEvidence}, {11, requirements_step()}};
  return kSteps;
}

std::int64_t newest_schema() { return migrations().back().version; }

}  // namespace imprimatur::store
