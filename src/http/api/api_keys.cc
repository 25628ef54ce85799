// /projects/{project}/api-keys.
#include "http/api/identity_routes.h"
#include "http/api/request.h"

#include <boost/json.hpp>

namespace imprimatur::http {
namespace {

namespace json = boost::json;

json::object key_json(const identity::KeyView& view) {
  json::array scopes;
  for (const Scope scope : view.key.scopes) scopes.push_back(json::value(name_of(scope)));
  return {{"id", view.key.id.text},
          {"name", view.key.name},
          {"hint", view.key.hint},
          {"serviceAccount", view.service_account},
          {"owner", owner_json(view.key.owner, view.owner_name)},
          {"scopes", std::move(scopes)},
          {"environment", text_or_null(view.environment)},
          {"createdAt", to_rfc3339(view.key.created_at)},
          {"expiresAt", time_or_null(view.key.expires_at)},
          {"revokedAt", time_or_null(view.key.revoked_at)},
          {"lastUsedAt", time_or_null(view.key.last_used_at)}};
}

std::vector<Scope> scopes(Fields& fields) {
  std::vector<Scope> out;
  const auto names = fields.texts("scopes");
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (const auto scope = scope_of(names[i])) {
      out.push_back(*scope);
    } else {
      fields.complain("scopes[" + std::to_string(i) + "]", "is no scope");
    }
  }
  return out;
}

Result<Response> list(IdentityApi api, const Request& request, const PathArguments& path) {
  const auto find = [&](const Principal& who, const store::PageRequest& at) {
    return api.projects.keys(who, path["project"], at);
  };
  return answer_page(request, api.identity, find, key_json);
}

Result<Response> create(IdentityApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  Body body = TRY(Body::of(request));
  Fields fields = body.fields();
  const identity::NewKey wanted{
      .name = fields.text("name"),
      .scopes = scopes(fields),
      .environment = fields.text_if("environment", Null::absent).value_or(""),
      .expires_at = fields.time_if("expiresAt", Null::absent),
      .service_account = fields.text_if("serviceAccount", Null::absent).value_or("")};
  TRY(body.done());
  const identity::IssuedKey issued = TRY(api.projects.create_key(asked, path["project"], wanted));
  json::object out = key_json(issued.view);
  out["key"] = issued.secret;
  Response response = TRY(answer(out, 201));
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

Result<Response> revoke(IdentityApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  TRY(api.projects.revoke_key(asked, path["project"], KeyId{path["key"]}));
  return no_content();
}

}  // namespace

void add_api_key_routes(Router& router, IdentityApi api) {
  const std::string all = "/api/v1/projects/{project}/api-keys";
  router.add({Method::get, all,
              [api](const Request& request, const PathArguments& path) { return list(api, request, path); }});
  router.add({Method::post, all, [api](const Request& request, const PathArguments& path) {
                return create(api, request, path);
              }});
  router.add({Method::delete_, all + "/{key}", [api](const Request& request, const PathArguments& path) {
                return revoke(api, request, path);
              }});
}

}  // namespace imprimatur::http
