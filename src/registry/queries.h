// What a caller may see of a project's registry, gathered on one snapshot.
#pragma once

#include "registry/comparing.h"
#include "registry/registry.h"
#include "registry/views.h"
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
  template <class Row>
  struct Attested {
    Page<Row> page;
    Displays displays;
  };
  Result<Attested<CheckReport>> checks(const Principal& who, const VersionRef& ref, const PageRequest& page);
  // One of them, as a page of one; for who reported it.
  Result<Attested<CheckReport>> check(const Principal& who, const VersionRef& ref, std::string_view id);
  // Oldest first.
  Result<Attested<AcceptedFinding>> accepted(const Principal& who, const VersionRef& ref,
                                             const PageRequest& page);
  // One of them, as a page of one; for who accepted it.
  Result<Attested<AcceptedFinding>> accepted_one(const Principal& who, const VersionRef& ref,
                                                 std::string_view id);
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
  Result<OwnersView> owners(const Principal& who, std::string_view project);

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
