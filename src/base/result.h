// Result<T>: a value, or the expected failure that stands in its place.
#pragma once

#include "base/check.h"

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace imprimatur {

// The closed set of expected failures. Mapped to HTTP once, in http, in a switch without default.
enum class ErrorCode {
  invalid,              // the request itself is malformed
  unauthenticated,      // nobody is signed in, or the credential is unknown, expired or revoked
  forbidden,            // somebody is, and may not
  not_found,            // not there, or not the caller's to know
  conflict,             // stale, taken, or decided by somebody else first
  precondition_failed,  // an If-Match that does not hold
  too_large,            // over a named limit
  unsupported,          // a media type or an encoding that is not spoken here
  unprocessable,        // well formed, but a rule says no
  rate_limited,         // too many failed attempts; see Error::retry_after_seconds
  unavailable,          // the store is gone, overloaded, or refuses to write
};

std::string_view name_of(ErrorCode code);

struct FieldError {
  std::string field;  // dotted path in the request, for instance "variables[2].type"
  std::string message;
  bool operator==(const FieldError&) const = default;
};

struct Error {
  ErrorCode code = ErrorCode::invalid;
  std::string detail;  // one sentence for a person: what happened and what to do
  std::vector<FieldError> fields = {};
  std::vector<std::string> reasons = {};
  int retry_after_seconds = 0;
};

Error invalid(std::string detail);
Error invalid_field(std::string field, std::string message);
Error unauthenticated(std::string detail);
Error forbidden(std::string detail, std::vector<std::string> reasons = {});
Error not_found(std::string detail);
Error conflict(std::string detail);
Error too_large(std::string detail);
Error unprocessable(std::string detail, std::vector<std::string> reasons = {});
Error unavailable(std::string detail);

struct Ok {
  bool operator==(const Ok&) const = default;
};

template <class T>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  Result(T value) : held_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit on purpose
  Result(Error error) : held_(std::in_place_index<1>, std::move(error)) {}  // NOLINT: implicit on purpose

  bool ok() const { return held_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Precondition: ok(). Aborts otherwise.
  const T& value() const& {
    CHECK(ok(), error_text());
    return std::get<0>(held_);
  }
  T& value() & {
    CHECK(ok(), error_text());
    return std::get<0>(held_);
  }
  T value() && {
    CHECK(ok(), error_text());
    return std::get<0>(std::move(held_));
  }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

  // Precondition: !ok(). Aborts otherwise.
  const Error& error() const& {
    CHECK(!ok(), "error() of a value");
    return std::get<1>(held_);
  }
  Error error() && {
    CHECK(!ok(), "error() of a value");
    return std::get<1>(std::move(held_));
  }

 private:
  std::string error_text() const { return ok() ? std::string() : std::get<1>(held_).detail; }
  std::variant<T, Error> held_;
};

using Status = Result<Ok>;

}  // namespace imprimatur

#define TRY_NAMED(name, expression)                 \
  __extension__({                                   \
    auto name = (expression);                       \
    if (!name.ok()) return std::move(name).error(); \
    std::move(name).value();                        \
  })
#define TRY_COUNTED(count, expression) TRY_NAMED(try_result_##count, expression)
#define TRY_EXPANDED(count, expression) TRY_COUNTED(count, expression)
// The value of a Result, or a return of its error from the enclosing function. May be nested. Never behind
// another element of a braced initialiser: GCC 12 does not destroy the elements before it when it returns.
#define TRY(expression) TRY_EXPANDED(__COUNTER__, expression)
