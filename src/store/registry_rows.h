// Rows of projects, artifacts, versions, scans and reviews; those of releases come with them. Every function
// works inside a Tx of Store::read or Store::write; the put_ and insert_ ones only in write. "Not there" is
// an empty optional.
#pragma once

#include "domain/records.h"
#include "store/release_rows.h"
#include "store/store.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace imprimatur::store {

void insert_project(Tx& tx, const Project& project);
std::optional<Project> project(Tx& tx, const ProjectId& id);
std::optional<Project> project_by_name(Tx& tx, std::string_view name);
std::vector<Project> all_projects(Tx& tx);
std::int64_t count_projects_by(Tx& tx, const PrincipalId& creator);

// Also keeps the protection's version in the history.
void insert_environment(Tx& tx, const Environment& environment);
void put_environment(Tx& tx, const Environment& environment);
std::vector<Environment> environments(Tx& tx, const ProjectId& project);  // by order
// By order, without their protections: one that is broken is of no concern to whoever decides nothing.
std::vector<std::pair<EnvironmentId, std::string>> environment_names(Tx& tx, const ProjectId& project);
std::optional<Environment> environment_by_name(Tx& tx, const ProjectId& project, std::string_view name);
std::optional<Protection> protection(Tx& tx, const EnvironmentId& environment, std::int64_t version);

// A change of an environment that waits for a second admin; at most one an environment.
struct Proposal {
  Environment environment;  // as it would be
  PrincipalId by;
};
void put_proposal(Tx& tx, const Proposal& proposal);
void delete_proposal(Tx& tx, const EnvironmentId& environment);
std::optional<Proposal> proposal(Tx& tx, const EnvironmentId& environment);

void insert_artifact(Tx& tx, const Artifact& artifact);
void put_artifact(Tx& tx, const Artifact& artifact);  // its tags and time; the rest stays or is its versions'
std::optional<Artifact> artifact(Tx& tx, const ArtifactId& id);
std::optional<Artifact> artifact_by_skeleton(Tx& tx, const ProjectId& project, std::string_view skeleton);
struct ArtifactQuery {
  ProjectId project;
  std::string name;  // exact
  std::string text;  // substring of name, tags or the latest version's text, without regard to ASCII case
  std::string tag;
  std::optional<State> state;  // of the latest version
  bool only_live = false;      // for viewers: what is live somewhere
};
Result<Page<Artifact>> artifacts(Tx& tx, const ArtifactQuery& query, const PageRequest& page);

// These two keep what the artifact says about its latest version.
void insert_version(Tx& tx, const Version& version);
void put_version_state(Tx& tx, const ProjectId& project, const VersionRef& version, State state,
                       ArchiveReason reason);
std::optional<Version> version(Tx& tx, const ArtifactId& artifact, std::int64_t number);
// The same with its content left empty, which may be long.
std::optional<Version> version_bare(Tx& tx, const ArtifactId& artifact, std::int64_t number);
Result<Page<Version>> versions(Tx& tx, const ArtifactId& artifact, const PageRequest& page);  // newest first
// Authors and accountable owners of every version above `after`.
std::vector<PrincipalId> savers(Tx& tx, const ArtifactId& artifact, std::int64_t after);

void insert_scan(Tx& tx, const ScanRecord& scan);
std::optional<ScanRecord> latest_scan(Tx& tx, const ArtifactId& artifact, std::int64_t version);
// The same with its report left empty, which may be long.
std::optional<ScanRecord> latest_scan_result(Tx& tx, const ArtifactId& artifact, std::int64_t version);
Result<Page<ScanRecord>> scans(Tx& tx, const ArtifactId& artifact, std::int64_t version,
                               const PageRequest& page);

void insert_review(Tx& tx, const Review& review);
void put_review(Tx& tx, const Review& review);  // items of the present cycle are added, older cycles stay
std::optional<Review> review(Tx& tx, const ReviewId& id);
struct ReviewQuery {
  ProjectId project;
  std::optional<ReviewState> state;
  PrincipalId submitted_by;   // empty: anybody
  ArtifactId artifact;        // empty: any
  EnvironmentId environment;  // empty: any
};
Result<Page<Review>> reviews(Tx& tx, const ReviewQuery& query, const PageRequest& page);  // newest first
// Reviews of any state that hold this version in any cycle, newest first.
std::vector<Review> reviews_of(Tx& tx, const ArtifactId& artifact, std::int64_t version);
// The oldest review for the environment that is open or approved.
std::optional<ReviewId> standing_review(Tx& tx, const ProjectId& project, const EnvironmentId& environment);

void insert_verdict(Tx& tx, const Verdict& verdict);
std::vector<Verdict> verdicts(Tx& tx, const ReviewId& review);  // oldest first
void insert_comment(Tx& tx, const Comment& comment);
Result<Page<Comment>> comments(Tx& tx, const ReviewId& review, const PageRequest& page);
std::optional<Comment> comment(Tx& tx, const ReviewId& review, std::string_view id);

void put_label(Tx& tx, const ProjectId& project, const Label& label);
void delete_label(Tx& tx, const ArtifactId& artifact, std::string_view name);
std::vector<Label> labels(Tx& tx, const ArtifactId& artifact);
void each_label(Tx& tx, const std::function<void(const Label&)>& take);

}  // namespace imprimatur::store
