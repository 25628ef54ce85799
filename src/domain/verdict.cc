#include "domain/verdict.h"

#include "base/check.h"
#include "base/enums.h"

namespace imprimatur {

std::string_view name_of(VerdictKind kind) {
  switch (kind) {
    case VerdictKind::approve: return "approve";
    case VerdictKind::request_changes: return "request_changes";
    case VerdictKind::reject: return "reject";
  }
  CHECK(false, "unknown verdict kind");
}

std::optional<VerdictKind> verdict_kind_of(std::string_view name) {
  return enumerator_named(name, VerdictKind::reject);
}

std::string_view name_of(CheckStatus status) {
  switch (status) {
    case CheckStatus::pass: return "pass";
    case CheckStatus::fail: return "fail";
    case CheckStatus::error: return "error";
    case CheckStatus::pending: return "pending";
  }
  CHECK(false, "unknown check status");
}

std::optional<CheckStatus> check_status_of(std::string_view name) {
  return enumerator_named(name, CheckStatus::pending);
}

}  // namespace imprimatur
