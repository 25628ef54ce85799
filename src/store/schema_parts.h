// Steps of the schema that stand in files of their own.
#pragma once

#include <string_view>

namespace imprimatur::store {

std::string_view requirements_step();

}  // namespace imprimatur::store
