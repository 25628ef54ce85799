#include "registry/proposing.h"

#include "base/log.h"
#include "domain/semver.h"
#include "registry/gating.h"
#include "registry/layering.h"
#include "registry/reading.h"
#include "store/lock_rows.h"
#include "store/registry_rows.h"

#include <algorithm>
#include <set>

namespace imprimatur::registry {
namespace {

// By name, what went live.
using ReleasedLayers = std::map<std::string, LayerCandidate>;

ReleasedLayers layers_of(store::Tx& tx, const std::vector<VersionRef>& released) {
  ReleasedLayers out;
  for (const VersionRef& ref : released) {
    const Artifact artifact = store::present(store::artifact(tx, ref.artifact), "a released artifact");
    const Version version =
        store::present(store::version_bare(tx, ref.artifact, ref.number), "what was released");
    out[artifact.name] = {ref.number, version.semver};
  }
  return out;
}

// In the place of every range: the released version where it is newer and the range admits it, else what the
// lock names now.
LayerSource renewed(const Content& content, const ReleasedLayers& released, LoadVersion load) {
  std::map<std::string, LayerCandidate> chosen;
  for (std::size_t i = 0; i < content.layers.size(); ++i) {
    const LayerRef& layer = content.layers[i];
    chosen[layer.name] = {content.lock[i].version, ""};
    const auto newer = released.find(layer.name);
    if (newer == released.end() || newer->second.number <= content.lock[i].version) continue;
    const auto range = SemverRange::parse(layer.range);
    const auto semver = parse_semver(newer->second.semver);
    if (range.ok() && semver.ok() && range->contains(*semver)) chosen[layer.name] = newer->second;
  }
  const auto candidates =
      [chosen, load](const std::string& name) -> Result<std::optional<std::vector<LayerCandidate>>> {
    const auto found = chosen.find(name);
    if (found == chosen.end()) return std::optional<std::vector<LayerCandidate>>();
    LayerCandidate candidate = found->second;
    if (candidate.semver.empty()) {
      const std::string canonical = TRY(load(name, candidate.number));
      const Content locked = TRY(content_from_canonical(canonical));
      candidate.semver = locked.semver;
    }
    return std::optional(std::vector{candidate});
  };
  return {candidates, std::move(load)};
}

std::string message_for(const Content& before, const Content& after, const Environment& environment,
                        const ReleasedLayers& released) {
  std::string names;
  for (std::size_t i = 0; i < after.layers.size(); ++i) {
    if (after.lock[i] == before.lock[i]) continue;
    const std::string& name = after.layers[i].name;
    names += (names.empty() ? "" : ", ") + name + " " + released.at(name).semver;
  }
  std::string out = "Proposed: " + names + " went live in " + environment.name;
  if (out.size() > kMaxMessageBytes) out = "Proposed: layers went live in " + environment.name;
  return out;
}

// Nothing when there is nothing to renew.
Result<std::optional<Proposal>> proposal_of(store::Tx& tx, const Artifact& artifact,
                                            const ReleasedLayers& released, const Environment& environment,
                                            ProjectLayers& layers) {
  const Version latest =
      store::present(store::version(tx, artifact.id, artifact.latest_version), "a latest version");
  if (latest.reason == ArchiveReason::retired) return std::optional<Proposal>();
  TRY(require_intact(latest));
  const Content before = content_of(latest);
  Resolved next = TRY(resolve(before, renewed(before, released, layers.loader())));
  if (next.content.lock == before.lock) return std::optional<Proposal>();
  const Content effective = TRY(layers.effective(before));
  const Bump for_the_application = required_bump(effective, next.effective);
  next.content.semver = TRY(next_semver(before, next.content, "", for_the_application));
  next.effective.semver = next.content.semver;
  std::string message = message_for(before, next.content, environment, released);
  return std::optional(Proposal{artifact, std::move(next), std::move(message)});
}

}  // namespace

std::vector<Proposal> proposals(store::Tx& tx, const ProjectId& project,
                                const std::vector<VersionRef>& released, const Environment& environment) {
  const ReleasedLayers layers = layers_of(tx, released);
  std::set<ArtifactId> dependants;
  for (const auto& [name, layer] : layers) {
    for (ArtifactId& each : store::dependants(tx, project, name, layer.number, kMaxProposals + 1)) {
      dependants.insert(std::move(each));
    }
  }
  ProjectLayers source(tx, project);
  std::vector<Proposal> out;
  for (const ArtifactId& id : dependants) {
    if (out.size() == kMaxProposals) {
      log(LogLevel::warning, "proposals_left_out", {{"project", project.text}});
      break;
    }
    const Artifact artifact = store::present(store::artifact(tx, id), "what includes a layer");
    auto made = proposal_of(tx, artifact, layers, environment, source);
    if (!made.ok()) {
      log(LogLevel::info, "proposal_left_out", {{"artifact", id.text}});
    } else if (*made) {
      out.push_back(**std::move(made));
    }
  }
  return out;
}

ScansAhead scanned_ahead(const std::vector<Proposal>& planned, const scan::Ruleset& rules) {
  ScansAhead out;
  for (const Proposal& proposal : planned) {
    Prepared ready = prepared(proposal.version, rules);
    out.emplace(std::move(ready.digest), std::move(ready.reading));
  }
  return out;
}

void propose(store::Tx& tx, const Caller& caller, const std::vector<VersionRef>& released,
             const Environment& environment, const ScansAhead& ahead, const scan::Ruleset& rules) {
  if (last_environment(tx, environment.project).id != environment.id) return;
  for (Proposal& proposal : proposals(tx, environment.project, released, environment)) {
    const std::string digest = digest_of(proposal.version.content);
    const auto known = ahead.find(digest);
    const Prepared ready = known == ahead.end()
                               ? prepared(proposal.version, rules)
                               : Prepared{proposal.version.content.semver,
                                          canonical_content(proposal.version.content), digest, known->second};
    write_version(tx, caller, proposal.artifact, ready, proposal.message, Origin::proposed);
  }
}

}  // namespace imprimatur::registry
