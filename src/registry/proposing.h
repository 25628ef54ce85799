// A layer's new release proposes versions of what includes it: drafts, to be reviewed like any other.
#pragma once

#include "registry/caller.h"
#include "registry/writing.h"

#include <map>
#include <string>
#include <vector>

namespace imprimatur::registry {

// Of one release of a change set; what is left over is saved by hand.
inline constexpr int kMaxProposals = 100;

// Scans by digest, made before the command that writes: what a command finds here it need not scan itself.
using ScansAhead = std::map<std::string, ScanRecord>;

struct Proposal {
  Artifact artifact;
  Resolved version;
  std::string message;
};

// Of every artifact whose latest version includes an earlier version of one of `released` and whose range
// admits the released one: that latest version with it in the lock, and all else in the lock as it was. What
// cannot be put together, or was retired, is left out.
std::vector<Proposal> proposals(store::Tx& tx, const ProjectId& project,
                                const std::vector<VersionRef>& released, const Environment& environment);

// The scans that propose() will want; slow, so outside of any transaction.
ScansAhead scanned_ahead(const std::vector<Proposal>& planned, const scan::Ruleset& rules);

// Saves them, as of whoever released: who lets a change of a layer loose on what includes it is a contributor
// to that, and gives no verdict on it.
void propose(store::Tx& tx, const Caller& caller, const std::vector<VersionRef>& released,
             const Environment& environment, const ScansAhead& ahead, const scan::Ruleset& rules);

}  // namespace imprimatur::registry
