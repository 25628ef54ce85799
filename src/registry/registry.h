// Changes of what the project holds: artifacts, versions, reviews, releases, labels and protection. Every
// command authorises, decides by the pure rules of domain, writes rows and journal entries in one
// transaction.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "domain/records.h"
#include "registry/requests.h"
#include "scan/ruleset.h"
#include "store/command.h"
#include "store/registry_rows.h"
#include "store/store.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::registry {

using store::Command;

// The command line working on a data directory that no server has open. It imports drafts and nothing else.
Principal offline_principal();

class Registry {
 public:
  Registry(store::Store& store, const scan::Ruleset& rules);

  Result<VersionRef> create(const Command& command, std::string_view project, NewArtifact wanted);
  Result<VersionRef> save(const Command& command, const ArtifactId& artifact, NewVersion wanted);
  // At most kMaxBatch; one transaction. An item that cannot be taken is skipped with its reason. A dry run
  // says what would happen and changes nothing.
  Result<std::vector<ImportOutcome>> import(const Command& command, std::string_view project,
                                            std::vector<NewArtifact> items, OnConflict on_conflict,
                                            bool dry_run);
  Result<ScanRecord> scan(const Command& command, const VersionRef& version);

  // Scans again what has no current result. `environment` empty: the key's own, else production.
  // Unprocessable when the scan or the model rule blocks, or when the environment asks for nothing.
  Result<ReviewId> submit(const Command& command, std::string_view project, std::string_view environment,
                          const std::vector<VersionRef>& items, std::string comment);
  Result<ReviewId> give_verdict(const Command& command, const ReviewId& review, WantedVerdict wanted);
  // Sets the objection with that number aside, so that it does not block any more: one's own, or with a
  // reason another's, by who may and did not contribute.
  Result<ReviewId> dismiss(const Command& command, const ReviewId& review, std::int64_t verdict,
                           std::string reason);
  // `digest` as for a verdict, here and below.
  Result<ReviewId> withdraw(const Command& command, const ReviewId& review, std::string comment,
                            std::string_view digest = {});
  // Moves to the latest versions, or to those given (each newer than the one it replaces): a new cycle.
  Result<ReviewId> update(const Command& command, const ReviewId& review,
                          const std::vector<VersionRef>& items, std::string comment,
                          std::string_view digest = {});
  // The comment's id.
  Result<std::string> comment(const Command& command, const ReviewId& review, std::string text,
                              std::string_view digest = {});

  // By a service account whose key has the scope; whether it counts, the protections say. The report's id.
  Result<std::string> report_check(const Command& command, const VersionRef& version, WantedCheck wanted);
  // Of what one rule finds in this digest, by somebody who could approve it. The acceptance's id.
  Result<std::string> accept_finding(const Command& command, const VersionRef& version,
                                     WantedAcceptance wanted);

  // `pass_freeze`: the reason for which a person in a session passes a freeze whose windows let them; without
  // one, a freeze says no. Here and below.
  // All of the change set or nothing. `expected` by artifact; those not named are not checked.
  Result<std::vector<ReleaseId>> deploy_review(const Command& command, const ReviewId& review,
                                               const std::vector<std::pair<ArtifactId, ReleaseId>>& expected,
                                               std::string pass_freeze = {});
  Result<ReleaseId> deploy(const Command& command, const VersionRef& version, std::string_view environment,
                           const Expected& expected, std::string pass_freeze = {});
  // To what was live before, one step further back each time; `to`: to that version on the way.
  Result<ReleaseId> roll_back(const Command& command, const ArtifactId& artifact,
                              std::string_view environment, std::optional<std::int64_t> to,
                              const Expected& expected, std::string reason);
  Status retire(const Command& command, const VersionRef& version, std::string_view environment,
                std::string reason);

  Status put_label(const Command& command, const ArtifactId& artifact, std::string_view label,
                   std::int64_t version);
  Status delete_label(const Command& command, const ArtifactId& artifact, std::string_view label);

  // Creates the environment or changes it; what is left out stays. In force at once unless, after the first
  // release, it lets through what the present one would not, or changes the order: then it waits until
  // another admin asks for the same within kProposalLives.
  struct EnvironmentChange {
    std::optional<std::int64_t> order;
    // Members of a protection as a JSON object with names in the places of ids; of `approvals` what is left
    // out stays, too; null takes a member away. Empty: nothing.
    std::string protection;
    std::optional<std::int64_t> version;  // of the protection that the caller looked at
  };
  enum class EnvironmentOutcome { changed, created, waiting };
  Result<EnvironmentOutcome> put_environment(const Command& command, std::string_view project,
                                             std::string_view environment, const EnvironmentChange& change);

  // In force at once where none were there; otherwise like a weaker protection.
  Result<EnvironmentOutcome> put_owners(const Command& command, std::string_view project,
                                        const std::vector<NamedOwners>& rules,
                                        std::optional<std::int64_t> version);

  // The digest of the rule packs that a current scan has.
  const std::string& ruleset() const;

 private:
  store::Store& store_;
  const scan::Ruleset& rules_;
};

}  // namespace imprimatur::registry
