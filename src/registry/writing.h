// Writing drafts inside a command: the one place where artifacts and versions come into being.
#pragma once

#include "domain/layers.h"
#include "registry/caller.h"
#include "registry/events.h"
#include "registry/reading.h"
#include "registry/registry.h"

#include <string>
#include <vector>

namespace imprimatur::registry {

// A version that is ready to be written but for its place; its scan is part of it.
struct Prepared {
  std::string semver;
  std::string canonical;
  std::string digest;
  ScanRecord reading;
};
// Pure and slow (it scans, and what it scans is what the model gets): call it outside of a write.
Prepared prepared(const Resolved& version, const scan::Ruleset& rules);

std::string fresh_id(std::string_view prefix, Time now);

Artifact write_artifact(store::Tx& tx, const Caller& caller, const NewArtifact& wanted, std::string skeleton,
                        std::vector<std::string> tags);
// Version, its scan and both events; `artifact` is brought up to date and written.
void write_version(store::Tx& tx, const Caller& caller, Artifact& artifact, const Prepared& ready,
                   const std::string& message, Origin origin);
void write_scan(store::Tx& tx, const Caller& caller, const VersionRef& place, const ScanRecord& reading);

// Those of its tags that a tier of some environment names: without them less would be asked of the artifact.
std::vector<std::string> delicate_tags(store::Tx& tx, const Artifact& artifact);
// Refused when one of them is not among `tags`.
Status require_delicate_tags(store::Tx& tx, const Artifact& artifact, const std::vector<std::string>& tags);

Error name_taken(std::string_view name, const Artifact& existing);

}  // namespace imprimatur::registry
