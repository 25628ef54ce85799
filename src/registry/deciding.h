// Whether a command may happen, whoever asks for it. The commands obey these answers, and what is offered is
// taken from them.
#pragma once

#include "domain/records.h"
#include "registry/requests.h"
#include "store/store.h"

#include <optional>
#include <string_view>
#include <vector>

namespace imprimatur::registry {

// Open or approved: neither rejected, withdrawn nor deployed.
bool stands(const Review& review);
Status require_standing(const Review& review);
// The one review that stands for the environment and holds the version now.
std::optional<Review> review_holding(store::Tx& tx, const VersionRef& version,
                                     const EnvironmentId& environment);

// Asked before anything is read: a request may name as many versions as fit into its body.
Status require_change_set(const std::vector<VersionRef>& wanted);
// The items in the one order that digests are made over, with what is live now as their base.
Result<std::vector<ReviewItem>> items_of(store::Tx& tx, const ProjectId& project,
                                         const EnvironmentId& environment, std::vector<VersionRef> wanted);
// Those whose latest scan is not of this content and these packs.
std::vector<VersionRef> not_currently_scanned(store::Tx& tx, const std::vector<VersionRef>& versions,
                                              std::string_view ruleset);

// Whether a result that is not current counts, or will be renewed before anybody decides.
enum class StaleScans { count, are_renewed };
Status require_submittable(store::Tx& tx, const Environment& environment,
                           const std::vector<ReviewItem>& items, std::string_view ruleset,
                           StaleScans stale_scans);
// What the review holds once it moved to `versions`: its own prompts, at least one newer or with another
// base.
Result<std::vector<ReviewItem>> updated_items(store::Tx& tx, const Review& review,
                                              const Environment& environment,
                                              const std::vector<VersionRef>& versions,
                                              std::string_view ruleset, StaleScans stale_scans);

Error already_live();
// Apart from the gate. `review`: the one that the deploy rests on; no other may hold the version.
Status require_deployable(store::Tx& tx, const Environment& environment, const ReviewItem& item,
                          const std::optional<Review>& review);
// The release that a roll back from `live` leads to: the nearest one on the way back that had its protection
// met and whose version is not retired there; the one of version `to` when given.
Result<Release> roll_back_target(store::Tx& tx, const Release& live, std::optional<std::int64_t> to);
// A review of this version alone does not keep it from being retired: it ends with it.
Status require_retirable(store::Tx& tx, const Environment& environment, const Version& version);

}  // namespace imprimatur::registry
