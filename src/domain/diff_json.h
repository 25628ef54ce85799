// What a version says and how two differ, as the JSON of the contract: the one writer for the API and the
// command line.
#pragma once

#include "domain/diff.h"

#include <boost/json/fwd.hpp>

namespace imprimatur {

boost::json::object to_json(const Variable& variable);
boost::json::array to_json(const std::vector<Variable>& variables);
// {"hunks","words","variables","model","fields","semverBump"}: Diff without what it is between.
boost::json::object to_json(const VersionDiff& diff);

}  // namespace imprimatur
