#include "registry/gating.h"

#include "base/hash.h"
#include "domain/gate_people.h"
#include "domain/owners.h"
#include "registry/deciding.h"
#include "registry/locking.h"
#include "registry/reading.h"
#include "registry/tenure.h"
#include "store/identity_rows.h"
#include "store/lock_rows.h"
#include "store/registry_rows.h"
#include "store/requirement_rows.h"

#include <algorithm>

namespace imprimatur::registry {
namespace {

Error altered(std::int64_t version) {
  return unprocessable("The stored content of the version does not have its digest.",
                       {"somebody changed the content of version " + std::to_string(version) +
                        " in the store; restore it from a backup"});
}

// What the two protections of a question ask about, so that nothing else is read.
struct Needs {
  bool binding = false, content = false, findings = false, reported = false, owners = false, artifact = false;
  std::set<EnvironmentId> path;

  explicit Needs(const GateFacts& facts) {
    add(facts.now);
    if (facts.at_submission) add(*facts.at_submission);
  }

 private:
  void add(const Protection& protection) {
    const ModelRule& models = protection.models;
    const bool shaped = !(protection.shape == ShapeRule{});
    binding = binding || !models.allowed.empty() || models.temperature_min || models.temperature_max;
    content = content || shaped;
    findings = findings || !(protection.scan == ScanRule{});
    reported = reported || !protection.check_rules.empty();
    owners = owners || protection.approvals.owners;
    for (const Tier& tier : protection.tiers) owners = owners || tier.approvals.owners;
    artifact = artifact || owners || shaped || !protection.tiers.empty();
    if (protection.path) path.insert(protection.path->after);
  }
};

// What has its digest was written by this program, so that it can be read; what has not is not looked at.
void read_content(GateItem& item, const std::string& content, const GateReading& how) {
  item.intact = !how.rehash || digest_of_canonical(content) == item.digest;
  if (!item.intact) return;
  auto binding = binding_from_canonical(content);
  if (!binding.ok() && how.rehash) {
    throw store::DataBroken("version " + item.artifact.text + " holds unreadable content");
  }
  item.intact = binding.ok();
  if (!item.intact) return;
  item.kind = binding->kind;
  item.model = std::move(binding->model);
}

void add_checks(store::Tx& tx, GateItem& item, const Version& version, std::string_view ruleset,
                const Needs& needs) {
  const auto scan = store::latest_scan_result(tx, item.artifact, item.version);
  item.checks.push_back(scan_check(scan, version, ruleset));
  if (scan && scan->status != "error" && (needs.findings || scan->critical_findings > 0)) {
    item.weaknesses = weaknesses_in(
        store::present(store::latest_scan(tx, item.artifact, item.version), "the scan that was just there"));
    item.accepted = store::acceptances(tx, item.artifact, item.version);
  }
  if (!needs.reported) return;
  for (CheckReport& report : store::latest_checks(tx, item.artifact, item.version)) {
    item.checks.push_back({std::move(report.name), report.status, report.digest == item.digest,
                           std::move(report.summary), report.by, report.at});
  }
}

// For how long the newest release of the version there was live, when nobody took it back.
std::optional<Duration> soaked(store::Tx& tx, const GateItem& item, const EnvironmentId& environment) {
  const auto release = store::newest_release(tx, item.artifact, item.version, environment);
  if (!release || !release->protection_met || release->digest != item.digest) return std::nullopt;
  if (store::retired(tx, item.artifact, item.version, environment)) return std::nullopt;
  switch (release->end) {
    case ReleaseEnd::live: return tx.now() - release->at;
    case ReleaseEnd::superseded: return release->ended_at - release->at;
    case ReleaseEnd::rolled_back:
    case ReleaseEnd::retired: return std::nullopt;
  }
  CHECK(false, "unknown end of a release");
}

void add_story(store::Tx& tx, GateItem& item, const Version& version, const EnvironmentId& environment,
               const Needs& needs, const OwnerRules& owners) {
  if (needs.artifact) {
    Artifact artifact = store::present(store::artifact(tx, item.artifact), "an item's artifact");
    item.name = std::move(artifact.name);
    item.tags = std::move(artifact.tags);
    if (needs.owners) item.owners = owners_of(owners, item.name);
  }
  if (needs.content && item.intact) {
    item.message = version.message;
    item.content = content_of(version);
    const auto live = store::live_release(tx, item.artifact, environment);
    if (live) {
      item.live = content_of(
          store::present(store::version(tx, item.artifact, live->version), "the version that is live"));
    }
  }
  for (const EnvironmentId& before : needs.path) {
    if (const auto time = soaked(tx, item, before)) item.soaked[before] = *time;
  }
}

GateItem gate_item(store::Tx& tx, const ReviewItem& item, const Environment& environment,
                   std::string_view ruleset, const Needs& needs, const OwnerRules& owners,
                   const GateReading& how) {
  const bool reads = how.rehash || needs.binding || needs.content;
  const Version version = store::present(reads ? store::version(tx, item.artifact, item.version)
                                               : store::version_bare(tx, item.artifact, item.version),
                                         "an item's version");
  GateItem out;
  out.artifact = item.artifact;
  out.version = item.version;
  out.digest = version.digest;
  if (reads) read_content(out, version.content, how);
  out.contributors = contributors(tx, item.artifact, item.version, environment.id);
  // The lock of content that is not what was saved says nothing.
  if (how.layers && out.intact) out.locked = locked_versions(tx, environment, version, ruleset, how);
  add_checks(tx, out, version, ruleset, needs);
  add_story(tx, out, version, environment.id, needs, owners);
  return out;
}

std::set<TeamId> teams_asked(const GateFacts& facts) {
  std::set<TeamId> asked;
  const auto add = [&](const Protection& protection) {
    for (const auto& [team, count] : protection.approvals.teams) asked.insert(team);
    for (const Tier& tier : protection.tiers) {
      for (const auto& [team, count] : tier.approvals.teams) asked.insert(team);
    }
  };
  add(facts.now);
  if (facts.at_submission) add(*facts.at_submission);
  for (const GateItem& item : facts.items) {
    if (item.owners) asked.insert(item.owners->teams.begin(), item.owners->teams.end());
  }
  return asked;
}

// Asked only about those whose approval a team's number may need.
void add_team_times(store::Tx& tx, const ProjectId& project, GateFacts& facts) {
  const std::set<TeamId> asked = teams_asked(facts);
  std::map<PrincipalId, Time> approved;
  for (const Verdict& verdict : facts.verdicts) {
    if (verdict.kind == VerdictKind::approve && verdict.cycle == facts.cycle)
      approved[verdict.by] = verdict.at;
  }
  for (const Membership& member : facts.members) {
    const auto approval = approved.find(member.person);
    if (approval == approved.end()) continue;
    for (const TeamId& team : member.teams) {
      if (!asked.contains(team)) continue;
      const auto since = in_team_since(tx, project, member.person, team, approval->second);
      if (since) facts.team_since[{member.person, team}] = *since;
    }
  }
}

// The version that a look at `version` may take as read: what is live, when `version` was saved after it. One
// that was saved before what is live rests on other text: on the newest version before it that others had to
// approve before it went live there, and was not taken back since. 0: there is none, so everything counts.
std::int64_t vouched_for(store::Tx& tx, const ArtifactId& artifact, std::int64_t version,
                         const EnvironmentId& environment) {
  const auto live = store::live_release(tx, artifact, environment);
  if (!live) return 0;
  if (live->version < version && live->protection_met) return live->version;
  for (const store::LetThrough& earlier : store::let_through_below(tx, artifact, environment, version)) {
    const auto protection = store::protection(tx, environment, earlier.protection_version);
    // Of every change: a tier or an owner rule may not have spoken of this one.
    if (protection && asks_for_people(protection->approvals)) return std::min(earlier.version, live->version);
  }
  return 0;
}

std::set<PrincipalId> own_contributors(store::Tx& tx, const ArtifactId& artifact, std::int64_t version,
                                       const EnvironmentId& environment) {
  const auto all = store::savers(tx, artifact, vouched_for(tx, artifact, version, environment));
  return {all.begin(), all.end()};
}

// Whether what is live there by this version had somebody's approval, and was not taken back.
bool looked_at(store::Tx& tx, const ArtifactId& artifact, std::int64_t version,
               const EnvironmentId& environment) {
  const auto release = store::newest_release(tx, artifact, version, environment);
  const bool stands = release && release->protection_met &&
                      (release->end == ReleaseEnd::live || release->end == ReleaseEnd::superseded);
  return stands && !store::retired(tx, artifact, version, environment) &&
         release->gate.find("\"counts\":true") != std::string::npos;
}

bool same_items(const std::vector<ReviewItem>& a, const std::vector<ReviewItem>& b) {
  return std::is_permutation(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.artifact == y.artifact && x.version == y.version && x.digest == y.digest;
  });
}

}  // namespace

