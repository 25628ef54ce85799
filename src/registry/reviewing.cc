// Submitting, verdicts, withdrawing, moving a review to newer versions, commenting.
#include "journal/commitment.h"
#include "registry/caller.h"
#include "registry/drafting.h"
#include "registry/events.h"
#include "registry/gating.h"
#include "registry/moving.h"
#include "registry/reading.h"
#include "registry/registry.h"
#include "registry/writing.h"
#include "store/registry_rows.h"

#include <algorithm>
#include <set>

namespace imprimatur::registry {
namespace {

std::string outcome_of(const ReviewId& review) { return "review:" + review.text; }

ReviewId review_from(std::string_view outcome) {
  return {std::string(outcome.substr(std::string_view("review:").size()))};
}

bool stands(const Review& review) {
  return review.state == ReviewState::open || review.state == ReviewState::approved;
}

Status require_standing(const Review& review) {
  if (stands(review)) return Ok{};
  return conflict("The review is " + std::string(name_of(review.state)) + "; submit the version again.");
}

// Asked before anything is read: a request may name as many as fit into its body.
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

// The items in the one order that digests are made over, with what is live now as their base.
Result<std::vector<ReviewItem>> items_of(store::Tx& tx, const ProjectId& project,
                                         const EnvironmentId& environment, std::vector<VersionRef> wanted) {
  if (wanted.empty() || wanted.size() > kMaxItems) {
    return invalid_field("items", "1 to " + std::to_string(kMaxItems) + " items a review");
  }
  std::sort(wanted.begin(), wanted.end(),
            [](const VersionRef& a, const VersionRef& b) { return a.artifact < b.artifact; });
  std::vector<ReviewItem> out;
  for (const VersionRef& ref : wanted) {
    if (!out.empty() && out.back().artifact == ref.artifact) {
      return invalid_field("items", "a prompt appears twice; one version of each");
    }
    const Version version = TRY(version_or_404(tx, ref.artifact, ref.number));
    if (version.project != project) return not_found("There is no such version, or you may not see it.");
    const auto live = store::live_release(tx, ref.artifact, environment);
    out.push_back({ref.artifact, ref.number, version.digest, live ? live->id : ReleaseId{}});
  }
  return out;
}

// Those whose latest scan is not of this content and these packs.
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

// What must hold before anybody is asked to look: the checks and the model rule. Approvals come later.
Status require_worth_reviewing(const GateAnswer& answer) {
  std::vector<std::string> reasons;
  for (const Requirement& requirement : answer.requirements) {
    if (!requirement.met && requirement.kind != "approvals") reasons.push_back(requirement.detail);
  }
  if (reasons.empty()) return Ok{};
  return unprocessable("The change cannot be reviewed as it is.", std::move(reasons));
}

// One version is in one standing review of an environment at a time.
Status require_free(store::Tx& tx, const std::vector<ReviewItem>& items, const EnvironmentId& environment,
                    const ReviewId& except) {
  for (const ReviewItem& item : items) {
    for (const Review& other : store::reviews_of(tx, item.artifact, item.version)) {
      const bool holds = std::any_of(other.items.begin(), other.items.end(), [&](const ReviewItem& held) {
        return held.artifact == item.artifact && held.version == item.version;
      });
      if (holds && other.id != except && other.environment == environment && stands(other)) {
        return conflict("The version is already in review " + other.id.text + " for this environment.");
      }
    }
  }
  return Ok{};
}

// Brings the review's state in line with the gate answer and says so in the journal.
Status settle(store::Tx& tx, const Caller& caller, Review& review, const Environment& environment,
              std::string_view ruleset) {
  const GateAnswer answer = gate(gate_facts(tx, environment, review.items, review, ruleset));
  StateChange change(tx, environment);
  if (answer.met && review.state == ReviewState::open) {
    for (const ReviewItem& item : review.items)
      TRY(change.move(item.artifact, item.version, Action::approve));
    review.state = ReviewState::approved;
    tx.append(review.project.text,
              review_approved_event(caller.actor(), review, environment.protection.version, change.moves()));
  } else if (!answer.met && review.state == ReviewState::approved) {
    for (const ReviewItem& item : review.items) {
      TRY(change.move(item.artifact, item.version, Action::request_changes));
    }
    review.state = ReviewState::open;
    tx.append(review.project.text, review_reopened_event(caller.actor(), review, change.moves()));
  }
  review.changed_at = tx.now();
  store::put_review(tx, review);
  return Ok{};
}

Result<Review> begin_review(store::Tx& tx, const Caller& caller, const Environment& environment,
                            const std::vector<VersionRef>& wanted, std::string comment,
                            std::string_view ruleset) {
  Review review;
  review.id = {fresh_id("rev", tx.now())};
  review.project = caller.project().id;
  review.environment = environment.id;
  review.items = TRY(items_of(tx, review.project, environment.id, wanted));
  review.protection_version = environment.protection.version;
  review.submitted_by = caller.author();
  review.comment = std::move(comment);
  review.created_at = review.changed_at = tx.now();
  review.salt = journal::new_salt();
  TRY(require_free(tx, review.items, environment.id, review.id));
  TRY(require_worth_reviewing(gate(gate_facts(tx, environment, review.items, std::nullopt, ruleset))));
  StateChange change(tx, environment);
  for (const ReviewItem& item : review.items) TRY(change.move(item.artifact, item.version, Action::submit));
  store::insert_review(tx, review);
  tx.append(review.project.text, review_submitted_event(caller.actor(), review, change.moves()));
  TRY(settle(tx, caller, review, environment, ruleset));
  return review;
}

Status require_no_contributor(store::Tx& tx, const Review& review, const PrincipalId& person) {
  for (const ReviewItem& item : review.items) {
    if (contributors(tx, item.artifact, item.version, review.environment).contains(person)) {
      return forbidden(
          "You contributed to this change, so somebody else has to approve it.",
          {"whoever saved, imported or owns the key that saved any version since the one live in the "
           "environment is a contributor, and contributors never approve"});
    }
  }
  return Ok{};
}

// The digest that a reviewer says they looked at: an item's, or the whole change set's.
Status require_digest(const Review& review, const std::string& items_digest, std::string_view stated) {
  if (stated.empty() || stated == items_digest) return Ok{};
  for (const ReviewItem& item : review.items) {
    if (stated == item.digest) return Ok{};
  }
  return conflict("The review holds another version than the one you looked at; read it again.");
}

Status require_digest(store::Tx& tx, const ReviewScene& scene, std::string_view stated,
                      std::string_view ruleset) {
  const Review& review = scene.review;
  const GateFacts facts = gate_facts(tx, scene.environment, review.items, review, ruleset);
  return require_digest(review, facts.items_digest, stated);
}

Action action_of(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::approve: return Action::approve;
    case VerdictKind::request_changes: return Action::request_changes;
    case VerdictKind::reject: return Action::reject;
  }
  CHECK(false, "unknown verdict");
}

Status close(store::Tx& tx, const Caller& caller, Review& review, const Environment& environment,
             Action action) {
  StateChange change(tx, environment);
  for (const ReviewItem& item : review.items) TRY(change.move(item.artifact, item.version, action));
  const bool rejected = action == Action::reject;
  review.state = rejected ? ReviewState::rejected : ReviewState::withdrawn;
  review.changed_at = tx.now();
  store::put_review(tx, review);
  tx.append(review.project.text, rejected ? review_rejected_event(caller.actor(), review, change.moves())
                                          : review_withdrawn_event(caller.actor(), review, change.moves()));
  return Ok{};
}

std::string write_comment(store::Tx& tx, const Caller& caller, const Review& review,
                          const std::string& text) {
  const Comment comment{.id = fresh_id("com", tx.now()),
                        .review = review.id,
                        .cycle = review.cycle,
                        .by = caller.author(),
                        .text = text,
                        .at = tx.now(),
                        .salt = journal::new_salt()};
  store::insert_comment(tx, comment);
  tx.append(review.project.text, review_commented_event(caller.actor(), comment));
  return comment.id;
}

}  // namespace

