// The gate answer: for a change set and an environment each requirement, whether it is met, and why.
#pragma once

#include "base/clock.h"
#include "domain/gate_layers.h"
#include "domain/protection.h"
#include "domain/verdict.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace imprimatur {

// What one source says of one item under a check's name, as it stands now.
struct CheckResult {
  std::string name;
  CheckStatus status = CheckStatus::pending;
  bool current = false;     // bound to this digest and, for the scan, to the packs and settings of now
  std::string summary;      // "score 7.2, 1 CRITICAL finding"
  PrincipalId source = {};  // who reported it; empty: this program
  Time at = {};
};

// A weakness that the scan found.
struct FoundWeakness {
  Severity severity = Severity::info;
  std::string category, rule;
};

struct OwnedBy {
  std::string pattern;  // of the rule that names the owners
  std::set<TeamId> teams;
  std::set<PrincipalId> people;
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
  std::vector<LockedVersion> locked = {};    // all that it includes
  std::string name = {};
  std::vector<std::string> tags = {};
  // Of the current scan; none where nobody read them.
  std::optional<std::vector<FoundWeakness>> weaknesses = {};
  std::vector<AcceptedFinding> accepted = {};
  std::optional<OwnedBy> owners = {};  // none: no owner rule names it
  std::string message = {};
  std::optional<Content> content = {};  // none where no requirement asks about it
  std::optional<Content> live = {};     // what it would replace
  std::map<EnvironmentId, Duration> soaked =
      {};  // where this version is or was last live, sound, for how long
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
  std::vector<Dismissal> dismissals = {};
  std::map<EnvironmentId, std::string> environment_names = {};
  Time at = {};  // the moment that is asked about
  // Who passes the freeze, having given a reason: somebody in a session, as whatever they are now.
  std::optional<PrincipalId> freeze_override = {};
};

struct VerdictAnswer {
  PrincipalId by;
  VerdictKind kind = VerdictKind::approve;
  bool counts = false;
  std::string why;
};

// By when a requirement has to be met: before anybody is asked to look, before the review is approved, or at
// the moment of the deploy, which time alone can bring and take away.
enum class Stage { submission, review, deploy };

struct Requirement {
  std::string kind;  // "approvals", "owners", "check:scan", "freeze", …, or the unknown kind's name
  bool met = false;
  std::string detail;
  std::vector<VerdictAnswer> verdicts = {};
  Stage stage = Stage::review;
};

struct GateAnswer {
  bool met = false;
  std::vector<Requirement> requirements;
  bool unsatisfiable = false;      // nobody who could fill it is left; `detail` says what would help
  bool met_at(Stage stage) const;  // everything of this stage and those before it
  std::vector<std::string> reasons() const;  // details of what is not met
};

// Pure, total, and closed: whatever it does not understand is not met. docs/decisions/gate-answer.md says
// which verdicts count.
GateAnswer gate(const GateFacts& facts);
// The questions that an approval has to answer to count.
std::vector<Question> checklist_of(const GateFacts& facts);
std::string canonical_gate(const GateAnswer& answer);  // as the API shows it
bool is_canonical_gate(std::string_view json);         // in form; what it says may be anything
std::string items_digest_of(const std::vector<GateItem>& items);

}  // namespace imprimatur