std::set<PrincipalId> contributors(store::Tx& tx, const ArtifactId& artifact, std::int64_t version,
                                   const EnvironmentId& environment) {
  auto out = own_contributors(tx, artifact, version, environment);
  const auto lock = store::locks(tx, artifact, version);
  if (lock.empty()) return out;
  const Artifact whole = store::present(store::artifact(tx, artifact), "the artifact of a version");
  for (const store::Locked& each : lock) {
    const auto layer = store::artifact_by_name(tx, whole.project, each.name);
    if (!layer || looked_at(tx, layer->id, each.version, environment)) continue;
    out.merge(own_contributors(tx, layer->id, each.version, environment));
  }
  return out;
}

Status require_intact(const Version& version) {
  if (digest_of_canonical(version.content) == version.digest) return Ok{};
  return altered(version.number);
}

Content content_of(const Version& version) {
  auto content = content_from_canonical(version.content);
  if (!content.ok()) {
    throw store::DataBroken("version " + version.artifact.text + "/" + std::to_string(version.number) +
                            " holds unreadable content");
  }
  return *std::move(content);
}

Status require_intact(const GateFacts& facts) {
  for (const GateItem& item : facts.items) {
    if (!item.intact) return altered(item.version);
  }
  return Ok{};
}

std::set<PrincipalId> contributors(store::Tx& tx, const Review& review) {
  std::set<PrincipalId> out;
  for (const ReviewItem& item : review.items) {
    out.merge(contributors(tx, item.artifact, item.version, review.environment));
  }
  return out;
}

