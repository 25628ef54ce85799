#include "http/problem.h"

#include "base/check.h"
#include "base/json.h"
#include "base/utf8.h"

#include <algorithm>

namespace imprimatur::http {
namespace {

constexpr int kDefaultRetrySeconds = 1;

void member(std::string& out, std::string_view name, std::string_view value) {
  append_json_string(out, name);
  out.push_back(':');
  append_json_string(out, value);
  out.push_back(',');
}

Response document(int status, std::string_view code, const Error& error, std::string_view instance,
                  std::string_view trace) {
  std::string out = "{\"type\":\"about:blank\",";
  member(out, "title", reason_phrase(status));
  out += "\"status\":" + std::to_string(status) + ',';
  member(out, "detail", first_invalid_utf8(error.detail) ? "the request could not be served" : error.detail);
  // Raw bytes of a target; those beyond ASCII were refused before.
  member(out, "instance", first_invalid_utf8(instance) ? "" : instance);
  member(out, "code", code);
  out += "\"errors\":[";
  for (std::size_t i = 0; i < error.fields.size(); ++i) {
    out += i == 0 ? "{\"field\":" : ",{\"field\":";
    append_json_string(out, error.fields[i].field);
    out += ",\"message\":";
    append_json_string(out, error.fields[i].message);
    out.push_back('}');
  }
  out += "],\"reasons\":[";
  for (std::size_t i = 0; i < error.reasons.size(); ++i) {
    if (i > 0) out.push_back(',');
    append_json_string(out, error.reasons[i]);
  }
  out += "],\"traceId\":";
  append_json_string(out, trace);
  out.push_back('}');
  Response response{.status = status, .content_type = "application/problem+json", .body = std::move(out)};
  if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  if (status == 429 || status == 503) {
    const int wait = std::max(error.retry_after_seconds, kDefaultRetrySeconds);
    response.headers.emplace_back("Retry-After", std::to_string(wait));
  }
  return response;
}

}  // namespace

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid: return 400;
    case ErrorCode::unauthenticated: return 401;
    case ErrorCode::forbidden: return 403;
    case ErrorCode::not_found: return 404;
    case ErrorCode::conflict: return 409;
    case ErrorCode::precondition_failed: return 412;
    case ErrorCode::too_large: return 413;
    case ErrorCode::unsupported: return 415;
    case ErrorCode::unprocessable: return 422;
    case ErrorCode::rate_limited: return 429;
    case ErrorCode::unavailable: return 503;
  }
  CHECK(false, "unknown error code");
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    default: return status < 300 ? "Success" : "Error";
  }
}

Response problem(const Error& error, std::string_view instance, std::string_view trace) {
  return document(status_of(error.code), name_of(error.code), error, instance, trace);
}

Response problem(const Refusal& refusal, std::string_view instance, std::string_view trace) {
  return document(refusal.status, refusal.code, {.detail = std::string(refusal.detail)}, instance, trace);
}

Response internal_problem(std::string_view instance, std::string_view trace) {
  return document(500, "internal", {.detail = "something broke here; the server's log has this traceId"},
                  instance, trace);
}

}  // namespace imprimatur::http
