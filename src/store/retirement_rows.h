// Why versions were taken out of an environment for good.
#pragma once

#include "domain/records.h"
#include "store/store.h"

#include <optional>
#include <string>

namespace imprimatur::store {

struct RetirementReason {
  VersionRef version;
  EnvironmentId environment;
  std::string reason;
  std::string salt;  // of the commitment to it
};
void insert_retirement_reason(Tx& tx, const ProjectId& project, const RetirementReason& reason);
// Nothing for what was retired before reasons were kept.
std::optional<RetirementReason> retirement_reason(Tx& tx, const ProjectId& project, const VersionRef& version,
                                                  const EnvironmentId& environment);

}  // namespace imprimatur::store
