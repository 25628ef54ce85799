// Putting versions into an environment, back, and out of it.
#include "journal/commitment.h"
#include "registry/caller.h"
#include "registry/concluding.h"
#include "registry/deciding.h"
#include "registry/drafting.h"
#include "registry/events.h"
#include "registry/gating.h"
#include "registry/moving.h"
#include "registry/outcome.h"
#include "registry/proposing.h"
#include "registry/registry.h"
#include "registry/writing.h"
#include "store/registry_rows.h"

#include <algorithm>

namespace imprimatur::registry {
namespace {

constexpr std::string_view kArchived =
    "The version is archived: what was live comes back by a rollback, any text as a new version.";

Error lost_race(const std::optional<Release>& live) {
  return conflict(live ? "Release " + live->id.text + " (version " + std::to_string(live->version) +
                             ") is live there now; look at it and decide again."
                       : "Nothing is live there now; look again and decide.");
}

// Serialisation by what is live: whoever expected something else has lost to whoever came first.
Status require_expected(const std::optional<Release>& live, const Expected& expected) {
  if (!expected.release) return Ok{};
  return *expected.release == (live ? live->id : ReleaseId{}) ? Status(Ok{}) : Status(lost_race(live));
}

// Everything that a deploy of a change set decides and writes, inside one command.
class Deploy {
 public:
  Deploy(store::Tx& tx, const Caller& caller, const Environment& environment, std::string_view ruleset)
      : tx_(tx), caller_(caller), environment_(environment), ruleset_(ruleset) {}

  // Invariant 1: the gate is asked at the moment of the deploy, about exactly these items. `pass_freeze`: the
  // reason for which a person passes a freeze; kept with the release where one was passed.
  Status require_gate(const std::vector<ReviewItem>& items, const std::optional<Review>& review,
                      const std::string& pass_freeze) {
    GateFacts facts = gate_facts(tx_, environment_, items, review, ruleset_);
    answer_ = gate(facts);
    if (!answer_.met && !pass_freeze.empty() && caller_.principal().interactive()) {
      facts.freeze_override = caller_.principal().id;
      answer_ = gate(facts);
      reason_ = pass_freeze;
    }
    if (answer_.met) return Ok{};
    return unprocessable("The environment's protection is not met.", answer_.reasons());
  }

  Result<ReleaseId> put_live(const ReviewItem& item, const std::optional<Review>& review,
                             const std::string& change_set, const Expected& expected) {
    const auto live = store::live_release(tx_, item.artifact, environment_.id);
    TRY(require_expected(live, expected));
    TRY(require_deployable(tx_, environment_, item, review));
    StateChange change(tx_, environment_);
    if (change.last()) TRY(move_states(change, item, live));
    Release release;
    release.id = {fresh_id("rel", tx_.now())};
    release.project = caller_.project().id;
    release.environment = environment_.id;
    release.artifact = item.artifact;
    release.version = item.version;
    release.digest = item.digest;
    release.kind = ReleaseKind::deploy;
    release.change_set = change_set;
    if (review) release.review = review->id;
    if (live) release.replaced = release.previous = live->id;
    release.protection_version = environment_.protection.version;
    release.gate = canonical_gate(answer_);
    release.reason = reason_;
    release.by = caller_.author();
    release.at = tx_.now();
    release.salt = journal::new_salt();
    if (live) store::end_release(tx_, live->id, ReleaseEnd::superseded, tx_.now());
    store::insert_release(tx_, release);
    tx_.append(release.project.text, release_created_event(caller_.actor(), release, change.moves()));
    return release.id;
  }

 private:
  // Where the last environment asks for nothing, a draft goes live and stays what it is.
  Status move_states(StateChange& change, const ReviewItem& item, const std::optional<Release>& live) {
    const Version version = TRY(version_or_404(tx_, item.artifact, item.version));
    const bool open = environment_.protection.asks_for_nothing();
    if (!open || version.state == State::approved)
      TRY(change.move(item.artifact, item.version, Action::deploy));
    if (!live) return Ok{};
    const Version before = TRY(version_or_404(tx_, item.artifact, live->version));
    if (before.state == State::deployed) TRY(change.move(item.artifact, live->version, Action::supersede));
    return Ok{};
  }

