#include "registry/locking.h"

#include "registry/deciding.h"
#include "store/lock_rows.h"
#include "store/registry_rows.h"

#include <set>
#include <utility>

namespace imprimatur::registry {
namespace {

// The lock with its digests, or, where nothing is hashed, without.
std::vector<LockEntry> lock_of(store::Tx& tx, const Version& version, const GateReading& how) {
  std::vector<LockEntry> out;
  if (!how.rehash) {
    for (const store::Locked& each : store::locks(tx, version.artifact, version.number)) {
      out.push_back({each.name, each.version, ""});
    }
    return out;
  }
  if (!may_include(version.content)) return out;
  auto lock = lock_from_canonical(version.content);
  if (!lock.ok()) throw store::DataBroken("version " + version.artifact.text + " holds an unreadable lock");
  return *std::move(lock);
}

using Place = std::pair<std::string, std::int64_t>;  // a name and a number

// The steps from a version to one that it includes, for whoever has to find the way. Empty when there is
// none.
class Ways {
 public:
  Ways(store::Tx& tx, const ProjectId& project) : tx_(tx), project_(project) {}

  std::string to(const Artifact& from, std::int64_t number, const Place& target) {
    seen_.clear();
    return from.name + below(from.id, number, target);
  }

 private:
  std::string below(const ArtifactId& from, std::int64_t number, const Place& target) {
    for (const store::Locked& next : store::locks(tx_, from, number)) {
      if (!next.direct || !seen_.insert({next.name, next.version}).second) continue;
      const auto artifact = store::artifact_by_name(tx_, project_, next.name);
      const auto version =
          artifact ? store::version_bare(tx_, artifact->id, next.version) : std::optional<Version>();
      const std::string step = " > " + next.name + (version ? "@" + version->semver : std::string());
      if (Place(next.name, next.version) == target) return step;
      const std::string rest = version ? below(artifact->id, next.version, target) : std::string();
      if (!rest.empty()) return step + rest;
    }
    return {};
  }

  store::Tx& tx_;
  const ProjectId& project_;
  std::set<Place> seen_;
};

std::string first_reason(const GateAnswer& answer) {
  for (const Requirement& requirement : answer.requirements) {
    if (!requirement.met && requirement.stage != Stage::deploy) return requirement.detail;
  }
  return "its gate is not met";
}

// Why the version may not be live there by itself; empty when it may.
std::string objection(store::Tx& tx, const Environment& environment, const Version& layer,
                      std::string_view ruleset, GateReading how) {
  if (store::retired(tx, layer.artifact, layer.number, environment.id)) {
    return "it was retired in " + environment.name + "; save this version again with a newer one";
  }
  if (store::was_let_through(tx, layer.artifact, layer.number, environment.id)) return {};
  const auto review = review_holding(tx, {layer.artifact, layer.number}, environment.id);
  std::vector<ReviewItem> items{{layer.artifact, layer.number, layer.digest, {}}};
  if (review) items = review->items;
  // All that this one includes stands in the same lock, and is asked about there.
  how.layers = false;
  GateFacts facts = gate_facts(tx, environment, items, review, ruleset, how);
  facts.now.windows.clear();  // said of the whole, once
  const GateAnswer answer = gate(facts);
  // Time alone does not make it another text.
  if (answer.met_at(Stage::review)) return {};
  return "it is not approved for " + environment.name + " (" + first_reason(answer) +
         "); approve it there first, or put both into one change set";
}

}  // namespace

std::vector<LockedVersion> locked_versions(store::Tx& tx, const Environment& environment,
                                           const Version& version, std::string_view ruleset,
                                           const GateReading& how) {
  std::vector<LockedVersion> out;
  const std::vector<LockEntry> lock = lock_of(tx, version, how);
  if (lock.empty()) return out;
  const Artifact whole = store::present(store::artifact(tx, version.artifact), "the artifact of a version");
  for (const LockEntry& entry : lock) {
    LockedVersion locked;
    locked.version = entry.version;
    const auto artifact = store::artifact_by_name(tx, version.project, entry.name);
    const auto layer = !artifact    ? std::nullopt
                       : how.rehash ? store::version(tx, artifact->id, entry.version)
                                    : store::version_bare(tx, artifact->id, entry.version);
    if (!layer) {
      locked.objection = "it is not there any more";
    } else {
      locked.artifact = artifact->id;
      locked.digest = layer->digest;
      locked.intact = !how.rehash || (digest_of_canonical(layer->content) == layer->digest &&
                                      (entry.digest.empty() || layer->digest == entry.digest));
      if (locked.intact) locked.objection = objection(tx, environment, *layer, ruleset, how);
    }
    if (!locked.intact || !locked.objection.empty())
      locked.path = Ways(tx, version.project).to(whole, version.number, {entry.name, entry.version});
    out.push_back(std::move(locked));
  }
  return out;
}

}  // namespace imprimatur::registry
