#include "cli/client.h"

#include "base/hash.h"
#include "base/json.h"
#include "base/percent.h"
#include "cli/prompt_sources.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include <boost/json.hpp>

namespace imprimatur::cli {
namespace {

namespace json = boost::json;
namespace fs = std::filesystem;

constexpr int kAttempts = 3;

std::optional<ErrorCode> code_named(std::string_view name) {
  for (const ErrorCode code :
       {ErrorCode::invalid, ErrorCode::unauthenticated, ErrorCode::forbidden, ErrorCode::not_found,
        ErrorCode::conflict, ErrorCode::precondition_failed, ErrorCode::too_large, ErrorCode::unsupported,
        ErrorCode::unprocessable, ErrorCode::rate_limited, ErrorCode::unavailable}) {
    if (name_of(code) == name) return code;
  }
  return std::nullopt;
}

ErrorCode code_of_status(int status) {
  if (status == 401) return ErrorCode::unauthenticated;
  if (status == 403) return ErrorCode::forbidden;
  if (status == 404) return ErrorCode::not_found;
  if (status == 409) return ErrorCode::conflict;
  if (status == 422) return ErrorCode::unprocessable;
  if (status == 429) return ErrorCode::rate_limited;
  return status >= 500 ? ErrorCode::unavailable : ErrorCode::invalid;
}

std::string text_or(const json::object& object, std::string_view name, std::string otherwise) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : otherwise;
}

Error problem_of(const HttpResponse& response, const std::string& url) {
  Error error;
  error.code = code_of_status(response.status);
  error.detail = "the server answered " + std::to_string(response.status) + " to " + url;
  const auto parsed = parse_json(response.body);
  if (!parsed.ok() || !parsed->is_object()) return error;
  const json::object& problem = parsed->get_object();
  error.code = code_named(text_or(problem, "code", "")).value_or(error.code);
  error.detail = text_or(problem, "detail", text_or(problem, "title", error.detail));
  if (const json::value* reasons = problem.if_contains("reasons");
      reasons != nullptr && reasons->is_array()) {
    for (const json::value& reason : reasons->get_array()) {
      if (reason.is_string()) error.reasons.emplace_back(reason.get_string());
    }
  }
  if (const json::value* fields = problem.if_contains("errors"); fields != nullptr && fields->is_array()) {
    for (const json::value& field : fields->get_array()) {
      if (!field.is_object()) continue;
      error.fields.push_back(
          {text_or(field.get_object(), "field", ""), text_or(field.get_object(), "message", "")});
    }
  }
  return error;
}

Result<fs::path> token_file(const Console& console) {
  if (const auto config = console.environment("XDG_CONFIG_HOME"))
    return fs::path(*config) / "imprimatur/tokens.json";
  if (const auto home = console.environment("HOME"))
    return fs::path(*home) / ".config/imprimatur/tokens.json";
  return invalid("neither XDG_CONFIG_HOME nor HOME says where tokens are kept");
}

Result<json::object> stored_tokens(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return json::object();
  if ((status.st_mode & 077) != 0) return forbidden(path.string() + " can be read by others; chmod 600 it");
  const std::string text = TRY(read_file(path.string()));
  auto parsed = parse_json(text);
  if (parsed.ok() && parsed->is_object()) return std::move(parsed->get_object());
  return invalid(path.string() + " holds no tokens" + (parsed.ok() ? "" : ": " + parsed.error().detail) +
                 "; `imprimatur login` makes it anew");
}

Status write_tokens(const fs::path& path, const json::object& tokens) {
  std::error_code failed;
  fs::create_directories(path.parent_path(), failed);
  fs::permissions(path.parent_path(), fs::perms::owner_all, failed);
  const std::string temporary = path.string() + ".new";
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return unavailable("cannot write " + temporary + ": " + std::strerror(errno));
  const std::string text = json::serialize(tokens) + "\n";
  const bool written =
      ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(file) == 0;
  ::close(file);
  if (!written || ::rename(temporary.c_str(), path.c_str()) != 0) {
    return unavailable("cannot write " + path.string() + ": " + std::strerror(errno));
  }
  return Ok{};
}

std::string given(const Console& console, const std::string& option, const std::string& variable,
                  std::string_view otherwise) {
  if (!option.empty()) return option;
  return console.environment(variable).value_or(std::string(otherwise));
}

}  // namespace

Result<std::string> checked_server(std::string_view address) {
  const bool tls = address.starts_with("https://");
  if (!tls && !address.starts_with("http://"))
    return invalid("a server's address begins with https:// or http://");
  std::string_view host = address.substr(tls ? 8 : 7);
  while (host.ends_with('/')) host.remove_suffix(1);
  if (host.empty() || host.find_first_of("/?#@ \\") != host.npos) return invalid("not a server's address");
  const std::string_view name = host.substr(0, host.starts_with('[') ? host.find(']') + 1 : host.find(':'));
  const bool here = name == "localhost" || name == "[::1]" || name.starts_with("127.");
  if (!tls && !here)
    return invalid("plain http is only for this machine; use https:// for " + std::string(name));
  return std::string(tls ? "https://" : "http://") + std::string(host);
}

