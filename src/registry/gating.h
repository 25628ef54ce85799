// What the gate looks at, gathered inside the transaction that acts on the answer.
#pragma once

#include "domain/gate.h"
#include "domain/records.h"
#include "store/store.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::registry {

// Everyone who saved, imported or is accountable for any version of the artifact since the one live in the
// environment, or, for a version that is older than that, since the one it was built on that others let
// through there: nobody whose text may stand in this version is left out. Of what the version includes the
// same people count, but where it went live there with somebody's approval.
std::set<PrincipalId> contributors(store::Tx& tx, const ArtifactId& artifact, std::int64_t version,
                                   const EnvironmentId& environment);
// To any of the versions that the review holds.
std::set<PrincipalId> contributors(store::Tx& tx, const Review& review);

// SHA-256 over what is live now for each item, in order.
std::string base_digest_of(store::Tx& tx, const std::vector<ReviewItem>& items,
                           const EnvironmentId& environment);

// Refused when the stored content does not have its digest: it is not what was saved, whoever changed it.
Status require_intact(const Version& version);
Status require_intact(const GateFacts& facts);
// Inside a read or a command: throws DataBroken where nobody can read it.
Content content_of(const Version& version);

struct ProjectPeople {
  std::vector<Membership> members;
  std::map<TeamId, std::string> team_names;
};
ProjectPeople people_of(store::Tx& tx, const ProjectId& project);

// How a question is asked. A list of many answers takes the digests stored with the versions on trust, and
// reads the people once; whoever acts on an answer has each content hashed again.
struct GateReading {
  bool rehash = true;
  const ProjectPeople* people = nullptr;
  bool layers = true;  // what the items include is asked about, too
};

// `review`: the one whose verdicts may count; none for a look at a version that nobody submitted.
GateFacts gate_facts(store::Tx& tx, const Environment& environment, const std::vector<ReviewItem>& items,
                     const std::optional<Review>& review, std::string_view ruleset,
                     const GateReading& how = {});

// The review that a deploy of exactly these items to the environment rests on: the newest that is open or
// approved and holds them and nothing else.
std::optional<Review> review_for_items(store::Tx& tx, const EnvironmentId& environment,
                                       const std::vector<ReviewItem>& items);

// The gate answer for one version, as asked by itself.
GateAnswer gate_answer(store::Tx& tx, const Environment& environment, const Version& version,
                       std::string_view ruleset);

}  // namespace imprimatur::registry
