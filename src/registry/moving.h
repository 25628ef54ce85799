// Changes of a version's state, by the workflow table and nothing else.
#pragma once

#include "registry/caller.h"
#include "registry/events.h"

namespace imprimatur::registry {

// Collects the moves of one command for its event. A state speaks of the last environment only: for any other
// environment nothing moves.
class StateChange {
 public:
  StateChange(store::Tx& tx, const Environment& environment);

  // Conflict when the table has no such transition.
  Status require(const ArtifactId& artifact, std::int64_t version, Action action) const;
  Status move(const ArtifactId& artifact, std::int64_t version, Action action);
  bool last() const { return last_; }
  const Moves& moves() const { return moves_; }

 private:
  store::Tx& tx_;
  bool last_;
  Moves moves_;
};

}  // namespace imprimatur::registry
