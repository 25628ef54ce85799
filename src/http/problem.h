// Expected failures as application/problem+json (RFC 9457).
#pragma once

#include "base/result.h"
#include "http/head.h"
#include "http/message.h"

#include <string>
#include <string_view>

namespace imprimatur::http {

// The one place where error codes meet HTTP.
int status_of(ErrorCode code);
std::string_view reason_phrase(int status);

// `instance` is the path without its query; `trace` the request id. A 401 carries WWW-Authenticate, a 429 and
// a 503 carry Retry-After.
Response problem(const Error& error, std::string_view instance, std::string_view trace);
// A refusal before any handler: statuses that no ErrorCode stands for.
Response problem(const Refusal& refusal, std::string_view instance, std::string_view trace);
// A bug or a broken environment. Says nothing but that.
Response internal_problem(std::string_view instance, std::string_view trace);

}  // namespace imprimatur::http
