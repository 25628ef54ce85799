#include "registry/moving.h"

#include "store/registry_rows.h"

namespace imprimatur::registry {

StateChange::StateChange(store::Tx& tx, const Environment& environment)
    : tx_(tx), last_(last_environment(tx, environment.project).id == environment.id) {}

Status StateChange::require(const ArtifactId& id, std::int64_t number, Action action) const {
  if (!last_) return Ok{};
  const Version version = TRY(version_or_404(tx_, id, number));
  TRY(next_state(version.state, action));
  return Ok{};
}

Status StateChange::move(const ArtifactId& id, std::int64_t number, Action action) {
  if (!last_) return Ok{};
  const Version version = TRY(version_or_404(tx_, id, number));
  const State next = TRY(next_state(version.state, action));
  const Transition* row = transition(version.state, action);
  store::put_version_state(tx_, version.project, {id, number}, next, row->reason);
  Artifact artifact = store::present(store::artifact(tx_, id), "the artifact of a version");
  if (artifact.latest_version == number) {
    artifact.changed_at = tx_.now();
    store::put_artifact(tx_, artifact);
  }
  moves_.push_back({id, number, version.state, next, row->reason});
  return Ok{};
}

}  // namespace imprimatur::registry
