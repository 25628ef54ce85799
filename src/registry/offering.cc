#include "registry/offering.h"

#include "registry/deciding.h"
#include "registry/gating.h"
#include "store/registry_rows.h"

#include <algorithm>

namespace imprimatur::registry {
namespace {

// Where an environment asks for nothing, deploying takes the smaller permission.
std::vector<Permission> permissions(const Caller& caller, const Environment& environment) {
  auto out = caller.permissions();
  if (environment.protection.asks_for_nothing() && caller.may(Permission::deploy_open)) {
    out.push_back(Permission::deploy);
  }
  return out;
}

bool can_be_updated(store::Tx& tx, const Environment& environment, const Review& review,
                    std::string_view ruleset) {
  std::vector<VersionRef> latest;
  for (const ReviewItem& item : review.items) {
    const Artifact artifact = store::present(store::artifact(tx, item.artifact), "an item's artifact");
    latest.push_back({item.artifact, artifact.latest_version});
  }
  return updated_items(tx, review, environment, latest, ruleset, StaleScans::are_renewed).ok();
}

// One version, and what is live and in review in the last environment.
class Scene {
 public:
  Scene(store::Tx& tx, const Environment& last, const Version& version, std::string_view ruleset)
      : tx_(tx),
        last_(last),
        version_(version),
        ruleset_(ruleset),
        item_{version.artifact, version.number, version.digest, {}},
        holding_(review_holding(tx, {version.artifact, version.number}, last.id)),
        live_(store::live_release(tx, version.artifact, last.id)) {}

  const std::optional<Review>& holding() const { return holding_; }

  bool can_go_live() const {
    const auto review = review_for_items(tx_, last_.id, {item_});
    return require_deployable(tx_, last_, item_, review).ok() &&
           gate(gate_facts(tx_, last_, {item_}, review, ruleset_)).met;
  }

  // Whether the plain request for it would succeed by anybody who may ask for it.
  bool possible(Action action) const {
    switch (action) {
      case Action::submit:
        return require_submittable(tx_, last_, {item_}, ruleset_, StaleScans::are_renewed).ok();
      case Action::approve:
      case Action::request_changes:
      case Action::reject:
      case Action::withdraw: return holding_.has_value();
      case Action::update: return holding_ && can_be_updated(tx_, last_, *holding_, ruleset_);
      case Action::deploy: return can_go_live();
      case Action::retire: return require_retirable(tx_, last_, version_).ok();
      case Action::roll_back:
        return live_ && live_->version == version_.number && roll_back_target(tx_, *live_, {}).ok();
      case Action::reinstate: return live_ && roll_back_target(tx_, *live_, version_.number).ok();
      case Action::supersede: return false;
    }
    CHECK(false, "unknown action");
  }

 private:
  store::Tx& tx_;
  const Environment& last_;
  const Version& version_;
  std::string_view ruleset_;
  ReviewItem item_;
  std::optional<Review> holding_;
  std::optional<Release> live_;
};

}  // namespace

std::vector<Action> offers(store::Tx& tx, const Caller& caller, const Environment& last,
                           const Version& version, std::string_view ruleset) {
  if (!caller.reaches(last.id)) return {};
  const Scene scene(tx, last, version, ruleset);
  OfferFacts facts;
  facts.interactive = caller.principal().interactive();
  facts.contributor = scene.holding() && contributors(tx, *scene.holding()).contains(caller.principal().id);
  // The table's guards; whether they hold is asked below with everything else.
  facts.gate_met = facts.was_live = true;
  const auto has = permissions(caller, last);
  auto out = allowed_actions(version.state, has, facts);
  // A gate that became met without a verdict: the deploy records the approval first.
  if (version.state == State::in_review &&
      std::find(has.begin(), has.end(), Permission::deploy) != has.end()) {
    out.push_back(Action::deploy);
  }
  std::erase_if(out, [&](Action action) { return !scene.possible(action); });
  return out;
}

std::vector<Action> offers(store::Tx& tx, const Caller& caller, const Environment& environment,
                           const Review& review, bool gate_met, std::string_view ruleset) {
  if (!stands(review) || !caller.reaches(environment.id)) return {};
  const auto has = permissions(caller, environment);
  OfferFacts facts;
  facts.interactive = caller.principal().interactive();
  facts.contributor = contributors(tx, review).contains(caller.principal().id);
  facts.gate_met = gate_met && std::all_of(review.items.begin(), review.items.end(), [&](const auto& item) {
                     return require_deployable(tx, environment, item, review).ok();
                   });
  const bool open = review.state == ReviewState::open;
  auto out = allowed_actions(open ? State::in_review : State::approved, has, facts);
  if (open && facts.gate_met && std::find(has.begin(), has.end(), Permission::deploy) != has.end()) {
    out.push_back(Action::deploy);
  }
  // Retiring is about one version, and about where that is or was live.
  std::erase(out, Action::retire);
  if (!can_be_updated(tx, environment, review, ruleset)) std::erase(out, Action::update);
  return out;
}

}  // namespace imprimatur::registry
