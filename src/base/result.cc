#include "base/result.h"

#include <cstdio>
#include <cstdlib>

namespace imprimatur {

void check_failed(const char* expression, const char* file, int line, std::string_view detail) {
  std::fprintf(stderr, "%s:%d: CHECK(%s) failed: %.*s\n", file, line, expression,
               static_cast<int>(detail.size()), detail.data());
  std::abort();
}

std::string_view name_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid: return "invalid";
    case ErrorCode::unauthenticated: return "unauthenticated";
    case ErrorCode::forbidden: return "forbidden";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::conflict: return "conflict";
    case ErrorCode::precondition_failed: return "precondition_failed";
    case ErrorCode::too_large: return "too_large";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::unprocessable: return "unprocessable";
    case ErrorCode::rate_limited: return "rate_limited";
    case ErrorCode::unavailable: return "unavailable";
  }
  CHECK(false, "unknown error code");
}

Error invalid(std::string detail) { return {ErrorCode::invalid, std::move(detail)}; }

Error invalid_field(std::string field, std::string message) {
  std::string detail = field + ": " + message;
  return {ErrorCode::invalid, std::move(detail), {{std::move(field), std::move(message)}}};
}

Error unauthenticated(std::string detail) { return {ErrorCode::unauthenticated, std::move(detail)}; }

Error forbidden(std::string detail, std::vector<std::string> reasons) {
  return {ErrorCode::forbidden, std::move(detail), {}, std::move(reasons)};
}

Error not_found(std::string detail) { return {ErrorCode::not_found, std::move(detail)}; }

Error conflict(std::string detail) { return {ErrorCode::conflict, std::move(detail)}; }

Error too_large(std::string detail) { return {ErrorCode::too_large, std::move(detail)}; }

Error unprocessable(std::string detail, std::vector<std::string> reasons) {
  return {ErrorCode::unprocessable, std::move(detail), {}, std::move(reasons)};
}

Error unavailable(std::string detail) { return {ErrorCode::unavailable, std::move(detail)}; }

}  // namespace imprimatur