std::string base_digest_of(store::Tx& tx, const std::vector<ReviewItem>& items,
                           const EnvironmentId& environment) {
  std::string lines;
  for (const ReviewItem& item : items) {
    const auto live = store::live_release(tx, item.artifact, environment);
    lines += item.artifact.text + " " + (live ? live->id.text : "-") + "\n";
  }
  return "sha256:" + to_hex(sha256(lines));
}

ProjectPeople people_of(store::Tx& tx, const ProjectId& project) {
  ProjectPeople people;
  for (const store::Member& member : store::members(tx, project)) people.members.push_back(member.membership);
  for (const Team& team : store::teams(tx, project)) people.team_names[team.id] = team.name;
  return people;
}

GateFacts gate_facts(store::Tx& tx, const Environment& environment, const std::vector<ReviewItem>& items,
                     const std::optional<Review>& review, std::string_view ruleset, const GateReading& how) {
  GateFacts facts;
  facts.environment = environment.id;
  facts.now = environment.protection;
  if (review) {
    facts.at_submission = store::present(store::protection(tx, environment.id, review->protection_version),
                                         "the protection of a review");
  }
  facts.at = tx.now();
  const Needs needs(facts);
  const OwnerRules owners = needs.owners ? store::owner_rules(tx, environment.project) : OwnerRules{};
  const ProjectPeople people = how.people != nullptr ? *how.people : people_of(tx, environment.project);
  const GateReading within{how.rehash, &people, how.layers};  // for the answers that this one rests on
  for (const ReviewItem& item : items) {
    facts.items.push_back(gate_item(tx, item, environment, ruleset, needs, owners, within));
  }
  if (!needs.path.empty()) {
    for (auto& [id, name] : store::environment_names(tx, environment.project)) {
      facts.environment_names[id] = std::move(name);
    }
  }
  facts.items_digest = items_digest_of(facts.items);
  facts.base_digest = base_digest_of(tx, items, environment.id);
  facts.members = people.members;
  facts.team_names = people.team_names;
  if (review) {
    facts.review = review->id;
    facts.review_open = stands(*review);
    facts.cycle = review->cycle;
    facts.verdicts = store::verdicts(tx, review->id);
    facts.dismissals = store::dismissals(tx, review->id);
    add_team_times(tx, environment.project, facts);
  }
  return facts;
}

std::optional<Review> review_for_items(store::Tx& tx, const EnvironmentId& environment,
                                       const std::vector<ReviewItem>& items) {
  for (Review& review : store::reviews_of(tx, items.front().artifact, items.front().version)) {
    if (stands(review) && review.environment == environment && same_items(review.items, items))
      return std::move(review);
  }
  return std::nullopt;
}

GateAnswer gate_answer(store::Tx& tx, const Environment& environment, const Version& version,
                       std::string_view ruleset) {
  const std::vector<ReviewItem> items{{version.artifact, version.number, version.digest, {}}};
  return gate(gate_facts(tx, environment, items, review_for_items(tx, environment.id, items), ruleset));
}

}  // namespace imprimatur::registry
