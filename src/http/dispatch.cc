#include "http/dispatch.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "http/problem.h"
#include "http/response_writer.h"

namespace imprimatur::http {
namespace {

// The route's pattern, never the path: paths hold names and e-mail addresses.
void write_access_log(const Job& job) {
  std::string line = "{\"time\":\"" + to_rfc3339(SystemClock().now()) + "\",\"event\":\"request\",\"id\":";
  append_json_string(line, job.request.id);
  line += ",\"method\":\"";
  line += name_of(job.request.method);
  line += "\",\"route\":";
  append_json_string(line, job.match.route->pattern);
  line += ",\"status\":" + std::to_string(job.response.status);
  line += ",\"bytesIn\":" + std::to_string(job.request.body.size());
  line += ",\"bytesOut\":" + std::to_string(bytes_of(job.response).size());
  line += ",\"micros\":" + std::to_string(job.micros) + ",\"peer\":";
  append_json_string(line, job.request.peer);
  line.push_back('}');
  log_line(line);
}

}  // namespace

std::string_view path_of(const Request& request) {
  return std::string_view(request.target).substr(0, request.target.find('?'));
}

void run_handler(Job& job, bool access_log) {
  try {
    Result<Response> result = job.match.route->handler(job.request, job.match.arguments);
    job.response = result.ok() ? std::move(result).value()
                               : problem(result.error(), path_of(job.request), job.request.id);
  } catch (...) {
    job.response = internal_problem(path_of(job.request), job.request.id);
    log(LogLevel::error, "handler_threw", {{"traceId", job.request.id}});
  }
  const auto spent = std::chrono::steady_clock::now() - job.started;
  job.micros =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(spent).count());
  if (access_log) write_access_log(job);
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
  if (match.route->options.media == Media::json) {
    const std::string* type = request.header("Content-Type");
    if (type == nullptr || !is_json(*type)) {
      return refuse({415, "unsupported", "send the body as application/json in UTF-8"});
    }
  }
  const std::string* encoding = request.header("Content-Encoding");
  if (encoding != nullptr && !equal_field_names(*encoding, "identity")) {
    return refuse({415, "unsupported", "send the body without a Content-Encoding"});
  }
  if (content_length > body_limit) {
    auto answer = std::make_unique<Response>(
        problem(too_large("the body is over the limit of " + std::to_string(body_limit) + " bytes"),
                path_of(request), request.id));
    return answer;
  }
  return nullptr;
}

}  // namespace imprimatur::http