Result<ReviewId> Registry::submit(const Command& command, std::string_view project,
                                  std::string_view environment, const std::vector<VersionRef>& items,
                                  std::string comment) {
  comment = TRY(checked_message("comment", std::move(comment), kMaxCommentBytes));
  struct Stale {
    ProjectId project;
    std::vector<VersionRef> versions;
  };
  TRY(require_change_set(items));
  const Stale stale = TRY(store_.read([&](store::Tx& tx) -> Result<Stale> {
    const Caller caller = TRY(Caller::in_named(tx, command.principal, project));
    TRY(caller.require(Permission::submit));
    return Stale{caller.project().id, not_currently_scanned(tx, items, ruleset())};
  }));
  for (const VersionRef& ref : stale.versions) TRY(scan({command.principal, "", ""}, ref));
  return store_.write({stale.project.text}, [&](store::Tx& tx) -> Result<ReviewId> {
    const Caller caller = TRY(Caller::in(tx, command.principal, stale.project));
    TRY(caller.require(Permission::submit));
    if (const auto seen = TRY(store::replayed(tx, command))) return review_from(*seen);
    const Environment target = TRY(environment_or_404(tx, stale.project, environment));
    TRY(caller.require_environment(target));
    if (target.protection.asks_for_nothing()) {
      return unprocessable("The environment asks for nothing, so there is nothing to review.",
                           {target.name + " has no requirements; deploy the version there directly"});
    }
    const Review review = TRY(begin_review(tx, caller, target, items, comment, ruleset()));
    store::remember(tx, command, outcome_of(review.id));
    return review.id;
  });
}

