// GET and HEAD /api/v1/runtime/prompts/{name} from the snapshot: on the I/O thread for API keys, by a handler
// for everybody else. POST …/render by a handler.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "delivery/delivery.h"
#include "http/fast_path.h"
#include "http/message.h"

namespace imprimatur::http {

// Answers requests with an API key, and those with no credential at all. Leaves sessions to the router.
// `delivery` must outlive the server.
FastPathFactory runtime_fast_path(delivery::Delivery& delivery);

// Whether the Authorization is of the form of an API key. The text of a session token may hold any letters.
bool is_api_key(std::string_view authorization);

// Somebody who was found to be allowed to read what is live.
struct RuntimeCaller {
  ProjectId project;
  EnvironmentId environment;  // empty: every one of the project
};

// The caller by the request's API key, from memory only, so it works while the store does not.
// Unauthenticated for everything that is not a key in force, forbidden without runtime:read.
Result<RuntimeCaller> runtime_caller(const delivery::Delivery& delivery, const Request& request, Time now);

// `name` may have "@range" behind it. Reads environment, version, label and project from the query and
// If-None-Match.
Result<Response> fetch_prompt(const delivery::Delivery& delivery, const RuntimeCaller& caller,
                              const Request& request, std::string_view name);

// The body is {"variables":{…},"context"?:…,"environment"?:"…"}.
Result<Response> render_prompt(const delivery::Delivery& delivery, const RuntimeCaller& caller,
                               const Request& request, std::string_view name);

}  // namespace imprimatur::http