Status store_token(const Console& console, const std::string& server, const std::string& token) {
  const fs::path path = TRY(token_file(console));
  auto stored = stored_tokens(path);
  if (!stored.ok() && stored.error().code != ErrorCode::invalid) return stored.error();
  // What cannot be understood helps nobody.
  json::object tokens = stored.ok() ? *std::move(stored) : json::object();
  tokens[server] = token;
  return write_tokens(path, tokens);
}

Status forget_token(const Console& console, const std::string& server, const std::string& token) {
  const fs::path path = TRY(token_file(console));
  json::object tokens = TRY(stored_tokens(path));
  if (text_or(tokens, server, "") != token) return Ok{};
  tokens.erase(server);
  return write_tokens(path, tokens);
}

Client::Client(std::string server, std::string project, std::string token)
    : server_(std::move(server)),
      project_(std::move(project)),
      token_(std::move(token)),
      http_(std::make_unique<HttpClient>()) {}

Result<Client> Client::anonymous(const Console& console, const ServerOptions& options) {
  std::string server =
      TRY(checked_server(given(console, options.server, "IMPRIMATUR_SERVER", kDefaultServer)));
  return Client(std::move(server), given(console, options.project, "IMPRIMATUR_PROJECT", ""), "");
}

Result<Client> Client::stored(const Console& console, const ServerOptions& options) {
  Client client = TRY(anonymous(console, options));
  const fs::path path = TRY(token_file(console));
  const json::object tokens = TRY(stored_tokens(path));
  client.token_ = text_or(tokens, client.server_, "");
  if (client.token_.empty()) {
    return unauthenticated("nobody is signed in to " + client.server_ +
                           "; run `imprimatur login`, or set IMPRIMATUR_TOKEN to an API key");
  }
  return client;
}

Result<Client> Client::make(const Console& console, const ServerOptions& options) {
  const auto token = console.environment("IMPRIMATUR_TOKEN");
  if (!token) return stored(console, options);
  Client client = TRY(anonymous(console, options));
  client.token_ = *token;
  return client;
}

Result<std::string> Client::exchange(HttpRequest request) {
  request.url = server_ + request.url;
  if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
  HttpResponse response = TRY(http_->send(request));
  if (response.status < 200 || response.status > 299) {
    Error problem = problem_of(response, request.url);
    const bool asked = std::any_of(problem.fields.begin(), problem.fields.end(),
                                   [](const FieldError& field) { return field.field == "project"; });
    if (asked && project_.empty())
      problem.detail = "no project was named: give --project, or set IMPRIMATUR_PROJECT";
    return problem;
  }
  return std::move(response.body);
}

Result<json::value> Client::send(HttpRequest request) {
  request.headers.emplace_back("Accept", "application/json");
  const std::string body = TRY(exchange(std::move(request)));
  if (body.empty()) return json::value();
  return parse_json(body, {.bytes = 32 * 1024 * 1024, .values = 5'000'000});
}

Result<std::string> Client::download(const std::string& path) { return exchange({.url = path}); }

Result<json::value> Client::get(const std::string& path) { return send({.url = path}); }

Result<json::value> Client::post(const std::string& path, const json::value& body) {
  HttpRequest request{.method = "POST", .url = path};
  request.body = json::serialize(body);
  request.headers.emplace_back("Content-Type", "application/json");
  request.headers.emplace_back("Idempotency-Key", to_hex(random_bytes(16)));
  for (int attempt = 1;; ++attempt) {
    Result<json::value> answer = send(request);
    if (answer.ok() || answer.error().code != ErrorCode::unavailable || attempt == kAttempts) return answer;
    std::this_thread::sleep_for(std::chrono::milliseconds(300 * attempt));
  }
}

std::string Client::project_query() const {
  return project_.empty() ? std::string() : "&project=" + percent_encode(project_);
}

Result<std::string> Client::prompt_id(const std::string& reference) {
  if (reference.starts_with("art_") && reference.size() == 30) return reference;
  const json::value found =
      TRY(get("/api/v1/prompts?limit=1&name=" + percent_encode(reference) + project_query()));
  const json::value* items = found.is_object() ? found.get_object().if_contains("items") : nullptr;
  if (items == nullptr || !items->is_array() || items->get_array().empty()) {
    return not_found("there is no prompt \"" + reference + "\", or it is not yours to see");
  }
  const json::value& first = items->get_array()[0];
  if (!first.is_object()) return unavailable("the server's answer cannot be understood");
  return text_or(first.get_object(), "id", "");
}

Result<std::int64_t> Client::latest_version(const std::string& id) {
  const json::value prompt = TRY(get("/api/v1/prompts/" + percent_encode(id)));
  const json::value* latest = prompt.is_object() ? prompt.get_object().if_contains("latestVersion") : nullptr;
  if (latest == nullptr || !latest->is_int64())
    return unavailable("the server's answer cannot be understood");
  return latest->get_int64();
}

}  // namespace imprimatur::cli
