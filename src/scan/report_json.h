// A report as the API and the command line show it, and as it is stored.
#pragma once

#include "scan/finding.h"

#include <boost/json/fwd.hpp>

namespace imprimatur::scan {

// {"status","score","findings":[...],"ruleset","digest","reason"}; score as a number with one decimal, reason
// null when there is none.
boost::json::object to_json(const ScanReport& report);
boost::json::object to_json(const Finding& finding);

}  // namespace imprimatur::scan
