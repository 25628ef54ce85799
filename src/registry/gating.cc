#include "registry/gating.h"

#include "base/hash.h"
#include "registry/reading.h"
#include "store/identity_rows.h"
#include "store/registry_rows.h"

#include <algorithm>

namespace imprimatur::registry {
namespace {

GateItem gate_item(store::Tx& tx, const ReviewItem& item, const EnvironmentId& environment,
                   std::string_view ruleset) {
  const Version version =
      store::present(store::version(tx, item.artifact, item.version), "an item's version");
  const auto content = content_from_canonical(version.content);
  if (!content.ok()) throw store::DataBroken("version " + item.artifact.text + " holds unreadable content");
  GateItem out;
  out.artifact = item.artifact;
  out.version = item.version;
  out.digest = version.digest;
  out.model = content->model;
  out.contributors = contributors(tx, item.artifact, item.version, environment);
  out.checks.push_back(scan_check(store::latest_scan(tx, item.artifact, item.version), version, ruleset));
  return out;
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
    if (protection && protection->asks_for_approvals()) return std::min(earlier.version, live->version);
  }
  return 0;
}

bool same_items(const std::vector<ReviewItem>& a, const std::vector<ReviewItem>& b) {
  return std::is_permutation(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.artifact == y.artifact && x.version == y.version && x.digest == y.digest;
  });
}

}  // namespace

std::set<PrincipalId> contributors(store::Tx& tx, const ArtifactId& artifact, std::int64_t version,
                                   const EnvironmentId& environment) {
  const auto all = store::savers(tx, artifact, vouched_for(tx, artifact, version, environment));
  return {all.begin(), all.end()};
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

GateFacts gate_facts(store::Tx& tx, const Environment& environment, const std::vector<ReviewItem>& items,
                     const std::optional<Review>& review, std::string_view ruleset) {
  GateFacts facts;
  facts.environment = environment.id;
  for (const ReviewItem& item : items) facts.items.push_back(gate_item(tx, item, environment.id, ruleset));
  facts.items_digest = items_digest_of(facts.items);
  facts.base_digest = base_digest_of(tx, items, environment.id);
  facts.now = environment.protection;
  for (const store::Member& member : store::members(tx, environment.project)) {
    facts.members.push_back(member.membership);
  }
  for (const Team& team : store::teams(tx, environment.project)) facts.team_names[team.id] = team.name;
  if (review) {
    facts.review = review->id;
    facts.review_open = review->state == ReviewState::open || review->state == ReviewState::approved;
    facts.cycle = review->cycle;
    facts.verdicts = store::verdicts(tx, review->id);
    facts.at_submission = store::present(store::protection(tx, environment.id, review->protection_version),
                                         "the protection of a review");
  }
  return facts;
}

std::optional<Review> review_for_items(store::Tx& tx, const EnvironmentId& environment,
                                       const std::vector<ReviewItem>& items) {
  for (Review& review : store::reviews_of(tx, items.front().artifact, items.front().version)) {
    const bool stands = review.state == ReviewState::open || review.state == ReviewState::approved;
    if (stands && review.environment == environment && same_items(review.items, items))
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
