#include "http/response_writer.h"

#include "base/log.h"
#include "base/trim.h"
#include "http/problem.h"

#include <algorithm>

namespace imprimatur::http {
namespace {

constexpr std::size_t kMaxRequestIdBytes = 64;

bool breaks_line(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F; });
}

}  // namespace

std::string head_of(const Response& response, const ResponseLine& line) {
  std::string out;
  out.reserve(512);
  out.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  out.append(reason_phrase(response.status)).append("\r\n");
  const auto field = [&](std::string_view name, std::string_view value) {
    if (breaks_line(name) || breaks_line(value)) {
      log(LogLevel::error, "response_field_dropped",
          {{"field", std::string(name)}, {"traceId", std::string(line.id)}});
      return;
    }
    out.append(name).append(": ").append(value).append("\r\n");
  };
  if (!response.content_type.empty()) field("Content-Type", response.content_type);
  if (pieces_of(response) != nullptr) {
    if (line.chunks) field("Transfer-Encoding", "chunked");
  } else if (response.status != 204 && response.status != 304) {
    field("Content-Length", std::to_string(bytes_of(response).size()));
  }
  bool cache_control = false;
  for (const auto& [name, value] : response.headers) {
    cache_control = cache_control || equal_field_names(name, "Cache-Control");
    field(name, value);
  }
  if (!cache_control) field("Cache-Control", "no-store");
  field("X-Content-Type-Options", "nosniff");
  field("X-Request-Id", line.id);
  out.append(line.date_line);
  if (line.close) {
    field("Connection", "close");
  } else if (line.old_keep_alive) {
    field("Connection", "keep-alive");
  }
  out.append("\r\n");
  return out;
}

bool acceptable_request_id(std::string_view id) {
  return !id.empty() && id.size() <= kMaxRequestIdBytes && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

bool is_json(std::string_view content_type) {
  std::size_t semicolon = content_type.find(';');
  if (!equal_field_names(trimmed(content_type.substr(0, semicolon)), "application/json")) return false;
  while (semicolon != std::string_view::npos) {
    content_type.remove_prefix(semicolon + 1);
    semicolon = content_type.find(';');
    const std::string_view parameter = trimmed(content_type.substr(0, semicolon));
    const std::size_t equals = parameter.find('=');
    if (!equal_field_names(parameter.substr(0, equals), "charset")) continue;
    const std::string_view value = equals == std::string_view::npos ? "" : parameter.substr(equals + 1);
    if (!equal_field_names(value, "utf-8") && !equal_field_names(value, "\"utf-8\"")) return false;
  }
  return true;
}

}  // namespace imprimatur::http
