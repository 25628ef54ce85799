// What is remembered, as plain values. Written by registry and identity, kept by store.
#pragma once

#include "base/clock.h"
#include "domain/access.h"
#include "domain/content.h"
#include "domain/ids.h"
#include "domain/protection.h"
#include "domain/workflow.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace imprimatur {

struct Project {
  ProjectId id;
  std::string name;
  std::string description;
  PrincipalId created_by;
  Time created_at;
};

struct Environment {
  EnvironmentId id;
  ProjectId project;
  std::string name;
  std::int64_t order =
      0;                  // ascending; the highest is the last environment, of which a version's state speaks
  Protection protection;  // the one in force
  Time changed_at;
};

struct Artifact {
  ArtifactId id;
  ProjectId project;
  std::string name;
  std::string skeleton;
  ArtifactKind kind = ArtifactKind::prompt;
  ContentType type = ContentType::text;
  std::vector<std::string> tags;
  std::int64_t latest_version = 0;
  State latest_state = State::draft;
  PrincipalId created_by;
  Time created_at;
  Time changed_at;
};

struct Version {
  ProjectId project;
  ArtifactId artifact;
  std::int64_t number = 0;
  std::string semver;
  std::string digest;
  State state = State::draft;
  ArchiveReason reason = ArchiveReason::none;
  std::string content;  // canonical_content: what the digest covers
  std::string message;
  PrincipalId author;             // who authenticated
  PrincipalId accountable;        // the owner of the key that saved it; empty when a person did
  std::int64_t base_version = 0;  // 0: none
  Time created_at;
};

struct ScanRecord {
  ScanId id;
  ProjectId project;
  ArtifactId artifact;
  std::int64_t version = 0;
  std::string digest;   // of the content that was read
  std::string ruleset;  // digest of packs and project settings
  std::string status;   // pass, warn, fail, error
  int score_tenths = 0;
  int critical_findings = 0;
  std::string report;  // canonical JSON as the API answers it
  PrincipalId by;
  Time created_at;
};

struct ReviewItem {
  ArtifactId artifact;
  std::int64_t version = 0;
  std::string digest;
  ReleaseId base;  // what was live when the cycle began; empty: nothing
  bool operator==(const ReviewItem&) const = default;
};

enum class ReviewState { open, approved, rejected, withdrawn, deployed };
std::string_view name_of(ReviewState state);
std::optional<ReviewState> review_state_of(std::string_view name);

struct Review {
  ReviewId id;
  ProjectId project;
  EnvironmentId environment;
  ReviewState state = ReviewState::open;
  std::int64_t cycle = 1;
  std::vector<ReviewItem> items;        // of the present cycle
  std::int64_t protection_version = 0;  // in force when the present cycle began
  PrincipalId submitted_by;
  std::string comment;
  Time created_at;
  Time changed_at;
};

struct Comment {
  std::string id;  // com_…
  ReviewId review;
  std::int64_t cycle = 0;
  PrincipalId by;
  std::string text;
  Time at;
};

enum class ReleaseKind { deploy, roll_back };
enum class ReleaseEnd { live, superseded, rolled_back, retired };
std::string_view name_of(ReleaseKind kind);
std::string_view name_of(ReleaseEnd end);
std::optional<ReleaseKind> release_kind_of(std::string_view name);
std::optional<ReleaseEnd> release_end_of(std::string_view name);

// One artifact's share of a deploy. A change set's releases share `change_set`.
struct Release {
  ReleaseId id;
  ProjectId project;
  EnvironmentId environment;
  ArtifactId artifact;
  std::int64_t version = 0;
  std::string digest;
  ReleaseKind kind = ReleaseKind::deploy;
  std::string change_set;  // chs_…
  ReviewId review;         // empty where the environment asked for none
  ReleaseId replaced;      // the release that it ended; empty: nothing was live
  // Where a roll back from this release leads; empty: nowhere. A roll back takes over its target's, so each
  // one walks further back.
  ReleaseId previous;
  std::int64_t protection_version = 0;
  bool protection_met = true;  // false only for break-glass; a roll back never leads there
  std::string gate;            // canonical gate answer when it went live
  // The candidate slot of a rollout: canonical JSON, empty when it is live in full.
  std::string rollout;
  std::string reason;
  PrincipalId by;
  Time at;
  ReleaseEnd end = ReleaseEnd::live;
  Time ended_at;
};

struct Label {
  ArtifactId artifact;
  std::string name;
  std::int64_t version = 0;
  PrincipalId by;
  Time at;
};

// People and service accounts share one space of ids.
struct User {
  PrincipalId id;
  std::string email;
  std::string display_name;
  std::string password_hash;
  bool organisation_admin = false;
  bool disabled = false;
  Time created_at;
};

struct ServiceAccount {
  PrincipalId id;
  ProjectId project;
  std::string name;
  PrincipalId owner;
  bool disabled = false;
  Time created_at;
};

struct ApiKey {
  KeyId id;
  ProjectId project;
  PrincipalId account;
  PrincipalId owner;
  std::string name;
  std::string hash;  // keyed hash of the whole key
  std::string hint;  // "imp_…x9f2": what a person may see
  std::vector<Scope> scopes;
  EnvironmentId environment;  // empty: every environment
  Time created_at;
  std::optional<Time> expires_at, revoked_at, last_used_at;
};

struct Session {
  SessionId id;
  PrincipalId person;
  std::string hash;  // keyed hash of the token
  std::string csrf;  // keyed hash of the CSRF token
  Time created_at, expires_at, last_used_at;
};

struct Team {
  TeamId id;
  ProjectId project;
  std::string name;
};

}  // namespace imprimatur
