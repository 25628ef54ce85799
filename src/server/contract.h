// api/openapi.yaml as it was when the program was built.
#pragma once

#include <string_view>

namespace imprimatur::server {

std::string_view contract_text();

}  // namespace imprimatur::server
