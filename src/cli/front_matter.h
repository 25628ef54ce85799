// YAML between two lines of "---" at the start of a file.
#pragma once

#include "base/result.h"

#include <string_view>

#include <boost/json/fwd.hpp>

namespace imprimatur::cli {

bool begins_front_matter(std::string_view text);

struct FrontMatter {
  std::string_view yaml;
  std::string_view body;  // everything behind the line feed of the closing line
};
// Precondition: begins_front_matter.
Result<FrontMatter> split_front_matter(std::string_view text);

// The one document of `yaml` as JSON. Plain scalars become null, booleans and numbers as in YAML 1.2's core
// schema; quoted ones are strings. Refuses aliases, keys that are no strings, a key twice, and what is over
// the limits of prompt_file.h; errors name line and column of the file.
Result<boost::json::value> yaml_to_json(std::string_view yaml);

}  // namespace imprimatur::cli
