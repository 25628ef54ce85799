// Creating artifacts, saving versions, scanning.
#include "domain/name.h"
#include "registry/caller.h"
#include "registry/drafting.h"
#include "registry/gating.h"
#include "registry/layering.h"
#include "registry/outcome.h"
#include "registry/reading.h"
#include "registry/registry.h"
#include "registry/writing.h"
#include "store/registry_rows.h"

namespace imprimatur::registry {
namespace {

// The latest scan, when to scan again would say the same: of this content, with these packs, and no error.
std::optional<ScanRecord> standing_scan(store::Tx& tx, const Version& version, std::string_view ruleset) {
  const auto latest = store::latest_scan_result(tx, version.artifact, version.number);
  const CheckResult check = scan_check(latest, version, ruleset);
  if (!check.current || check.status == CheckStatus::error) return std::nullopt;
  return store::latest_scan(tx, version.artifact, version.number);
}

}  // namespace

Registry::Registry(store::Store& store, const scan::Ruleset& rules) : store_(store), rules_(rules) {}

const std::string& Registry::ruleset() const { return rules_.digest(); }

Result<VersionRef> Registry::create(const Command& command, std::string_view project, NewArtifact wanted) {
  wanted.name = TRY(checked_name(wanted.name));
  const std::string skeleton = skeleton_of(wanted.name);
  const std::vector<std::string> tags = TRY(checked_tags(wanted.tags));
  const std::string message = TRY(checked_message("message", wanted.message));
  struct Base {
    ProjectId project;
    Resolved first;
    std::optional<VersionRef> saved;  // by the request that this one repeats
  };
  const Base base = TRY(store_.read([&](store::Tx& tx) -> Result<Base> {
    const Caller caller = TRY(Caller::in_named(tx, command.principal, project));
    TRY(caller.require(Permission::save));
    Base found{caller.project().id, {}, std::nullopt};
    // What its layers meant then, they may not mean any more.
    if (const auto seen = TRY(store::replayed(tx, command))) {
      found.saved = version_from(*seen);
      return found;
    }
    ProjectLayers layers(tx, found.project);
    Content content = TRY(first_content(wanted));
    found.first = TRY(resolve(std::move(content), layers.source()));
    return found;
  }));
  if (base.saved) return *base.saved;
  const ProjectId& id = base.project;
  const Prepared ready = prepared(base.first, rules_);
  return store_.write({id.text}, [&](store::Tx& tx) -> Result<VersionRef> {
    const Caller caller = TRY(Caller::in(tx, command.principal, id));
    TRY(caller.require(Permission::save));
    if (const auto seen = TRY(store::replayed(tx, command))) return version_from(*seen);
    if (const auto existing = store::artifact_by_skeleton(tx, id, skeleton)) {
      return name_taken(wanted.name, *existing);
    }
    Artifact artifact = write_artifact(tx, caller, wanted, skeleton, tags);
    write_version(tx, caller, artifact, ready, message, Origin::saved);
    const VersionRef made{artifact.id, 1};
    store::remember(tx, command, outcome_of(made));
    return made;
  });
}

Result<VersionRef> Registry::save(const Command& command, const ArtifactId& id, NewVersion wanted) {
  const std::string message = TRY(checked_message("message", wanted.message));
  std::optional<std::vector<std::string>> tags;
  if (wanted.tags) tags = TRY(checked_tags(*wanted.tags));
  // Content is prepared outside the write, against the latest version; somebody may save in between.
  constexpr int kAttempts = 5;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    struct Base {
      ProjectId project;
      std::int64_t latest = 0;
      Resolved next;
      std::optional<VersionRef>
          saved;  // by the request that this one repeats, and whose version is the base now
    };
    const Base base = TRY(store_.read([&](store::Tx& tx) -> Result<Base> {
      const ArtifactScene scene = TRY(artifact_for(tx, command.principal, id));
      TRY(scene.caller.require(Permission::save));
      const Version latest = TRY(version_or_404(tx, id, scene.artifact.latest_version));
      TRY(require_intact(latest));
      Base found{scene.artifact.project, latest.number, {}, std::nullopt};
      if (const auto seen = TRY(store::replayed(tx, command))) {
        found.saved = version_from(*seen);
        return found;
      }
      ProjectLayers layers(tx, scene.artifact.project);
      const Content content = content_of(latest);
      Content effective = TRY(layers.effective(content));
      found.next = TRY(next_content({content, std::move(effective)}, wanted.content, layers.source()));
      return found;
    }));
    if (base.saved) return *base.saved;
    const Prepared ready = prepared(base.next, rules_);
    const auto saved =
        TRY(store_.write({base.project.text}, [&](store::Tx& tx) -> Result<std::optional<VersionRef>> {
          ArtifactScene scene = TRY(artifact_for(tx, command.principal, id));
          TRY(scene.caller.require(Permission::save));
          if (const auto seen = TRY(store::replayed(tx, command))) return std::optional(version_from(*seen));
          const std::int64_t latest = scene.artifact.latest_version;
          if (wanted.base_version && *wanted.base_version != latest) {
            return conflict("Version " + std::to_string(*wanted.base_version) +
                            " is not the latest: " + std::to_string(latest) +
                            " is. Look at what changed and save again on top of it.");
          }
          if (latest != base.latest) return std::optional<VersionRef>();
          if (tags) {
            TRY(require_delicate_tags(tx, scene.artifact, *tags));
            scene.artifact.tags = *tags;
          }
          write_version(tx, scene.caller, scene.artifact, ready, message, Origin::saved);
          const VersionRef made{id, scene.artifact.latest_version};
          store::remember(tx, command, outcome_of(made));
          return std::optional(made);
        }));
    if (saved) return *saved;
  }
  return conflict("Others keep saving this prompt at the same moment; try again.");
}

Result<ScanRecord> Registry::scan(const Command& command, const VersionRef& place) {
  struct Found {
    Version version;
    Content effective;
    std::optional<ScanRecord> standing;
  };
  const Found found = TRY(store_.read([&](store::Tx& tx) -> Result<Found> {
    const ArtifactScene scene = TRY(artifact_for(tx, command.principal, place.artifact));
    TRY(scene.caller.require(Permission::scan));
    Version version = TRY(version_or_404(tx, place.artifact, place.number));
    TRY(require_intact(version));
    Content effective = TRY(ProjectLayers(tx, version.project).effective(content_of(version)));
    auto standing = standing_scan(tx, version, ruleset());
    return Found{std::move(version), std::move(effective), std::move(standing)};
  }));
  if (found.standing) return *found.standing;
  const ScanRecord reading = read_by_scanner(found.effective, found.version.digest, rules_);
  return store_.write({found.version.project.text}, [&](store::Tx& tx) -> Result<ScanRecord> {
    const ArtifactScene scene = TRY(artifact_for(tx, command.principal, place.artifact));
    TRY(scene.caller.require(Permission::scan));
    // Somebody else may have had it scanned meanwhile.
    if (!TRY(store::replayed(tx, command)) && !standing_scan(tx, found.version, ruleset())) {
      write_scan(tx, scene.caller, place, reading);
      store::remember(tx, command, outcome_of(place));
    }
    return *store::latest_scan(tx, place.artifact, place.number);
  });
}

}  // namespace imprimatur::registry
