// What every handler of the API begins with: who asks, for which page, and under which idempotency key.
#pragma once

#include "base/result.h"
#include "http/api/fields.h"
#include "http/message.h"
#include "identity/identity.h"
#include "store/command.h"
#include "store/registry_rows.h"

#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

namespace imprimatur::http {

inline constexpr std::string_view kSessionCookie = "imprimatur_session";
inline constexpr std::string_view kCsrfHeader = "X-CSRF-Token";
inline constexpr std::string_view kIdempotencyHeader = "Idempotency-Key";
inline constexpr std::size_t kMaxIdempotencyKeyBytes = 255;
inline constexpr std::size_t kMaxCredentialBytes = 512;

// Who the request's credential stands for: Authorization before the cookie, never both. A cookie needs the
// CSRF token for everything but GET and HEAD.
Result<Principal> caller(const Request& request, identity::Identity& identity);
// The same for a write, with what makes its repetition recognisable.
Result<store::Command> command(const Request& request, identity::Identity& identity);

// For routes without a query: names what stands there all the same.
Status no_query(const Request& request);
// `limit` and `cursor`.
store::PageRequest page(Query& query);

// The value of one cookie, or empty.
std::string cookie_value(const Request& request, std::string_view name);

// Answers. Members come out sorted and numbers in their shortest form (canonical JSON).
Response answer(const boost::json::value& value, int status = 200);
Response answer_list(boost::json::array items, std::string_view next_cursor);
boost::json::value text_or_null(std::string_view text);  // empty: null
boost::json::value time_or_null(const std::optional<Time>& time);

}  // namespace imprimatur::http