  store::Tx& tx_;
  const Caller& caller_;
  const Environment& environment_;
  std::string_view ruleset_;
  GateAnswer answer_;
  std::string reason_;
};

Permission deploy_permission(const Environment& environment) {
  return environment.protection.asks_for_nothing() ? Permission::deploy_open : Permission::deploy;
}

std::vector<VersionRef> versions_in(const std::vector<ReviewItem>& items) {
  std::vector<VersionRef> out;
  for (const ReviewItem& item : items) out.push_back({item.artifact, item.version});
  return out;
}

// What a deploy is about to propose, so that its scans are made before the command. Nothing for who may not
// deploy.
struct Ahead {
  ProjectId project;
  std::vector<Proposal> proposals;
};

Ahead ahead_of(store::Tx& tx, const Caller& caller, const std::optional<Environment>& target,
               const std::vector<VersionRef>& versions) {
  Ahead out{caller.project().id, {}};
  if (!target || !caller.may(deploy_permission(*target)) || !caller.reaches(target->id)) return out;
  if (last_environment(tx, out.project).id == target->id)
    out.proposals = proposals(tx, out.project, versions, *target);
  return out;
}

// Each artifact that a deploy expects something of is one that it deploys.
Status require_expected(store::Tx& tx, const Review& review,
                        const std::vector<std::pair<ArtifactId, ReleaseId>>& expected) {
  for (const auto& [artifact, release] : expected) {
    const bool held =
        std::any_of(review.items.begin(), review.items.end(),
                    [&, &artifact = artifact](const ReviewItem& item) { return item.artifact == artifact; });
    if (!held) {
      return invalid_field("expectedReleases." + artifact.text, "is no prompt of this change set");
    }
    TRY(require_expected(store::live_release(tx, artifact, review.environment), {release}));
  }
  return Ok{};
}

}  // namespace

Result<std::vector<ReleaseId>> Registry::deploy_review(
    const Command& command, const ReviewId& id, const std::vector<std::pair<ArtifactId, ReleaseId>>& expected,
    std::string pass_freeze) {
  pass_freeze = TRY(checked_message("passFreeze.reason", std::move(pass_freeze)));
  const Ahead ahead = TRY(store_.read([&](store::Tx& tx) -> Result<Ahead> {
    const ReviewScene scene = TRY(review_for(tx, command.principal, id));
    return ahead_of(tx, scene.caller, scene.environment, versions_in(scene.review.items));
  }));
  const ScansAhead scans = scanned_ahead(ahead.proposals, rules_);
  return store_.write({ahead.project.text}, [&](store::Tx& tx) -> Result<std::vector<ReleaseId>> {
    ReviewScene scene = TRY(review_for(tx, command.principal, id));
    Review& review = scene.review;
    TRY(scene.caller.require(deploy_permission(scene.environment)));
    if (const auto seen = TRY(store::replayed(tx, command))) return releases_from(*seen);
    if (!stands(review)) {
      return conflict("The review is " + std::string(name_of(review.state)) +
                      "; there is nothing to deploy.");
    }
    Deploy deploy(tx, scene.caller, scene.environment, ruleset());
    TRY(require_expected(tx, review, expected));
    TRY(deploy.require_gate(review.items, review, pass_freeze));
    // The yes may have come without a verdict: a scan that was renewed.
    TRY(settle(tx, scene.caller, review, scene.environment, ruleset()));
    const std::string change_set = fresh_id("chs", tx.now());
    std::vector<ReleaseId> out;
    for (const ReviewItem& item : review.items) {
      out.push_back(TRY(deploy.put_live(item, review, change_set, {})));
    }
    close_deployed(tx, scene.caller, review, change_set);
    propose(tx, scene.caller, versions_in(review.items), scene.environment, scans, rules_);
    store::remember(tx, command, outcome_of(out));
    return out;
  });
}

Result<ReleaseId> Registry::deploy(const Command& command, const VersionRef& place,
                                   std::string_view environment, const Expected& expected,
                                   std::string pass_freeze) {
  pass_freeze = TRY(checked_message("passFreeze.reason", std::move(pass_freeze)));
  const Ahead ahead = TRY(store_.read([&](store::Tx& tx) -> Result<Ahead> {
    const ArtifactScene scene = TRY(artifact_for(tx, command.principal, place.artifact));
    const bool there = store::version_bare(tx, place.artifact, place.number).has_value();
    const auto target = store::environment_by_name(tx, scene.artifact.project, environment);
    return ahead_of(tx, scene.caller, target, there ? std::vector{place} : std::vector<VersionRef>());
  }));
  const ProjectId& project = ahead.project;
  const ScansAhead scans = scanned_ahead(ahead.proposals, rules_);
  return store_.write({project.text}, [&](store::Tx& tx) -> Result<ReleaseId> {
    const ArtifactScene scene = TRY(artifact_for(tx, command.principal, place.artifact));
    const Environment target = TRY(environment_or_404(tx, project, environment));
    TRY(scene.caller.require(deploy_permission(target)));
    TRY(scene.caller.require_environment(target));
    if (const auto seen = TRY(store::replayed(tx, command))) return releases_from(*seen).front();
    const Version version = TRY(version_or_404(tx, place.artifact, place.number));
    const std::vector<ReviewItem> items{{place.artifact, place.number, version.digest, {}}};
    const auto live = store::live_release(tx, place.artifact, target.id);
    TRY(require_expected(live, expected));
    // Said before the gate, whose answer would send people to ask for approvals.
    if (live && live->version == place.number) return already_live();
    auto review = review_for_items(tx, target.id, items);
    Deploy deploy(tx, scene.caller, target, ruleset());
    if (Status met = deploy.require_gate(items, review, pass_freeze); !met.ok()) {
      Error error = std::move(met).error();
      // Approvals are not to be had for it.
      if (version.state == State::archived) error.detail = std::string(kArchived);
      return error;
    }
    if (review) TRY(settle(tx, scene.caller, *review, target, ruleset()));
    const std::string change_set = fresh_id("chs", tx.now());
    const ReleaseId made = TRY(deploy.put_live(items.front(), review, change_set, expected));
    if (review) close_deployed(tx, scene.caller, *review, change_set);
    propose(tx, scene.caller, {place}, target, scans, rules_);
    store::remember(tx, command, outcome_of(std::vector{made}));
    return made;
  });
}

Result<ReleaseId> Registry::roll_back(const Command& command, const ArtifactId& id,
                                      std::string_view environment, std::optional<std::int64_t> to,
                                      const Expected& expected, std::string reason) {
  reason = TRY(checked_message("reason", std::move(reason)));
  const ProjectId project = TRY(store_.read([&](store::Tx& tx) -> Result<ProjectId> {
    return TRY(artifact_for(tx, command.principal, id)).artifact.project;
  }));
  return store_.write({project.text}, [&](store::Tx& tx) -> Result<ReleaseId> {
    const ArtifactScene scene = TRY(artifact_for(tx, command.principal, id));
    TRY(scene.caller.require(Permission::roll_back));
    const Environment target = TRY(environment_or_404(tx, project, environment));
    TRY(scene.caller.require_environment(target));
    if (const auto seen = TRY(store::replayed(tx, command))) return releases_from(*seen).front();
    const auto live = store::live_release(tx, id, target.id);
    TRY(require_expected(live, expected));
    if (!live) return conflict("Nothing is live there, so there is nothing to roll back.");
    const Release back = TRY(roll_back_target(tx, *live, to));
    StateChange change(tx, target);
    if (change.last()) {
      const Version leaving = TRY(version_or_404(tx, id, live->version));
      if (leaving.state == State::deployed) TRY(change.move(id, live->version, Action::roll_back));
      const Version returning = TRY(version_or_404(tx, id, back.version));
      if (returning.state == State::archived) TRY(change.move(id, back.version, Action::reinstate));
    }
    Release release = back;
    release.id = {fresh_id("rel", tx.now())};
    release.kind = ReleaseKind::roll_back;
    release.change_set = fresh_id("chs", tx.now());
    release.replaced = live->id;
    release.previous = back.previous;
    release.reason = reason;
    release.by = scene.caller.author();
    release.at = tx.now();
    release.end = ReleaseEnd::live;
    release.ended_at = {};
    release.salt = journal::new_salt();
    store::end_release(tx, live->id, ReleaseEnd::rolled_back, tx.now());
    store::insert_release(tx, release);
    tx.append(project.text,
              release_rolled_back_event(scene.caller.actor(), release, back.id, change.moves()));
    store::remember(tx, command, outcome_of(std::vector{release.id}));
    return release.id;
  });
}

Status Registry::retire(const Command& command, const VersionRef& place, std::string_view environment,
                        std::string reason) {
  reason = TRY(checked_message("reason", std::move(reason)));
  const ProjectId project = TRY(store_.read([&](store::Tx& tx) -> Result<ProjectId> {
    return TRY(artifact_for(tx, command.principal, place.artifact)).artifact.project;
  }));
  return store_.write({project.text}, [&](store::Tx& tx) -> Status {
    const ArtifactScene scene = TRY(artifact_for(tx, command.principal, place.artifact));
    TRY(scene.caller.require(Permission::retire));
    const Environment target = TRY(environment_or_404(tx, project, environment));
    TRY(scene.caller.require_environment(target));
    if (TRY(store::replayed(tx, command))) return Ok{};
    const Version version = TRY(version_or_404(tx, place.artifact, place.number));
    TRY(require_retirable(tx, target, version));
    const auto live = store::live_release(tx, place.artifact, target.id);
    const bool ends = live && live->version == place.number;
    StateChange change(tx, target);
    if (change.require(place.artifact, place.number, Action::retire).ok()) {
      TRY(change.move(place.artifact, place.number, Action::retire));
    }
    if (ends) store::end_release(tx, live->id, ReleaseEnd::retired, tx.now());
    store::insert_retirement(tx, project, place.artifact, place.number, target.id, tx.now());
    const store::RetirementReason why{place, target.id, reason, journal::new_salt()};
    store::insert_retirement_reason(tx, project, why);
    tx.append(project.text, version_retired_event(scene.caller.actor(), version, why,
                                                  ends ? live->id : ReleaseId{}, change.moves()));
    if (auto review = review_holding(tx, place, target.id)) {
      TRY(close(tx, scene.caller, *review, target, Action::withdraw));
    }
    store::remember(tx, command, outcome_of(place));
    return Ok{};
  });
}

}  // namespace imprimatur::registry
