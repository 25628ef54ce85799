// Business rules of several policies as one set of rules, or why they cannot be one.
#pragma once

#include "base/result.h"

#include <string>
#include <vector>

namespace imprimatur {

// What one policy says, and by which way it came: "support/reply > policies/refunds@1.2.0".
struct Rules {
  std::string path;
  std::string config;  // a JSON object
};

// One object with the members of all; objects under one key are merged in turn. Unprocessable, with both
// paths and the key, where two say different things under one key, and where what one allows another denies:
// under `allow` and `deny` beside each other, a list means its items, an object the members that are not
// false, true or "*" everything, false, null or nothing nothing. Of a single policy, too. Precondition: each
// config is canonical JSON of an object.
Result<std::string> merged_rules(const std::vector<Rules>& all);

}  // namespace imprimatur
