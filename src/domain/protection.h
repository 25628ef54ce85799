// What a change must have before it may be live in an environment.
#pragma once

#include "base/result.h"
#include "domain/access.h"
#include "domain/content.h"
#include "domain/freeze.h"
#include "domain/ids.h"
#include "domain/name_pattern.h"
#include "domain/semver.h"
#include "domain/severity.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur {

inline constexpr int kMaxApprovals = 20;
inline constexpr std::size_t kMaxChecks = 50;
inline constexpr std::string_view kScanCheck = "scan";  // the one that this program reports itself

struct ApprovalRule {
  int count = 0;
  std::map<TeamId, int> teams;  // of which so many from each; one person counts for every team they are in
  bool owners = false;  // of which one by an owner of each name, where the project's owner rules name any
  bool operator==(const ApprovalRule&) const = default;
};

// Asks more of what is delicate: of a name that one of the patterns takes in, or with one of the tags.
struct Tier {
  std::string name;
  std::vector<std::string> tags;
  std::vector<NamePattern> patterns;
  ApprovalRule approvals;
  bool operator==(const Tier&) const = default;
};

// Who may report a check, and for how long a result counts.
struct CheckRule {
  std::vector<PrincipalId> sources;  // service accounts; a result by anybody else is none
  std::int64_t minutes = 0;          // after which a result has expired; 0: never
  bool operator==(const CheckRule&) const = default;
};

// What the check "scan" lets through: nothing that is CRITICAL, unless it says otherwise.
struct ScanRule {
  Severity worst = Severity::high;
  std::vector<std::string> categories;  // that block at any severity
  std::vector<std::string>
      rules;  // that block at any severity: a required guardrail is the rule that misses it
  bool operator==(const ScanRule&) const = default;
};

struct Question {
  std::string id;
  std::string text;
  bool operator==(const Question&) const = default;
};

struct PathRule {
  EnvironmentId after;            // where the same version was live before, with that protection met
  std::int64_t soak_minutes = 0;  // without a break
  bool operator==(const PathRule&) const = default;
};

struct ShapeRule {
  bool message = false;                      // the version says what changed
  std::string ticket;                        // RE2 syntax; found somewhere in the message
  std::int64_t max_bytes = 0;                // of the content; 0: no bound but the program's
  bool stable = false;                       // no pre-release semver
  std::optional<Bump> largest;               // against what is live
  std::vector<std::string> variables, tags;  // that must be there
  std::vector<std::string> config;           // keys that `config` must have
  bool operator==(const ShapeRule&) const = default;
};

struct ModelRule {
  std::vector<std::string> allowed;  // "name" (at any provider) or "provider/name"; empty: any
  std::optional<double> temperature_min, temperature_max;
  bool operator==(const ModelRule&) const = default;
};

struct Protection {
  std::int64_t version = 0;  // counts up with every change; 0 never stands in a record
  ApprovalRule approvals;
  std::vector<Tier> tiers;
  std::vector<std::string> checks;               // names
  std::map<std::string, CheckRule> check_rules;  // of each check but "scan"
  ScanRule scan;                                 // applies where `checks` names it
  std::vector<Question> checklist;               // that every approval answers
  Role dismissers = Role::admin;                 // the least role that may dismiss somebody's objection
  std::optional<PathRule> path;
  std::vector<Window> windows;
  ShapeRule shape;
  ModelRule models;
  // Requirement kinds in the stored form that this program does not know. Each blocks.
  std::vector<std::string> unknown;
  bool asks_for_nothing() const;
  bool asks_for_approvals() const;
  bool operator==(const Protection&) const = default;
};

// Whether its values are ones that a rule can hold: what a request asks for may be any.
Status check_protection(const Protection& protection);
// Canonical JSON of the rule without its version number. What a rule does not use is left out, but for
// approvals, checks and models. Precondition: it passes check_protection. Unknown members survive a round
// trip into `unknown`, by name ("approvals.seniors" for an inner one) and without their value: this program
// cannot vouch for it.
std::string canonical_protection(const Protection& protection);
Result<Protection> protection_from_json(std::string_view json, std::int64_t version);
std::string digest_of(const Protection& protection);
// Of the questions; empty when there are none.
std::string checklist_digest(const std::vector<Question>& checklist);
// Whether `after` lets through anything that `before` would not (invariant 6): exact, or errs towards yes.
bool weakens(const Protection& before, const Protection& after);
// Fails with what the rule allows. No binding, or no temperature, fails a rule that speaks of it.
Status check_model(const std::optional<ModelBinding>& model, const ModelRule& rule);

}  // namespace imprimatur
