// What is remembered, as plain values. Written by registry and identity, kept by store.
#pragma once

#include "base/clock.h"
#include "domain/accounts.h"
#include "domain/content.h"
#include "domain/ids.h"
#include "domain/protection.h"
#include "domain/release.h"
#include "domain/verdict.h"
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
  std::int64_t order = 0;  // ascending; a version's state speaks of the highest
  Protection protection;   // the one in force
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

struct VersionRef {
  ArtifactId artifact;
  std::int64_t number = 0;
  bool operator==(const VersionRef&) const = default;
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
  std::string salt;  // of the commitment to the message
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
  std::string salt;  // of the commitment to the comment
};

struct Comment {
  std::string id;  // com_…
  ReviewId review;
  std::int64_t cycle = 0;
  PrincipalId by;
  std::string text;
  Time at;
  std::string salt;  // of the commitment to the text
};

struct Label {
  ArtifactId artifact;
  std::string name;
  std::int64_t version = 0;
  PrincipalId by;
  Time at;
};

}  // namespace imprimatur