Result<ReviewId> Registry::give_verdict(const Command& command, const ReviewId& id, VerdictKind kind,
                                        std::string comment, std::string_view digest) {
  comment = TRY(checked_message("comment", std::move(comment), kMaxCommentBytes));
  const ProjectId project = TRY(store_.read([&](store::Tx& tx) -> Result<ProjectId> {
    return TRY(review_for(tx, command.principal, id)).caller.project().id;
  }));
  return store_.write({project.text}, [&](store::Tx& tx) -> Result<ReviewId> {
    ReviewScene scene = TRY(review_for(tx, command.principal, id));
    Review& review = scene.review;
    TRY(scene.caller.require(Permission::give_verdict));
    if (kind == VerdictKind::approve) {
      TRY(require_no_contributor(tx, review, command.principal.id));
    }
    if (const auto seen = TRY(store::replayed(tx, command))) return review_from(*seen);
    TRY(require_standing(review));
    const GateFacts facts = gate_facts(tx, scene.environment, review.items, review, ruleset());
    if (kind == VerdictKind::approve) TRY(require_intact(facts));
    TRY(require_digest(review, facts.items_digest, digest));
    const Verdict verdict{.review = id,
                          .cycle = review.cycle,
                          .by = command.principal.id,
                          .kind = kind,
                          .environment = review.environment,
                          .items_digest = facts.items_digest,
                          .base_digest = facts.base_digest,
                          .protection_version = scene.environment.protection.version,
                          .comment = comment,
                          .at = tx.now(),
                          .salt = journal::new_salt()};
    store::insert_verdict(tx, verdict);
    tx.append(project.text, verdict_given_event(scene.caller.actor(), verdict));
    if (kind == VerdictKind::reject) {
      TRY(close(tx, scene.caller, review, scene.environment, action_of(kind)));
    } else {
      TRY(settle(tx, scene.caller, review, scene.environment, ruleset()));
    }
    store::remember(tx, command, outcome_of(id));
    return id;
  });
}

Result<ReviewId> Registry::withdraw(const Command& command, const ReviewId& id, std::string comment,
                                    std::string_view digest) {
  comment = TRY(checked_message("comment", std::move(comment), kMaxCommentBytes));
  const ProjectId project = TRY(store_.read([&](store::Tx& tx) -> Result<ProjectId> {
    return TRY(review_for(tx, command.principal, id)).caller.project().id;
  }));
  return store_.write({project.text}, [&](store::Tx& tx) -> Result<ReviewId> {
    ReviewScene scene = TRY(review_for(tx, command.principal, id));
    TRY(scene.caller.require(Permission::submit));
    if (const auto seen = TRY(store::replayed(tx, command))) return review_from(*seen);
    TRY(require_standing(scene.review));
    TRY(require_digest(tx, scene, digest, ruleset()));
    if (!comment.empty()) write_comment(tx, scene.caller, scene.review, comment);
    TRY(close(tx, scene.caller, scene.review, scene.environment, Action::withdraw));
    store::remember(tx, command, outcome_of(id));
    return id;
  });
}

