#include "registry/writing.h"

#include "base/hash.h"
#include "domain/name.h"
#include "journal/commitment.h"
#include "store/registry_rows.h"

#include <algorithm>
#include <iterator>

namespace imprimatur::registry {
namespace {

bool names_in_a_tier(const Protection& protection, const std::string& tag) {
  return std::any_of(protection.tiers.begin(), protection.tiers.end(), [&](const Tier& tier) {
    return std::any_of(tier.tags.begin(), tier.tags.end(),
                       [&](const std::string& named) { return skeleton_of(named) == skeleton_of(tag); });
  });
}

}  // namespace

Prepared prepared(const Resolved& version, const scan::Ruleset& rules) {
  Prepared out;
  out.semver = version.content.semver;
  out.canonical = canonical_content(version.content);
  out.digest = digest_of_canonical(out.canonical);
  out.reading = read_by_scanner(version.effective, out.digest, rules);
  return out;
}

std::string fresh_id(std::string_view prefix, Time now) { return new_id(prefix, now.micros / 1000); }

void write_scan(store::Tx& tx, const Caller& caller, const VersionRef& place, const ScanRecord& reading) {
  ScanRecord scan = reading;
  scan.id = {fresh_id("scn", tx.now())};
  scan.project = caller.project().id;
  scan.artifact = place.artifact;
  scan.version = place.number;
  scan.by = caller.author();
  scan.created_at = tx.now();
  store::insert_scan(tx, scan);
  tx.append(caller.project().id.text, scan_recorded_event(caller.actor(), scan));
}

// The one place where a version comes into being: version, its scan and both events.
void write_version(store::Tx& tx, const Caller& caller, Artifact& artifact, const Prepared& ready,
                   const std::string& message, Origin origin) {
  Version version;
  version.project = artifact.project;
  version.artifact = artifact.id;
  version.number = artifact.latest_version + 1;
  version.semver = ready.semver;
  version.digest = ready.digest;
  version.content = ready.canonical;
  version.message = message;
  version.author = caller.author();
  version.accountable = caller.accountable();
  version.base_version = artifact.latest_version;
  version.created_at = tx.now();
  version.salt = journal::new_salt();
  store::insert_version(tx, version);
  artifact.latest_version = version.number;
  artifact.latest_state = State::draft;
  artifact.changed_at = tx.now();
  store::put_artifact(tx, artifact);
  tx.append(artifact.project.text, version_saved_event(caller.actor(), version, origin));
  write_scan(tx, caller, {artifact.id, version.number}, ready.reading);
}

Artifact write_artifact(store::Tx& tx, const Caller& caller, const NewArtifact& wanted, std::string skeleton,
                        std::vector<std::string> tags) {
  Artifact artifact;
  artifact.id = {fresh_id("art", tx.now())};
  artifact.project = caller.project().id;
  artifact.name = wanted.name;
  artifact.skeleton = std::move(skeleton);
  artifact.kind = wanted.kind;
  artifact.type = wanted.type;
  artifact.tags = std::move(tags);
  artifact.created_by = caller.author();
  artifact.created_at = artifact.changed_at = tx.now();
  store::insert_artifact(tx, artifact);
  tx.append(artifact.project.text, artifact_created_event(caller.actor(), artifact));
  return artifact;
}

std::vector<std::string> delicate_tags(store::Tx& tx, const Artifact& artifact) {
  std::vector<std::string> out;
  if (artifact.tags.empty()) return out;
  const auto environments = store::environments(tx, artifact.project);
  std::copy_if(
      artifact.tags.begin(), artifact.tags.end(), std::back_inserter(out), [&](const std::string& tag) {
        return std::any_of(environments.begin(), environments.end(),
                           [&](const Environment& each) { return names_in_a_tier(each.protection, tag); });
      });
  return out;
}

Status require_delicate_tags(store::Tx& tx, const Artifact& artifact, const std::vector<std::string>& tags) {
  for (const std::string& tag : delicate_tags(tx, artifact)) {
    if (std::find(tags.begin(), tags.end(), tag) != tags.end()) continue;
    return unprocessable(
        "The tag \"" + tag + "\" stays: a tier of an environment's protection names it.",
        {"without it less would be asked of this prompt; let an admin change the tier first"});
  }
  return Ok{};
}

Error name_taken(std::string_view name, const Artifact& existing) {
  if (existing.name == name)
    return conflict("A prompt of this name exists; save a new version of it instead.");
  return conflict("The name looks like that of another prompt (\"" + existing.name +
                  "\"); names that look alike are one name.");
}

}  // namespace imprimatur::registry
