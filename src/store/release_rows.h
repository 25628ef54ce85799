// Rows of releases, and what environments serve by them. As in registry_rows.h.
#pragma once

#include "domain/records.h"
#include "store/store.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace imprimatur::store {

// A page: rows in order and where the next begins; empty when this was the last.
template <class T>
struct Page {
  std::vector<T> items;
  std::string next_cursor;
};
struct PageRequest {
  int limit = 50;      // 1 to 200
  std::string cursor;  // opaque; a bad one is ErrorCode::invalid
};

void insert_release(Tx& tx, const Release& release);
void end_release(Tx& tx, const ReleaseId& id, ReleaseEnd end, Time at);
std::optional<Release> release(Tx& tx, const ReleaseId& id);
std::optional<Release> live_release(Tx& tx, const ArtifactId& artifact, const EnvironmentId& environment);
// By which the version was live there last.
std::optional<Release> newest_release(Tx& tx, const ArtifactId& artifact, std::int64_t version,
                                      const EnvironmentId& environment);
std::vector<Release> live_releases(Tx& tx, const ArtifactId& artifact);
Result<Page<Release>> releases(Tx& tx, const ArtifactId& artifact, const EnvironmentId& environment,
                               const PageRequest& page);  // newest first
std::optional<Release> release_at(Tx& tx, const ArtifactId& artifact, const EnvironmentId& environment,
                                  Time at);  // that was live at this moment
bool any_release(Tx& tx, const EnvironmentId& environment);
// Of the versions below `number` that went live there with their protection met, and were neither retired
// there nor rolled back from, the newest under each protection, newest first.
struct LetThrough {
  std::int64_t version = 0;
  std::int64_t protection_version = 0;
};
std::vector<LetThrough> let_through_below(Tx& tx, const ArtifactId& artifact,
                                          const EnvironmentId& environment, std::int64_t number);
// Versions that were taken out of an environment for good.
void insert_retirement(Tx& tx, const ProjectId& project, const ArtifactId& artifact, std::int64_t version,
                       const EnvironmentId& environment, Time at);
bool retired(Tx& tx, const ArtifactId& artifact, std::int64_t version, const EnvironmentId& environment);

// One version as an environment serves it: live there, or live there once and not retired. A start reads all
// of them, so a row holds no more than delivery needs.
struct Deliverable {
  ReleaseId release;  // the newest by which the version was live
  ArtifactId artifact;
  EnvironmentId environment;
  std::string name;
  std::int64_t version = 0;
  bool live = false;
  bool rolled_back = false;  // what ended that release
  std::string digest, content;
};
// Every one, by artifact and environment, in the order of their releases.
void each_deliverable(Tx& tx, const std::function<void(const Deliverable&)>& take);
// The same for one artifact in one environment.
std::vector<Deliverable> deliverables(Tx& tx, const ArtifactId& artifact, const EnvironmentId& environment);

}  // namespace imprimatur::store
