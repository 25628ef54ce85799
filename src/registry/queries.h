// What a caller may see of a project's registry, gathered on one snapshot.
#pragma once

#include "domain/protection.h"
#include "domain/records.h"
#include "domain/workflow.h"
#include "registry/comparing.h"
#include "registry/registry.h"
#include "store/journal_rows.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace imprimatur::registry {

using store::Page;
using store::PageRequest;

inline constexpr int kEntriesAtOnce = 1000;
inline constexpr std::size_t kVersionPageBytes = 4 * 1024 * 1024;  // one version is always in a page

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
  std::map<TeamId, std::string> teams;
  Displays displays;
};

struct LabelsView {
  std::vector<Label> labels;  // by name; `latest` is the server's, written by who saved that version
  Displays displays;
};

class Queries {
 public:
  Queries(store::Store& store, const Registry& registry);

  Result<Page<ArtifactView>> artifacts(const Principal& who, std::string_view project,
                                       store::ArtifactQuery query, const PageRequest& page);
  Result<ArtifactView> artifact(const Principal& who, const ArtifactId& id, Sight sight = Sight::reading);
  // Of the artifact, for whoever is in it.
  Result<std::string> project_name(const Principal& who, const ArtifactId& id);
  Result<Page<VersionView>> versions(const Principal& who, const ArtifactId& id, const PageRequest& page);
  Result<VersionView> version(const Principal& who, const VersionRef& ref, Sight sight = Sight::reading);
  // With all that it includes in place. Unprocessable where the store holds something else than was locked.
  Result<EffectiveView> effective(const Principal& who, const VersionRef& ref);
  // `from` and `to`: a number, "latest", "live:<environment>" or "label:<label>", where an environment's name
  // and "latest" are labels too. Not found where nothing is live.
  Result<DiffView> diff(const Principal& who, const ArtifactId& id, std::string_view from,
                        std::string_view to);
  Result<Page<ScanRecord>> scans(const Principal& who, const VersionRef& ref, const PageRequest& page);
  // `environment` empty, here and in releases: the key's own, else production.
  Result<GateView> gate(const Principal& who, const VersionRef& ref, std::string_view environment);
  Result<LabelsView> labels(const Principal& who, const ArtifactId& id, Sight sight = Sight::reading);

  Result<Page<ReviewView>> reviews(const Principal& who, std::string_view project,
                                   std::optional<ReviewState> state, bool mine, const PageRequest& page);
  Result<ReviewView> review(const Principal& who, const ReviewId& id, Sight sight = Sight::reading);
  struct Comments {
    Page<Comment> page;
    Displays displays;
  };
  Result<Comments> comments(const Principal& who, const ReviewId& id, const PageRequest& page);
  // One of them, as a page of one.
  Result<Comments> comment(const Principal& who, const ReviewId& id, std::string_view comment);

  Result<ReleaseView> release(const Principal& who, const ReleaseId& id, Sight sight = Sight::reading);
  Result<Page<ReleaseView>> releases(const Principal& who, const ArtifactId& id, std::string_view environment,
                                     const PageRequest& page);
  // The project, for somebody who may read what is live in it.
  Result<ProjectId> readable_project(const Principal& who, std::string_view project);
  Result<std::vector<EnvironmentView>> environments(const Principal& who, std::string_view project);
  Result<EnvironmentView> environment(const Principal& who, std::string_view project, std::string_view name);

  // `project` empty: the organisation's journal, for its admins.
  // An actor may be given by e-mail.
  Result<Page<journal::Entry>> audit(const Principal& who, std::string_view project, store::AuditQuery query,
                                     const PageRequest& page);
  // The entries of a journal that the caller may read from `from` on, at most kEntriesAtOnce; empty behind
  // the last one that `head` counts. For who was given the head by checkpoint().
  std::vector<journal::Entry> entries(const store::Head& head, std::uint64_t from);
  Result<store::Head> checkpoint(const Principal& who, std::string_view project);
  struct Proof {
    store::Head head;
    journal::Entry entry;
    std::vector<Hash256> path;
  };
  Result<Proof> proof(const Principal& who, std::string_view project, std::uint64_t seq);

 private:
  store::Store& store_;
  const Registry& registry_;
};

}  // namespace imprimatur::registry
