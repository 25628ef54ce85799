// From a routed request to its answer on a worker thread, and back to the I/O thread.
#pragma once

#include "http/router.h"

#include <chrono>
#include <functional>
#include <memory>

namespace imprimatur::http {

struct Job {
  Request request;
  Match match;
  Response response;
  std::chrono::steady_clock::time_point started;
  std::uint64_t micros = 0;
  std::function<void()> resume;  // called on the I/O thread
};

// Calls the handler. An error becomes its problem document, an exception a 500 whose log line has the request
// id only. Never throws. Writes the access log line when asked.
void run_handler(Job& job, bool access_log);

// The answer to a request that no handler is to see: unknown path, method, media type or a body over the
// limit. Null when the handler may have it.
std::unique_ptr<Response> refused_before_body(const Request& request, const Match& match, bool has_body,
                                              std::uint64_t content_length, std::size_t body_limit);

std::string_view path_of(const Request& request);

}  // namespace imprimatur::http
