// From a routed request to its answer on a worker thread, and back to the I/O thread.
#pragma once

#include "http/head.h"
#include "http/router.h"

#include <chrono>
#include <functional>
#include <memory>

namespace imprimatur::http {

struct Job {
  Request request;
  Match match;
  Response response;
  std::string piece;  // of a body in pieces
  std::chrono::steady_clock::time_point started;
  std::uint64_t micros = 0;
  std::function<void()> resume;  // called on the I/O thread
};

// Copies the head, which must not be needed any more, and finds the route. Answers a request that no handler
// is to see: a target that cannot be decoded, an unknown path or method, a media type, a body over the limit;
// null when the handler may have it. `body_limit` is the server's; the route's own takes its place.
std::unique_ptr<Response> begin_job(Job& job, const Head& head, const Router& router,
                                    std::size_t& body_limit);

// Asks the router's admission. False with the response when the client may not send its body. Never throws.
bool admit(Job& job, const Router& router);

// Calls the handler. An error becomes its problem document, an exception a 500 that says nothing but the
// request id; the log has the first line of what the exception said. Never throws. Writes the access log line
// when asked.
void run_handler(Job& job, bool access_log);

// The next piece of the response's body into `job.piece`; empty at its end. False when it could not be made,
// which the log says.
bool make_piece(Job& job);

// One JSON line: the route's pattern, never the path, which holds names and e-mail addresses; null where
// there is no such route.
void write_access_log(const Job& job);

std::string_view path_of(const Request& request);

}  // namespace imprimatur::http
