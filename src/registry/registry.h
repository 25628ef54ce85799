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
  // `digest`: of an item (or of the whole change set) that the caller looked at; a conflict when it is
  // another.
  Result<ReviewId> give_verdict(const Command& command, const ReviewId& review, VerdictKind kind,
                                std::string comment, std::string_view digest);
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

  // All of the change set or nothing. `expected` by artifact; those not named are not checked.
  Result<std::vector<ReleaseId>> deploy_review(const Command& command, const ReviewId& review,
                                               const std::vector<std::pair<ArtifactId, ReleaseId>>& expected);
  Result<ReleaseId> deploy(const Command& command, const VersionRef& version, std::string_view environment,
                           const Expected& expected);
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
    std::optional<ApprovalPatch> approvals;
    std::optional<std::vector<std::string>> checks;
    std::optional<ModelRule> models;
    std::optional<std::int64_t> version;  // of the protection that the caller looked at
  };
  enum class EnvironmentOutcome { changed, created, waiting };
  Result<EnvironmentOutcome> put_environment(const Command& command, std::string_view project,
                                             std::string_view environment, const EnvironmentChange& change);

  // The digest of the rule packs that a current scan has.
  const std::string& ruleset() const;

 private:
  store::Store& store_;
  const scan::Ruleset& rules_;
};

}  // namespace imprimatur::registry
