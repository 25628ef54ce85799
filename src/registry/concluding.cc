#include "registry/concluding.h"

#include "registry/deciding.h"
#include "registry/gating.h"
#include "registry/moving.h"
#include "store/registry_rows.h"

#include <algorithm>

namespace imprimatur::registry {

Status settle(store::Tx& tx, const Caller& caller, Review& review, const Environment& environment,
              std::string_view ruleset) {
  const GateAnswer answer = gate(gate_facts(tx, environment, review.items, review, ruleset));
  // What time brings and takes away is asked about at the deploy.
  const bool approved = answer.met_at(Stage::review);
  StateChange change(tx, environment);
  if (approved && review.state == ReviewState::open) {
    for (const ReviewItem& item : review.items)
      TRY(change.move(item.artifact, item.version, Action::approve));
    review.state = ReviewState::approved;
    tx.append(review.project.text,
              review_approved_event(caller.actor(), review, environment.protection.version, change.moves()));
  } else if (!approved && review.state == ReviewState::approved) {
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

Status settle_holders(store::Tx& tx, const Caller& caller, const VersionRef& version,
                      std::string_view ruleset) {
  for (Review& review : store::reviews_of(tx, version.artifact, version.number)) {
    const bool holds = std::any_of(review.items.begin(), review.items.end(), [&](const ReviewItem& item) {
      return item.artifact == version.artifact && item.version == version.number;
    });
    if (!stands(review) || !holds) continue;
    const Environment environment = environment_by_id(tx, review.project, review.environment);
    TRY(settle(tx, caller, review, environment, ruleset));
  }
  return Ok{};
}

Status close(store::Tx& tx, const Caller& caller, Review& review, const Environment& environment,
             Action action) {
  StateChange change(tx, environment);
  for (const ReviewItem& item : review.items) {
    if (!change.require(item.artifact, item.version, action).ok()) continue;
    TRY(change.move(item.artifact, item.version, action));
  }
  const bool rejected = action == Action::reject;
  review.state = rejected ? ReviewState::rejected : ReviewState::withdrawn;
  review.changed_at = tx.now();
  store::put_review(tx, review);
  tx.append(review.project.text, rejected ? review_rejected_event(caller.actor(), review, change.moves())
                                          : review_withdrawn_event(caller.actor(), review, change.moves()));
  return Ok{};
}

void close_deployed(store::Tx& tx, const Caller& caller, Review& review, const std::string& change_set) {
  review.state = ReviewState::deployed;
  review.changed_at = tx.now();
  store::put_review(tx, review);
  tx.append(review.project.text, review_deployed_event(caller.actor(), review, change_set));
}

}  // namespace imprimatur::registry
