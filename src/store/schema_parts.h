// Steps of the schema that stand in files of their own.
#pragma once

#include <string_view>

namespace imprimatur::store {

extern const std::string_view kRequirementsStep;

}  // namespace imprimatur::store
