// What delivery is told. The wiring reads it from the store after a command has committed and applies it
// before the command is acknowledged, so the next request sees it. Everything is a state, never a difference:
// telling the same twice changes nothing.
#pragma once

#include "base/clock.h"
#include "domain/access.h"
#include "domain/ids.h"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace imprimatur::delivery {

// A project and all of its environments. Tell it before anything that stands in them.
struct ServedProject {
  struct Environment {
    EnvironmentId id;
    std::string name;
  };
  ProjectId id;
  std::string name;
  std::vector<Environment> environments;
};

// A version that is live in an environment, or was and is not retired there.
struct ServedVersion {
  std::int64_t number = 0;
  ReleaseId release;  // the latest by which it was live there
  std::string digest;
  // canonical_content. May be left empty when delivery was told this number with this digest before.
  std::string content;
  // What ended its last release there was a roll back, so only who names its number is given it.
  bool rolled_back = false;
  // The canonical content with all that its lock names in place; empty for a version that includes nothing.
  // Whoever tells it has made it from what the lock's digests name.
  std::string effective;
};

struct ServedLabel {
  std::string name;
  std::int64_t version = 0;
};

// An artifact as one environment serves it, whole. No versions: it serves it no more.
struct ServedArtifact {
  EnvironmentId environment;
  std::string name;
  std::int64_t live = 0;  // 0: nothing; else one of `versions`
  std::vector<ServedVersion> versions;
  std::vector<ServedLabel> labels;  // those that point elsewhere than to `versions` resolve to nothing here
};

// A key that may be used. A new record for the same hash replaces the old one.
struct ServedKey {
  KeyId id;
  PrincipalId account;
  ProjectId project;
  EnvironmentId environment;  // empty: every environment of the project
  std::vector<Scope> scopes;
  std::optional<Time> expires_at;
  std::string hash;  // as the function given to Delivery makes it from the key
};

struct RevokedKey {
  KeyId id;
};

// None of its keys may be used.
struct DisabledAccount {
  PrincipalId account;
};

using Change = std::variant<ServedProject, ServedArtifact, ServedKey, RevokedKey, DisabledAccount>;

}  // namespace imprimatur::delivery
