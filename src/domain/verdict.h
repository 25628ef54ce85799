// What people and programs say about a change set.
#pragma once

#include "base/clock.h"
#include "domain/ids.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace imprimatur {

enum class VerdictKind { approve, request_changes, reject };
std::string_view name_of(VerdictKind kind);
std::optional<VerdictKind> verdict_kind_of(std::string_view name);

enum class CheckStatus { pass, fail, error, pending };
std::string_view name_of(CheckStatus status);
std::optional<CheckStatus> check_status_of(std::string_view name);

// A verdict as it was given; bound to everything it was given for.
struct Verdict {
  ReviewId review;
  std::int64_t cycle = 0;
  PrincipalId by;
  VerdictKind kind = VerdictKind::approve;
  EnvironmentId environment;
  std::string items_digest;  // digest of the change set: sha256 over its (artifact, version, digest) lines
  std::string base_digest;   // of the releases that it was to replace
  std::int64_t protection_version = 0;
  std::string comment;  // beside the journal, never in it
  Time at;
  std::string salt;            // of the commitment to the comment and the answers
  std::string checklist = {};  // checklist_digest of the questions that were answered; empty: none
  std::string answers = {};    // canonical JSON {id: {answer, note}}; beside the journal
  std::int64_t number = 0;     // in the review, from 1; the store gives it
  bool operator==(const Verdict&) const = default;
};

// Somebody set an objection aside. Counts while they could still do it.
struct Dismissal {
  ReviewId review;
  std::int64_t verdict = 0;  // its number
  PrincipalId by;
  std::string reason;  // beside the journal
  Time at;
  std::string salt;
  bool operator==(const Dismissal&) const = default;
};

// A check's result as its source reported it.
struct CheckReport {
  std::string id;  // chk_…
  ProjectId project;
  ArtifactId artifact;
  std::int64_t version = 0;
  std::string name;
  std::string digest;  // of the content that was checked
  CheckStatus status = CheckStatus::pending;
  std::string summary, url;  // beside the journal
  PrincipalId by;
  Time at;
  std::string salt;  // of the commitment to summary and address
};

// Somebody took responsibility for what one rule of the scanner finds in one content.
struct AcceptedFinding {
  std::string id;  // acc_…
  ProjectId project;
  ArtifactId artifact;
  std::int64_t version = 0;
  std::string digest;
  std::string rule;
  std::string reason;  // beside the journal
  PrincipalId by;
  Time at, expires;
  std::string salt;
};

}  // namespace imprimatur
