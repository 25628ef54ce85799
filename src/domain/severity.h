// How bad a weakness is. Spelled outside as `name_of` spells it.
#pragma once

#include <optional>
#include <string_view>

namespace imprimatur {

// Ordered: a greater value is worse.
enum class Severity { info, low, medium, high, critical };
std::string_view name_of(Severity severity);  // "CRITICAL"
std::optional<Severity> severity_of(std::string_view name);

}  // namespace imprimatur
