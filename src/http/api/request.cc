#include "http/api/request.h"

#include "base/json.h"
#include "base/log.h"
#include "http/dispatch.h"
#include "store/broken.h"
#include "store/cursor.h"

#include <algorithm>

#include <boost/json.hpp>

namespace imprimatur::http {
namespace json = boost::json;
namespace {

constexpr std::string_view kBearer = "bearer ";

bool reads_only(Method method) { return method == Method::get || method == Method::head; }

Result<const std::string*> only_header(const Request& request, std::string_view name) {
  const std::string* found = nullptr;
  for (const auto& [field, value] : request.headers) {
    if (!equal_field_names(field, name)) continue;
    if (found) return invalid("The header " + std::string(name) + " stands twice.");
    found = &value;
  }
  return found;
}

Result<std::string> bearer_token(const std::string& authorization) {
  const bool bearer = authorization.size() > kBearer.size() &&
                      equal_field_names(authorization.substr(0, kBearer.size()), kBearer);
  if (!bearer) return unauthenticated("Authorization must be Bearer with a session token or an API key.");
  return authorization.substr(kBearer.size());
}

Result<std::string> idempotency_key(const Request& request) {
  const std::string* key = TRY(only_header(request, kIdempotencyHeader));
  if (!key) return std::string();
  const bool printable = std::all_of(key->begin(), key->end(), [](char c) { return c >= '!' && c <= '~'; });
  if (key->empty() || key->size() > kMaxIdempotencyKeyBytes || !printable)
    return invalid_field(std::string(kIdempotencyHeader), "must be 1 to 255 printable ASCII characters");
  return *key;
}

}  // namespace

Result<Principal> caller(const Request& request, identity::Identity& identity) {
  if (const std::string* authorization = TRY(only_header(request, "Authorization"))) {
    const std::string token = TRY(bearer_token(*authorization));
    if (token.size() > kMaxCredentialBytes) return unauthenticated("The credential is too long to be one.");
    return identity.authenticate(token);
  }
  const std::string token = cookie_value(request, kSessionCookie);
  if (token.empty()) return unauthenticated("Sign in, or send an API key in Authorization.");
  // A key in a cookie would escape the CSRF rule's reasoning: only sessions are taken from there.
  if (!token.starts_with(identity::kSessionPrefix) || token.size() > kMaxCredentialBytes)
    return unauthenticated("The session is unknown or has ended; sign in again.");
  Principal principal = TRY(identity.authenticate(token));
  if (!reads_only(request.method)) {
    const std::string* csrf = TRY(only_header(request, kCsrfHeader));
    TRY(identity.check_csrf(token, csrf ? *csrf : std::string()));
  }
  return principal;
}

Result<store::Command> command(const Request& request, identity::Identity& identity) {
  store::Command out{.principal = TRY(caller(request, identity))};
  const std::string key = TRY(idempotency_key(request));
  if (key.empty()) return out;
  const std::string_view method = name_of(request.method);
  // Keyed: a body may hold a password, and a plain hash of it could be guessed at in a stolen database.
  out.idempotency_key = identity.seals().of_request({method, path_of(request), key});
  out.request_hash = identity.seals().of_request({method, request.target, request.body});
  return out;
}

Status no_query(const Request& request) { return Query(request).done(); }

Result<std::string> only_name(const Request& request) {
  Body body = TRY(Body::of(request));
  std::string name = body.fields().text("name");
  TRY(body.done());
  return name;
}

store::PageRequest page(Query& query) {
  store::PageRequest out;
  out.limit = static_cast<int>(query.integer_if("limit", 1, store::kMaxPage).value_or(out.limit));
  out.cursor = query.text_if("cursor").value_or(std::string());
  return out;
}

std::string cookie_value(const Request& request, std::string_view name) {
  for (const auto& [field, value] : request.headers) {
    if (!equal_field_names(field, "Cookie")) continue;
    std::string_view rest = value;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(';'), rest.size());
      std::string_view one = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      while (one.starts_with(' ')) one.remove_prefix(1);
      const std::size_t equals = one.find('=');
      if (equals != std::string_view::npos && one.substr(0, equals) == name)
        return std::string(one.substr(equals + 1));
    }
  }
  return {};
}

Result<Response> answer(const json::value& value, int status) {
  auto text = canonical_json(value);
  if (text.ok()) return json_response(*std::move(text), status);
  // A number that no request could bring in, and no event either.
  log(LogLevel::error, "data_broken", {{"error", text.error().detail}});
  return store::broken_data();
}

Result<Response> answer_list(std::size_t count, const std::function<json::object(std::size_t)>& item,
                             std::string_view next_cursor) {
  json::array items;
  for (std::size_t i = 0; i < count; ++i) items.push_back(item(i));
  return answer(json::object{{"items", std::move(items)}, {"nextCursor", text_or_null(next_cursor)}});
}

json::value text_or_null(std::string_view text) { return text.empty() ? json::value() : json::value(text); }

json::value time_or_null(const std::optional<Time>& time) {
  return time ? json::value(to_rfc3339(*time)) : json::value();
}

}  // namespace imprimatur::http
