// The journal events of a project's registry, as api/events.yaml describes them.
#pragma once

#include "domain/owners.h"
#include "domain/records.h"
#include "journal/entry.h"
#include "store/retirement_rows.h"

#include <optional>
#include <string_view>
#include <vector>

namespace imprimatur::registry {

// A version's change of state, carried by the event that caused it.
struct Move {
  ArtifactId artifact;
  std::int64_t version = 0;
  State from = State::draft;
  State to = State::draft;
  ArchiveReason reason = ArchiveReason::none;
};
using Moves = std::vector<Move>;

journal::Event artifact_created_event(const PrincipalId& actor, const Artifact& artifact);
// Proposed: made by the release of a layer, of what includes it.
enum class Origin { saved, imported, proposed };
std::string_view name_of(Origin origin);
journal::Event version_saved_event(const PrincipalId& actor, const Version& version, Origin origin);
journal::Event scan_recorded_event(const PrincipalId& actor, const ScanRecord& scan);

journal::Event review_submitted_event(const PrincipalId& actor, const Review& review, const Moves& moves);
journal::Event review_moved_event(const PrincipalId& actor, const Review& review, const Moves& moves);
journal::Event review_withdrawn_event(const PrincipalId& actor, const Review& review, const Moves& moves);
journal::Event review_commented_event(const PrincipalId& actor, const Comment& comment);
journal::Event verdict_given_event(const PrincipalId& actor, const Verdict& verdict);
// Precondition: the verdict has answers; its own event is the one before.
journal::Event checklist_answered_event(const PrincipalId& actor, const Verdict& verdict);
journal::Event verdict_dismissed_event(const PrincipalId& actor, const Review& review,
                                       const Dismissal& dismissal);
journal::Event check_reported_event(const PrincipalId& actor, const CheckReport& report);
journal::Event finding_accepted_event(const PrincipalId& actor, const AcceptedFinding& accepted);
// `protection_version`: of the one that is met.
journal::Event review_approved_event(const PrincipalId& actor, const Review& review,
                                     std::int64_t protection_version, const Moves& moves);
// A later verdict took the gate's yes back: open again.
journal::Event review_reopened_event(const PrincipalId& actor, const Review& review, const Moves& moves);
journal::Event review_rejected_event(const PrincipalId& actor, const Review& review, const Moves& moves);
journal::Event review_deployed_event(const PrincipalId& actor, const Review& review,
                                     const std::string& change_set);

journal::Event release_created_event(const PrincipalId& actor, const Release& release, const Moves& moves);
journal::Event release_rolled_back_event(const PrincipalId& actor, const Release& release,
                                         const ReleaseId& restores, const Moves& moves);
journal::Event version_retired_event(const PrincipalId& actor, const Version& version,
                                     const store::RetirementReason& why, const ReleaseId& ended,
                                     const Moves& moves);
journal::Event label_moved_event(const PrincipalId& actor, const ArtifactId& artifact, std::string_view label,
                                 std::optional<std::int64_t> version, std::optional<std::int64_t> previous);

journal::Event environment_changed_event(const PrincipalId& actor, const Environment& environment,
                                         bool weakened, const PrincipalId& proposed_by);
journal::Event environment_proposed_event(const PrincipalId& actor, const Environment& proposal);

journal::Event owners_changed_event(const PrincipalId& actor, const ProjectId& project,
                                    const OwnerRules& rules, bool weakened, const PrincipalId& proposed_by);
journal::Event owners_proposed_event(const PrincipalId& actor, const ProjectId& project,
                                     const OwnerRules& rules);

}  // namespace imprimatur::registry
