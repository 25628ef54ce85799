// What a change must have before it may be live in an environment, and the answer whether it has it.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "domain/access.h"
#include "domain/content.h"
#include "domain/gate_layers.h"
#include "domain/ids.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace imprimatur {

inline constexpr int kMaxApprovals = 20;
inline constexpr std::size_t kMaxChecks = 50;

struct ApprovalRule {
  int count = 0;
  std::map<TeamId, int> teams;  // of which so many from each; one person counts for every team they are in
  bool operator==(const ApprovalRule&) const = default;
};

struct ModelRule {
  std::vector<std::string> allowed;  // "name" (at any provider) or "provider/name"; empty: any
  std::optional<double> temperature_min, temperature_max;
  bool operator==(const ModelRule&) const = default;
};

struct Protection {
  std::int64_t version = 0;  // counts up with every change; 0 never stands in a record
  ApprovalRule approvals;
  std::vector<std::string> checks;  // names; "scan" is the one this program reports itself
  ModelRule models;
  // Requirement kinds in the stored form that this program does not know. Each blocks.
  std::vector<std::string> unknown;
  bool asks_for_nothing() const;
  bool asks_for_approvals() const;
  bool operator==(const Protection&) const = default;
};

// Whether its numbers are ones that a rule can hold: what a request asks for may be any.
Status check_numbers(const Protection& protection);
// Canonical JSON of the rule without its version number. Precondition: it passes check_numbers. Unknown
// members survive a round trip into `unknown`, by name ("approvals.owners" for an inner one) and without
// their value: this program cannot vouch for it.
std::string canonical_protection(const Protection& protection);
Result<Protection> protection_from_json(std::string_view json, std::int64_t version);
std::string digest_of(const Protection& protection);
// Whether `after` lets through anything that `before` would not (invariant 6): exact, not a guess.
bool weakens(const Protection& before, const Protection& after);
// Fails with what the rule allows. No binding, or no temperature, fails a rule that speaks of it.
Status check_model(const std::optional<ModelBinding>& model, const ModelRule& rule);

enum class VerdictKind { approve, request_changes, reject };
std::string_view name_of(VerdictKind kind);
std::optional<VerdictKind> verdict_kind_of(std::string_view name);

enum class CheckStatus { pass, fail, error, pending };
std::string_view name_of(CheckStatus status);

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
  std::string salt;  // of the commitment to the comment
  bool operator==(const Verdict&) const = default;
};

// The result of a named check for one item, as it stands now.
struct CheckResult {
  std::string name;
  CheckStatus status = CheckStatus::pending;
  bool current = false;  // bound to this digest and to the packs and settings of now
  std::string summary;   // "score 7.2, 1 CRITICAL finding"
};

struct GateItem {
  ArtifactId artifact;
  std::int64_t version = 0;
  std::string digest;
  std::optional<ModelBinding> model;
  std::set<PrincipalId> contributors;
  std::vector<CheckResult> checks;
  ArtifactKind kind = ArtifactKind::prompt;  // a policy binds no model, so no model rule holds it
  bool intact = true;                        // the stored content has its digest
  std::vector<LockedVersion> locked;         // all that it includes
};

// Everything the decision looks at, as values.
struct GateFacts {
  EnvironmentId environment;
  std::vector<GateItem> items;
  std::string items_digest, base_digest;
  Protection now;
  std::optional<Protection> at_submission;  // the strictest of both applies
  std::optional<ReviewId> review;
  bool review_open = false;  // open or approved: neither rejected, withdrawn nor deployed
  std::int64_t cycle = 0;
  std::vector<Verdict> verdicts;    // of every cycle, oldest first
  std::vector<Membership> members;  // all of the project, as they are now
  std::map<TeamId, std::string> team_names;
  // Since when a member has been in a team without a break. An approval counts for a team when it was given
  // after that; where nothing is known, it does not.
  std::map<std::pair<PrincipalId, TeamId>, Time> team_since;
};

struct VerdictAnswer {
  PrincipalId by;
  VerdictKind kind = VerdictKind::approve;
  bool counts = false;
  std::string why;
};

struct Requirement {
  std::string kind;  // "approvals", "check:scan", "model", "layers", or the unknown kind's name
  bool met = false;
  std::string detail;
  std::vector<VerdictAnswer> verdicts;
};

struct GateAnswer {
  bool met = false;
  std::vector<Requirement> requirements;
  bool unsatisfiable = false;  // nobody who could fill it is left; `detail` says what would help
  std::vector<std::string> reasons() const;  // details of what is not met
};

// Pure, total, closed: what it does not understand is not met. docs/decisions/gate-answer.md has the reasons.
GateAnswer gate(const GateFacts& facts);
std::string canonical_gate(const GateAnswer& answer);  // as the API shows it
bool is_canonical_gate(std::string_view json);         // in form; what it says may be anything
std::string items_digest_of(const std::vector<GateItem>& items);

}  // namespace imprimatur
