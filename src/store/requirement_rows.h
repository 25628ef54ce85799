// What stands beside reviews and scans as evidence: reported checks, accepted findings, checklist answers,
// dismissals; and the owner rules of projects.
#pragma once

#include "domain/owners.h"
#include "domain/verdict.h"
#include "store/registry_rows.h"

#include <optional>
#include <string_view>
#include <vector>

namespace imprimatur::store {

void insert_check(Tx& tx, const CheckReport& report);
// The newest report of every source under every name.
std::vector<CheckReport> latest_checks(Tx& tx, const ArtifactId& artifact, std::int64_t version);
Result<Page<CheckReport>> checks(Tx& tx, const ArtifactId& artifact, std::int64_t version,
                                 const PageRequest& page);  // newest first
std::optional<CheckReport> check(Tx& tx, const ArtifactId& artifact, std::int64_t version,
                                 std::string_view id);

std::int64_t count_checks(Tx& tx, const ArtifactId& artifact, std::int64_t version);

void insert_acceptance(Tx& tx, const AcceptedFinding& accepted);
std::vector<AcceptedFinding> acceptances(Tx& tx, const ArtifactId& artifact,
                                         std::int64_t version);  // oldest first

void insert_dismissal(Tx& tx, const Dismissal& dismissal);
std::vector<Dismissal> dismissals(Tx& tx, const ReviewId& review);  // oldest first

// The ones in force; version 0 and no rules where none were ever set.
OwnerRules owner_rules(Tx& tx, const ProjectId& project);
void put_owner_rules(Tx& tx, const ProjectId& project, const OwnerRules& rules, Time at);
// A change that waits for a second admin; at most one a project.
struct OwnerProposal {
  OwnerRules rules;  // as they would be
  PrincipalId by;
  Time at;
};
void put_owner_proposal(Tx& tx, const ProjectId& project, const OwnerProposal& proposal);
void delete_owner_proposal(Tx& tx, const ProjectId& project);
std::optional<OwnerProposal> owner_proposal(Tx& tx, const ProjectId& project);

}  // namespace imprimatur::store
