// A scan of a version's content, as a record.
#pragma once

#include "domain/content.h"
#include "domain/gate.h"
#include "domain/records.h"
#include "scan/ruleset.h"

namespace imprimatur::registry {

// Without id, place, author and time. Pure. `effective` is what the version of that digest says with its
// layers in place; positions of findings are positions in that.
ScanRecord read_by_scanner(const Content& effective, const std::string& digest, const scan::Ruleset& rules);

// How the latest scan of a version stands as the check named "scan". Closed: no scan is `pending`.
CheckResult scan_check(const std::optional<ScanRecord>& latest, const Version& version,
                       std::string_view ruleset);

// What the report of a stored scan says was found. Throws DataBroken where nobody can read it.
std::vector<FoundWeakness> weaknesses_in(const ScanRecord& scan);

}  // namespace imprimatur::registry
