#include "registry/deciding.h"

#include "registry/caller.h"
#include "registry/gating.h"
#include "registry/moving.h"
#include "registry/reading.h"
#include "registry/registry.h"
#include "store/registry_rows.h"

#include <algorithm>
#include <set>

namespace imprimatur::registry {
namespace {

bool holds(const Review& review, const VersionRef& version) {
  return std::any_of(review.items.begin(), review.items.end(), [&](const ReviewItem& item) {
    return item.artifact == version.artifact && item.version == version.number;
  });
}

// What must hold before anybody is asked to look.
Status require_worth_reviewing(store::Tx& tx, const Environment& environment,
                               const std::vector<ReviewItem>& items, std::string_view ruleset,
                               StaleScans stale_scans) {
  GateFacts facts = gate_facts(tx, environment, items, std::nullopt, ruleset);
  if (stale_scans == StaleScans::are_renewed) {
    for (GateItem& item : facts.items) {
      for (CheckResult& check : item.checks) {
        if (check.name != kScanCheck || check.current) continue;
        check = {check.name, CheckStatus::pass, true, {}};
        item.weaknesses.emplace();
      }
    }
  }
  std::vector<std::string> reasons;
  for (const Requirement& requirement : gate(facts).requirements) {
    if (!requirement.met && requirement.stage == Stage::submission) reasons.push_back(requirement.detail);
  }
  if (reasons.empty()) return Ok{};
  return unprocessable("The change cannot be reviewed as it is.", std::move(reasons));
}

// One version is in one standing review of an environment at a time.
Status require_free(store::Tx& tx, const std::vector<ReviewItem>& items, const EnvironmentId& environment,
                    const ReviewId& except) {
  for (const ReviewItem& item : items) {
    const auto other = review_holding(tx, {item.artifact, item.version}, environment);
    if (other && other->id != except) {
      return conflict("The version is already in review " + other->id.text + " for this environment.");
    }
  }
  return Ok{};
}

}  // namespace

bool stands(const Review& review) {
  return review.state == ReviewState::open || review.state == ReviewState::approved;
}

Status require_standing(const Review& review) {
  if (stands(review)) return Ok{};
  return conflict("The review is " + std::string(name_of(review.state)) + "; submit the version again.");
}

std::optional<Review> review_holding(store::Tx& tx, const VersionRef& version,
                                     const EnvironmentId& environment) {
  for (Review& review : store::reviews_of(tx, version.artifact, version.number)) {
    if (review.environment == environment && stands(review) && holds(review, version)) {
      return std::move(review);
    }
  }
  return std::nullopt;
}

Status require_change_set(const std::vector<VersionRef>& wanted) {
  if (wanted.empty() || wanted.size() > kMaxItems) {
    return invalid_field("items", "1 to " + std::to_string(kMaxItems) + " items a review");
  }
  std::set<ArtifactId> seen;
  for (const VersionRef& ref : wanted) {
    if (!seen.insert(ref.artifact).second) {
      return invalid_field("items", "a prompt appears twice; one version of each");
    }
  }
  return Ok{};
}

Result<std::vector<ReviewItem>> items_of(store::Tx& tx, const ProjectId& project,
                                         const EnvironmentId& environment, std::vector<VersionRef> wanted) {
  TRY(require_change_set(wanted));
  std::sort(wanted.begin(), wanted.end(),
            [](const VersionRef& a, const VersionRef& b) { return a.artifact < b.artifact; });
  std::vector<ReviewItem> out;
  for (const VersionRef& ref : wanted) {
    const Version version = TRY(version_or_404(tx, ref.artifact, ref.number));
    if (version.project != project) return not_found("There is no such version, or you may not see it.");
    const auto live = store::live_release(tx, ref.artifact, environment);
    out.push_back({ref.artifact, ref.number, version.digest, live ? live->id : ReleaseId{}});
  }
  return out;
}

std::vector<VersionRef> not_currently_scanned(store::Tx& tx, const std::vector<VersionRef>& versions,
                                              std::string_view ruleset) {
  std::vector<VersionRef> out;
  for (const VersionRef& ref : versions) {
    const auto version = store::version_bare(tx, ref.artifact, ref.number);
    if (!version) continue;
    if (!scan_check(store::latest_scan_result(tx, ref.artifact, ref.number), *version, ruleset).current) {
      out.push_back(ref);
    }
  }
  return out;
}

Status require_submittable(store::Tx& tx, const Environment& environment,
                           const std::vector<ReviewItem>& items, std::string_view ruleset,
                           StaleScans stale_scans) {
  if (environment.protection.asks_for_nothing()) {
    return unprocessable("The environment asks for nothing, so there is nothing to review.",
                         {environment.name + " has no requirements; deploy the version there directly"});
  }
  TRY(require_free(tx, items, environment.id, {}));
  const StateChange change(tx, environment);
  for (const ReviewItem& item : items) TRY(change.require(item.artifact, item.version, Action::submit));
  return require_worth_reviewing(tx, environment, items, ruleset, stale_scans);
}

Result<std::vector<ReviewItem>> updated_items(store::Tx& tx, const Review& review,
                                              const Environment& environment,
                                              const std::vector<VersionRef>& versions,
                                              std::string_view ruleset, StaleScans stale_scans) {
  std::vector<ReviewItem> next = TRY(items_of(tx, review.project, environment.id, versions));
  const Error foreign =
      invalid_field("items", "an update moves the review's own prompts to newer versions, no others");
  if (next.size() != review.items.size()) return foreign;
  const StateChange change(tx, environment);
  bool newer = false;
  for (std::size_t i = 0; i < next.size(); ++i) {
    const ReviewItem &before = review.items[i], &after = next[i];
    if (before.artifact != after.artifact || after.version < before.version) return foreign;
    newer = newer || after.version > before.version || after.base != before.base;
    TRY(change.require(before.artifact, before.version, Action::withdraw));
    if (after.version > before.version) {
      TRY(change.require(after.artifact, after.version, Action::submit));
    }
  }
  if (!newer) {
    return conflict("There is no newer version to move to, and nothing else went live meanwhile.");
  }
  TRY(require_free(tx, next, environment.id, review.id));
  TRY(require_worth_reviewing(tx, environment, next, ruleset, stale_scans));
  return next;
}

Error already_live() { return conflict("This version is live there already."); }

Status require_deployable(store::Tx& tx, const Environment& environment, const ReviewItem& item,
                          const std::optional<Review>& review) {
  const auto live = store::live_release(tx, item.artifact, environment.id);
  if (live && live->version == item.version) return already_live();
  if (store::retired(tx, item.artifact, item.version, environment.id)) {
    return unprocessable("The version was retired there.",
                         {"retired text comes back only as a new version with its own review"});
  }
  // Its other versions would be left in a review that can neither be deployed nor ended.
  const auto other = review_holding(tx, {item.artifact, item.version}, environment.id);
  if (other && (!review || other->id != review->id)) {
    return conflict("The version is in review " + other->id.text +
                    " with others; deploy that review, or withdraw it first.");
  }
  return Ok{};
}

Result<Release> roll_back_target(store::Tx& tx, const Release& live, std::optional<std::int64_t> to) {
  ReleaseId at = live.previous;
  std::set<ReleaseId> seen;
  while (!at.empty()) {
    if (!seen.insert(at).second) throw store::DataBroken("releases that lead back to each other");
    Release candidate = store::present(store::release(tx, at), "the release before another");
    const bool fits = candidate.protection_met && candidate.version != live.version &&
                      !store::retired(tx, candidate.artifact, candidate.version, candidate.environment);
    if (fits && (!to || candidate.version == *to)) return candidate;
    at = candidate.previous;
  }
  Error nothing = conflict("There is nothing to roll back to.");
  nothing.reasons = {to ? "version " + std::to_string(*to) +
                              " was not live there before the present one with its protection met"
                        : "no earlier version was live there with its protection met"};
  return nothing;
}

Status require_retirable(store::Tx& tx, const Environment& environment, const Version& version) {
  if (store::retired(tx, version.artifact, version.number, environment.id)) {
    return conflict("The version is retired there already.");
  }
  const auto review = review_holding(tx, {version.artifact, version.number}, environment.id);
  if (review && review->items.size() > 1) {
    return conflict("The version is in review " + review->id.text +
                    " with others; withdraw that review, or move it to a newer version, first.");
  }
  const auto live = store::live_release(tx, version.artifact, environment.id);
  if (live && live->version == version.number) return Ok{};
  const StateChange change(tx, environment);
  if (change.require(version.artifact, version.number, Action::retire).ok()) return Ok{};
  return conflict("A version that is " + std::string(name_of(version.state)) +
                  " cannot be retired: it was never approved or live there.");
}

}  // namespace imprimatur::registry
