#include "domain/severity.h"

#include "base/check.h"
#include "base/enums.h"

namespace imprimatur {

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::info: return "INFO";
    case Severity::low: return "LOW";
    case Severity::medium: return "MEDIUM";
    case Severity::high: return "HIGH";
    case Severity::critical: return "CRITICAL";
  }
  CHECK(false, "unknown severity");
}

std::optional<Severity> severity_of(std::string_view name) {
  return enumerator_named(name, Severity::critical);
}

}  // namespace imprimatur
