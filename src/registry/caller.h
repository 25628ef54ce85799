// Where a principal stands in a project, read inside the transaction that acts on it.
#pragma once

#include "domain/access.h"
#include "domain/records.h"
#include "store/store.h"

#include <optional>
#include <string_view>

namespace imprimatur::registry {

class Caller {
 public:
  // Not found when the project is not there or not the principal's to know; unauthenticated when the key was
  // revoked or the account disabled since the request came in.
  static Result<Caller> in(store::Tx& tx, const Principal& principal, const ProjectId& project);
  static Result<Caller> in_named(store::Tx& tx, const Principal& principal, std::string_view project);

  const Project& project() const { return project_; }
  const Principal& principal() const { return principal_; }
  const std::optional<Membership>& membership() const { return membership_; }

  bool may(Permission permission) const;
  Status require(Permission permission) const;
  std::vector<Permission> permissions() const;
  // False for a key that is bound to another environment: it neither changes nor reads what is there.
  bool reaches(const EnvironmentId& environment) const;
  // The same as a Status: forbidden.
  Status require_environment(const Environment& environment) const;

  // Who stands in the journal: the person, the service account, or "system" for the command line on a data
  // directory.
  PrincipalId actor() const { return principal_.id; }
  // Who wrote a version, and the person accountable for that where a key did.
  PrincipalId author() const { return principal_.id; }
  PrincipalId accountable() const { return principal_.key_owner; }

 private:
  Caller(Principal principal, Project project, std::optional<Membership> membership);
  const Membership* standing() const { return membership_ ? &*membership_ : nullptr; }
  bool offline() const;

  Principal principal_;
  Project project_;
  std::optional<Membership> membership_;
};

// A row and where its caller stands. Not found in the same words whether the row is missing or belongs to a
// project that is not the caller's to know.
struct ArtifactScene {
  Artifact artifact;
  Caller caller;
};
struct ReviewScene {
  Review review;
  Environment environment;
  Caller caller;
};
Result<ArtifactScene> artifact_for(store::Tx& tx, const Principal& principal, const ArtifactId& id);
// Forbidden when the review is for an environment that a key does not reach.
Result<ReviewScene> review_for(store::Tx& tx, const Principal& principal, const ReviewId& id);
// The journal of the project, for whoever may read its audit log; the organisation's where no project is
// named, for its admins.
Result<std::string> audited_journal(store::Tx& tx, const Principal& principal, std::string_view project);
Result<Version> version_or_404(store::Tx& tx, const ArtifactId& id, std::int64_t number);
Result<Environment> environment_or_404(store::Tx& tx, const ProjectId& project, std::string_view name);
// The one named; for an empty name the key's own, else production. Forbidden when a key does not reach it.
Result<Environment> environment_for(store::Tx& tx, const Caller& caller, std::string_view name);
// Precondition: the environment is one of the project's.
Environment environment_by_id(store::Tx& tx, const ProjectId& project, const EnvironmentId& id);
// The environment that a version's state speaks of.
Environment last_environment(store::Tx& tx, const ProjectId& project);

}  // namespace imprimatur::registry
