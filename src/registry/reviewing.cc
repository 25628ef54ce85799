// Submitting, verdicts, withdrawing, moving a review to newer versions, commenting.
#include "base/json.h"
#include "journal/commitment.h"
#include "registry/caller.h"
#include "registry/concluding.h"
#include "registry/deciding.h"
#include "registry/drafting.h"
#include "registry/events.h"
#include "registry/gating.h"
#include "registry/moving.h"
#include "registry/outcome.h"
#include "registry/registry.h"
#include "registry/writing.h"
#include "store/registry_rows.h"

#include <algorithm>

#include <boost/json.hpp>

namespace imprimatur::registry {
namespace {

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
  TRY(require_submittable(tx, environment, review.items, ruleset, StaleScans::count));
  StateChange change(tx, environment);
  for (const ReviewItem& item : review.items) TRY(change.move(item.artifact, item.version, Action::submit));
  store::insert_review(tx, review);
  tx.append(review.project.text, review_submitted_event(caller.actor(), review, change.moves()));
  TRY(settle(tx, caller, review, environment, ruleset));
  return review;
}

Status require_no_contributor(store::Tx& tx, const Review& review, const PrincipalId& person) {
  if (!contributors(tx, review).contains(person)) return Ok{};
  return forbidden(
      "You contributed to this change, so somebody else has to judge it.",
      {"whoever saved, imported or owns the key that saved any version since the one live in the "
       "environment is a contributor, and contributors give no verdicts",
       "to stop the change, withdraw the review"});
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
  if (stated.empty()) return Ok{};
  const Review& review = scene.review;
  const GateFacts facts = gate_facts(tx, scene.environment, review.items, review, ruleset, {.rehash = false});
  return require_digest(review, facts.items_digest, stated);
}

std::string canonical_answers(const std::map<std::string, Answer>& answers) {
  boost::json::object out;
  for (const auto& [question, answer] : answers) {
    out[question] = boost::json::object{{"answer", name_of(answer.word)}, {"note", answer.note}};
  }
  return canonical_json(out).value();
}

// An approval answers every question of the checklist that the gate will ask for, and none with no.
Status require_answers(const std::vector<Question>& checklist, const WantedVerdict& wanted) {
  for (const auto& [id, answer] : wanted.answers) {
    const bool asked = std::any_of(checklist.begin(), checklist.end(),
                                   [&, &id = id](const Question& question) { return question.id == id; });
    if (!asked) return invalid_field("checklist." + id, "is no question of the checklist");
    TRY(checked_message("checklist." + id + ".note", answer.note));
  }
  if (wanted.kind != VerdictKind::approve) return Ok{};
  for (const Question& question : checklist) {
    const auto answer = wanted.answers.find(question.id);
    if (answer == wanted.answers.end()) {
      return unprocessable("An approval here answers the checklist.",
                           {"checklist." + question.id + " is not answered: " + question.text});
    }
    if (answer->second.word == Answer::Word::no) {
      return unprocessable("An approval does not go with \"no\" to a question of the checklist.",
                           {"request changes instead, or answer " + question.id + " anew"});
    }
  }
  return Ok{};
}

Action action_of(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::approve: return Action::approve;
    case VerdictKind::request_changes: return Action::request_changes;
    case VerdictKind::reject: return Action::reject;
  }
  CHECK(false, "unknown verdict");
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
    const Environment target = TRY(environment_for(tx, caller, environment));
    const Review review = TRY(begin_review(tx, caller, target, items, comment, ruleset()));
    store::remember(tx, command, outcome_of(review.id));
    return review.id;
  });
}

Result<ReviewId> Registry::give_verdict(const Command& command, const ReviewId& id, WantedVerdict wanted) {
  const std::string comment = TRY(checked_message("comment", std::move(wanted.comment), kMaxCommentBytes));
  const ProjectId project = TRY(store_.read([&](store::Tx& tx) -> Result<ProjectId> {
    return TRY(review_for(tx, command.principal, id)).caller.project().id;
  }));
  return store_.write({project.text}, [&](store::Tx& tx) -> Result<ReviewId> {
    ReviewScene scene = TRY(review_for(tx, command.principal, id));
    Review& review = scene.review;
    TRY(scene.caller.require(Permission::give_verdict));
    TRY(require_no_contributor(tx, review, command.principal.id));
    if (const auto seen = TRY(store::replayed(tx, command))) return review_from(*seen);
    TRY(require_standing(review));
    const GateFacts facts = gate_facts(tx, scene.environment, review.items, review, ruleset());
    if (wanted.kind == VerdictKind::approve) TRY(require_intact(facts));
    TRY(require_digest(review, facts.items_digest, wanted.digest));
    const std::vector<Question> checklist = checklist_of(facts);
    TRY(require_answers(checklist, wanted));
    const bool answered = !wanted.answers.empty();
    const Verdict verdict{.review = id,
                          .cycle = review.cycle,
                          .by = command.principal.id,
                          .kind = wanted.kind,
                          .environment = review.environment,
                          .items_digest = facts.items_digest,
                          .base_digest = facts.base_digest,
                          .protection_version = scene.environment.protection.version,
                          .comment = comment,
                          .at = tx.now(),
                          .salt = journal::new_salt(),
                          .checklist = answered ? checklist_digest(checklist) : std::string(),
                          .answers = answered ? canonical_answers(wanted.answers) : std::string()};
    store::insert_verdict(tx, verdict);
    tx.append(project.text, verdict_given_event(scene.caller.actor(), verdict));
    if (answered) tx.append(project.text, checklist_answered_event(scene.caller.actor(), verdict));
    if (wanted.kind == VerdictKind::reject) {
      TRY(close(tx, scene.caller, review, scene.environment, action_of(wanted.kind)));
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
        const Artifact artifact = store::present(store::artifact(tx, item.artifact), "an item's artifact");
        out.versions.push_back({item.artifact, wanted.empty() ? artifact.latest_version : item.version});
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
    const std::vector<ReviewItem> next =
        TRY(updated_items(tx, review, scene.environment, plan.versions, ruleset(), StaleScans::count));
    StateChange change(tx, scene.environment);
    for (std::size_t i = 0; i < next.size(); ++i) {
      TRY(change.move(review.items[i].artifact, review.items[i].version, Action::withdraw));
      TRY(change.move(next[i].artifact, next[i].version, Action::submit));
    }
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
