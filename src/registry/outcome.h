// How an idempotent repetition of a command remembers what the first one made. Reading throws DataBroken when
// the text is none that was written here.
#pragma once

#include "domain/records.h"
#include "registry/registry.h"
#include "registry/requests.h"

#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::registry {

std::string outcome_of(const VersionRef& version);
VersionRef version_from(std::string_view outcome);

std::string outcome_of(const ReviewId& review);
ReviewId review_from(std::string_view outcome);

std::string outcome_of(const std::vector<ReleaseId>& releases);  // at least one
std::vector<ReleaseId> releases_from(std::string_view outcome);

std::string outcome_of(const std::vector<ImportOutcome>& imported);
std::vector<ImportOutcome> imported_from(std::string_view outcome);

std::string outcome_of(Registry::EnvironmentOutcome outcome);
Registry::EnvironmentOutcome settings_from(std::string_view outcome);

}  // namespace imprimatur::registry
