#include "http/dispatch.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/percent.h"
#include "base/utf8.h"
#include "http/problem.h"
#include "http/response_writer.h"

#include <algorithm>

namespace imprimatur::http {
namespace {

constexpr std::size_t kMaxThrownBytes = 500;

void log_thrown(const Job& job, std::string_view what) {
  // One line: a database's further lines quote the values of a row.
  what = what.substr(0, std::min(what.find('\n'), kMaxThrownBytes));
  log(LogLevel::error, "handler_threw",
      {{"traceId", job.request.id},
       {"route", job.match.route->pattern},
       {"what", first_invalid_utf8(what) ? "not UTF-8" : std::string(what)}});
}

// Calls `work`; false when it threw, which is logged.
template <class Work>
bool caught(const Job& job, Work&& work) {
  try {
    work();
    return true;
  } catch (const std::exception& thrown) {
    log_thrown(job, thrown.what());
  } catch (...) {
    log_thrown(job, "something that is no std::exception");
  }
  return false;
}

void copy_head(Request& request, const Head& head) {
  request.method = head.method;
  request.target = head.target;
  request.headers.reserve(head.field_count);
  for (std::size_t i = 0; i < head.field_count; ++i) {
    request.headers.emplace_back(head.fields[i].name, head.fields[i].value);
  }
}

std::unique_ptr<Response> refused_before_body(const Request& request, const Match& match, bool has_body,
                                              std::uint64_t content_length, std::size_t body_limit) {
  const auto refuse = [&](const Refusal& why) {
    return std::make_unique<Response>(problem(why, path_of(request), request.id));
  };
  if (match.route == nullptr) {
    if (match.allowed.empty()) return refuse({404, "not_found", "there is nothing at this path"});
    auto answer = refuse({405, "method_not_allowed", "this path does not take that method; see Allow"});
    answer->headers.emplace_back("Allow", match.allowed);
    return answer;
  }
  if (!has_body) return nullptr;
  const std::string* type = request.header("Content-Type");
  if (type == nullptr || !is_json(*type)) {
    return refuse({415, "unsupported", "send the body as application/json in UTF-8"});
  }
  const std::string* encoding = request.header("Content-Encoding");
  if (encoding != nullptr && !equal_field_names(*encoding, "identity")) {
    return refuse({415, "unsupported", "send the body without a Content-Encoding"});
  }
  if (content_length > body_limit) {
    return std::make_unique<Response>(
        problem(too_large("the body is over the limit of " + std::to_string(body_limit) + " bytes"),
                path_of(request), request.id));
  }
  return nullptr;
}

}  // namespace

void write_access_log(const Job& job) {
  std::string line = "{\"time\":\"" + to_rfc3339(SystemClock().now()) + "\",\"event\":\"request\",\"id\":";
  append_json_string(line, job.request.id);
  line += ",\"method\":";
  append_json_string(line, name_of(job.request.method));
  line += ",\"route\":";
  if (job.match.route == nullptr) {
    line += "null";
  } else {
    append_json_string(line, job.match.route->pattern);
  }
  line += ",\"status\":" + std::to_string(job.response.status);
  line += ",\"bytesIn\":" + std::to_string(job.request.body.size());
  line += ",\"bytesOut\":";
  line += pieces_of(job.response) ? "null" : std::to_string(bytes_of(job.response).size());
  line += ",\"micros\":" + std::to_string(job.micros) + ",\"peer\":";
  append_json_string(line, job.request.peer);
  line.push_back('}');
  log_line(line);
}

std::string_view path_of(const Request& request) {
  return std::string_view(request.target).substr(0, request.target.find('?'));
}

void run_handler(Job& job, bool access_log) {
  const bool answered = caught(job, [&] {
    Result<Response> result = job.match.route->handler(job.request, job.match.arguments);
    job.response = result.ok() ? std::move(result).value()
                               : problem(result.error(), path_of(job.request), job.request.id);
  });
  if (!answered) job.response = internal_problem(path_of(job.request), job.request.id);
  const auto spent = std::chrono::steady_clock::now() - job.started;
  job.micros =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(spent).count());
  if (auto* body = std::get_if<std::string>(&job.response.body)) {
    // A client may take its time, and what the text does not need would be held as long.
    if (body->capacity() / 4 > body->size() / 3) body->shrink_to_fit();
  }
  if (access_log && job.match.route->options.logged) write_access_log(job);
}

bool admit(Job& job, const Router& router) {
  bool admitted = false;
  const bool answered = caught(job, [&] {
    const Status may = router.admission()(job.request);
    admitted = may.ok();
    if (!admitted) job.response = problem(may.error(), path_of(job.request), job.request.id);
  });
  if (!answered) job.response = internal_problem(path_of(job.request), job.request.id);
  return admitted;
}

std::unique_ptr<Response> begin_job(Job& job, const Head& head, const Router& router,
                                    std::size_t& body_limit) {
  Request& request = job.request;
  copy_head(request, head);
  auto target = parse_target(head.target);
  if (!target.ok()) {
    const bool long_target = target.error().code == ErrorCode::too_large;
    return std::make_unique<Response>(
        problem(Refusal{long_target ? 414 : 400, name_of(target.error().code), target.error().detail},
                path_of(request), request.id));
  }
  request.segments = std::move(target->segments);
  request.query = std::move(target->query);
  job.match = router.match(request.method, request.segments);
  if (job.match.route != nullptr && job.match.route->options.body_bytes > 0) {
    body_limit = job.match.route->options.body_bytes;
  }
  return refused_before_body(request, job.match, head.has_body(), head.content_length.value_or(0),
                             body_limit);
}

bool make_piece(Job& job) {
  return caught(job, [&] { job.piece = (*pieces_of(job.response))(); });
}

}  // namespace imprimatur::http
