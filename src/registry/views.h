// What the registry shows of its rows, with the names that people see.
#pragma once

#include "domain/gate.h"
#include "domain/records.h"
#include "domain/workflow.h"
#include "registry/protecting.h"
#include "store/requirement_rows.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace imprimatur::registry {

// Whether the caller asks to see something, or has just changed it: the answer to a change that was made is
// not refused because its author may not read. `own_write` is for what a command of theirs gave back, only.
enum class Sight { reading, own_write };

// People and service accounts as people see them.
using Displays = std::map<PrincipalId, std::string>;

struct ArtifactView {
  Artifact artifact;
  std::string project;
  std::map<std::string, std::int64_t> live;  // environment to version
  std::map<std::string, std::int64_t>
      labels;  // with `latest`, without environments; empty for who sees no drafts
  Displays displays;
};

struct VersionView {
  Artifact artifact;
  Version version;
  Content content;
  std::optional<ScanRecord> scan;
  std::vector<Review> reviews;                        // newest first
  std::map<EnvironmentId, std::string> environments;  // their names
  std::vector<Action> allowed;
  Displays displays;
};

struct ReviewView {
  Review review;
  std::string project;
  std::string environment;
  std::vector<std::string> names;  // of the items' artifacts, in order
  std::vector<Verdict> verdicts;
  std::vector<Dismissal> dismissals;
  std::vector<Question> checklist;  // that an approval answers
  GateAnswer gate;
  std::vector<Action> allowed;
  Displays displays;
};

struct GateView {
  GateAnswer answer;
  Displays displays;  // of who gave the verdicts
};

struct ReleaseView {
  Release release;
  std::string name, semver;
  std::string environment;
  Displays displays;
};

struct EnvironmentView {
  Environment environment;
  std::optional<store::Proposal> proposal;
  ProtectionNames names;
  Displays displays;
};

struct OwnersView {
  OwnerRules rules;
  std::optional<store::OwnerProposal> proposal;
  std::map<TeamId, std::string> teams;
  std::map<PrincipalId, std::string> emails;  // of the people in both
  Displays displays;
};

struct LabelsView {
  std::vector<Label> labels;  // by name; `latest` is the server's, written by who saved that version
  Displays displays;
};

}  // namespace imprimatur::registry
