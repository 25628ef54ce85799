// What the gate says of the layers that a change includes.
#pragma once

#include "domain/ids.h"

#include <cstdint>
#include <optional>
#include <string>

namespace imprimatur {

struct GateFacts;
struct Requirement;

// A version that an item's lock names, and whether it may be live where the item shall be.
struct LockedVersion {
  ArtifactId artifact;
  std::int64_t version = 0;
  std::string digest;
  std::string path;       // "support/reply > support/tone@1.2.0"; where something is wrong
  std::string objection;  // why not; empty when it was let through there, or would be
  bool intact = true;     // the stored content has its digest
};

// That each version which an item includes is in the same change set or may be live there by itself; nothing
// where nothing is included. Part of every gate answer, whatever the protection asks for.
std::optional<Requirement> layers_requirement(const GateFacts& facts);

}  // namespace imprimatur
