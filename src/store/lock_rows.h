// What versions include, and what may be included. Every function works inside a Tx of Store::read or
// Store::write.
#pragma once

#include "domain/layers.h"
#include "domain/records.h"
#include "store/store.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::store {

// By insert_version, once the version is there.
void insert_locks(Tx& tx, const Version& version);

// A version that a lock names. In the order of the lock.
struct Locked {
  std::string name;
  std::int64_t version = 0;
  bool direct = false;  // one of `layers` led to it
};
std::vector<Locked> locks(Tx& tx, const ArtifactId& artifact, std::int64_t number);

// Artifacts whose latest version has among its `layers` one of this name, at a version below `number`; in the
// order of their ids, at most `limit`.
std::vector<ArtifactId> dependants(Tx& tx, const ProjectId& project, std::string_view layer,
                                   std::int64_t number, int limit);

std::optional<Artifact> artifact_by_name(Tx& tx, const ProjectId& project, std::string_view name);
// The versions that were not retired.
std::vector<LayerCandidate> layer_candidates(Tx& tx, const Artifact& artifact);
std::optional<std::string> content_named(Tx& tx, const ProjectId& project, std::string_view name,
                                         std::int64_t number);

// Whether the version is or was live there with its protection met, and was neither rolled back from nor
// retired there.
bool was_let_through(Tx& tx, const ArtifactId& artifact, std::int64_t version,
                     const EnvironmentId& environment);

}  // namespace imprimatur::store
