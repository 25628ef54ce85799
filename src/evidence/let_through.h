// How it stood when a release went live, told from what is kept of it.
#pragma once

#include "domain/records.h"
#include "evidence/told.h"
#include "store/store.h"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace imprimatur::evidence {

// A release with the entry that made it.
struct Made {
  Release release;
  Told by;
};
// Throws DataBroken when no entry of its project's journal made the release.
Made made(store::Tx& tx, Release release);
// The deploy that let the version through: the release itself, or the one that it restores, however far back
// that is. The last of the list; before it the roll backs that lead to it, the release itself first.
std::vector<Made> chain_of(store::Tx& tx, Release release);

// Who counted as contributor when the deploy was made: everybody who saved a version after `after`, and the
// owners of the keys that did.
struct Contributions {
  std::int64_t after = 0;
  std::vector<Told> saved;                                    // the entries, oldest first
  std::map<PrincipalId, std::vector<std::int64_t>> versions;  // of each contributor
};
// Unprocessable when they are more than anybody would read.
Result<Contributions> contributions(store::Tx& tx, const Made& deploy);

}  // namespace imprimatur::evidence
