// That a version is live in an environment, or was: an entry of that environment's release history.
#pragma once

#include "base/clock.h"
#include "domain/ids.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace imprimatur {

enum class ReleaseKind { deploy, roll_back };
enum class ReleaseEnd { live, superseded, rolled_back, retired };
std::string_view name_of(ReleaseKind kind);
std::string_view name_of(ReleaseEnd end);
std::optional<ReleaseKind> release_kind_of(std::string_view name);
std::optional<ReleaseEnd> release_end_of(std::string_view name);

// One artifact's share of a deploy. A change set's releases share `change_set`.
struct Release {
  ReleaseId id;
  ProjectId project;
  EnvironmentId environment;
  ArtifactId artifact;
  std::int64_t version = 0;
  std::string digest;
  ReleaseKind kind = ReleaseKind::deploy;
  std::string change_set;  // chs_…
  ReviewId review;         // empty where the environment asked for none
  ReleaseId replaced;      // the release that it ended; empty: nothing was live
  // Where a roll back from this release leads; empty: nowhere. A roll back takes over its target's, so each
  // one walks further back.
  ReleaseId previous;
  std::int64_t protection_version = 0;
  bool protection_met = true;  // false only for break-glass; a roll back never leads there
  std::string gate;            // canonical gate answer when it went live
  // The candidate slot of a rollout: canonical JSON, empty when it is live in full.
  std::string rollout;
  std::string reason;
  PrincipalId by;
  Time at;
  ReleaseEnd end = ReleaseEnd::live;
  Time ended_at;
  std::string salt;  // of the commitment to the reason
};

}  // namespace imprimatur