Result<ReviewId> Registry::update(const Command& command, const ReviewId& id,
                                  const std::vector<VersionRef>& wanted, std::string comment,
                                  std::string_view digest) {
  comment = TRY(checked_message("comment", std::move(comment), kMaxCommentBytes));
  struct Plan {
    ProjectId project;
    std::vector<VersionRef> versions;
    std::vector<VersionRef> stale;
  };
  if (!wanted.empty()) TRY(require_change_set(wanted));
  const Plan plan = TRY(store_.read([&](store::Tx& tx) -> Result<Plan> {
    const ReviewScene scene = TRY(review_for(tx, command.principal, id));
    TRY(scene.caller.require(Permission::submit));
    Plan out{scene.caller.project().id, wanted, {}};
    for (const ReviewItem& item : scene.review.items) {
      const auto named = std::any_of(wanted.begin(), wanted.end(),
                                     [&](const VersionRef& ref) { return ref.artifact == item.artifact; });
      if (!named) {
        const auto artifact = store::artifact(tx, item.artifact);
        out.versions.push_back({item.artifact, wanted.empty() ? artifact->latest_version : item.version});
      }
    }
    out.stale = not_currently_scanned(tx, out.versions, ruleset());
    return out;
  }));
  for (const VersionRef& ref : plan.stale) TRY(scan({command.principal, "", ""}, ref));
  return store_.write({plan.project.text}, [&](store::Tx& tx) -> Result<ReviewId> {
    ReviewScene scene = TRY(review_for(tx, command.principal, id));
    Review& review = scene.review;
    TRY(scene.caller.require(Permission::submit));
    if (const auto seen = TRY(store::replayed(tx, command))) return review_from(*seen);
    TRY(require_standing(review));
    TRY(require_digest(tx, scene, digest, ruleset()));
    const std::vector<ReviewItem> next = TRY(items_of(tx, plan.project, scene.environment.id, plan.versions));
    if (next.size() != review.items.size()) {
      return invalid_field("items", "an update moves the review's own prompts to newer versions, no others");
    }
    StateChange change(tx, scene.environment);
    bool newer = false;
    for (std::size_t i = 0; i < next.size(); ++i) {
      const ReviewItem &before = review.items[i], &after = next[i];
      if (before.artifact != after.artifact || after.version < before.version) {
        return invalid_field("items",
                             "an update moves the review's own prompts to newer versions, no others");
      }
      newer = newer || after.version > before.version || after.base != before.base;
      TRY(change.move(before.artifact, before.version, Action::withdraw));
      TRY(change.move(after.artifact, after.version, Action::submit));
    }
    if (!newer)
      return conflict("There is no newer version to move to, and nothing else went live meanwhile.");
    TRY(require_free(tx, next, scene.environment.id, id));
    TRY(require_worth_reviewing(gate(gate_facts(tx, scene.environment, next, std::nullopt, ruleset()))));
    review.items = next;
    review.cycle += 1;
    review.state = ReviewState::open;
    review.protection_version = scene.environment.protection.version;
    review.changed_at = tx.now();
    store::put_review(tx, review);
    tx.append(plan.project.text, review_moved_event(scene.caller.actor(), review, change.moves()));
    if (!comment.empty()) write_comment(tx, scene.caller, review, comment);
    TRY(settle(tx, scene.caller, review, scene.environment, ruleset()));
    store::remember(tx, command, outcome_of(id));
    return id;
  });
}

Result<std::string> Registry::comment(const Command& command, const ReviewId& id, std::string text,
                                      std::string_view digest) {
  text = TRY(checked_message("comment", std::move(text), kMaxCommentBytes));
  if (text.empty()) return invalid_field("comment", "write something");
  const ProjectId project = TRY(store_.read([&](store::Tx& tx) -> Result<ProjectId> {
    return TRY(review_for(tx, command.principal, id)).caller.project().id;
  }));
  return store_.write({project.text}, [&](store::Tx& tx) -> Result<std::string> {
    const ReviewScene scene = TRY(review_for(tx, command.principal, id));
    TRY(scene.caller.require(Permission::comment));
    if (const auto seen = TRY(store::replayed(tx, command))) return *seen;
    TRY(require_digest(tx, scene, digest, ruleset()));
    const std::string made = write_comment(tx, scene.caller, scene.review, text);
    store::remember(tx, command, made);
    return made;
  });
}

}  // namespace imprimatur::registry
