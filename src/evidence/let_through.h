// How it stood when a release went live, told from what is kept of it.
#pragma once

#include "domain/records.h"
#include "evidence/told.h"
#include "store/store.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

namespace imprimatur::evidence {

// A release with the entry that made it.
struct Made {
  Release release;
  Told by;
};
// Throws DataBroken when no entry of its project's journal made the release, with everything that its row
// says of it but how long it was live.
Made made(store::Tx& tx, Release release);
// The deploy that let the version through: the release itself, or the one that it restores, however far back
// that is. The last of the list; before it the roll backs that lead to it, the release itself first.
std::vector<Made> chain_of(store::Tx& tx, Release release);

// What an environment asks for, with the entry that put it in force. Throws DataBroken when no entry up to
// `last` has its digest.
struct InForce {
  Protection rule;
  Told by;
};
InForce in_force(store::Tx& tx, const ProjectId& project, const EnvironmentId& environment,
                 std::int64_t version, std::uint64_t last);

// A version with the entry that saved it. Throws DataBroken when its content is not the one of that entry, or
// not of this digest.
struct Saved {
  Version row;
  boost::json::object content;
  std::string semver;  // as the content has it
  Told by;
};
Saved saved_version(store::Tx& tx, const ProjectId& project, const VersionRef& version,
                    const std::string& digest, std::uint64_t last);

// A review as its entries tell of it up to the deploy; the rows lend the words.
struct Reviewed {
  Review row;
  std::vector<Told> entries;  // oldest first; a conversation lets nothing through and is not among them
  Told submitted;
  std::int64_t cycle = 0, protection_version = 0;  // of the last cycle
  boost::json::value items;
  struct Given {
    Told by;
    Verdict row;
  };
  std::vector<Given> verdicts;
};
// Nothing where the environment asked for no review. Throws DataBroken when a verdict is missing or another.
std::optional<Reviewed> reviewed(store::Tx& tx, const Made& deploy);

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
