// /projects/{project}/service-accounts.
#include "http/api/identity_routes.h"
#include "http/api/request.h"

#include <boost/json.hpp>

namespace imprimatur::http {
namespace {

namespace json = boost::json;

json::object account_json(const identity::AccountView& view) {
  return {{"id", view.account.id.text},
          {"name", view.account.name},
          {"owner", owner_json(view.account.owner, view.owner_name)},
          {"disabled", view.account.disabled},
          {"createdAt", to_rfc3339(view.account.created_at)}};
}

Result<Response> list(IdentityApi api, const Request& request, const PathArguments& path) {
  const auto find = [&](const Principal& who, const store::PageRequest& at) {
    return api.projects.service_accounts(who, path["project"], at);
  };
  return answer_page(request, api.identity, find, account_json);
}

Result<Response> create(IdentityApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  const std::string name = TRY(only_name(request));
  return answer(account_json(TRY(api.projects.create_service_account(asked, path["project"], name))), 201);
}

Result<Response> change(IdentityApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  Body body = TRY(Body::of(request));
  const std::optional<bool> disabled = body.fields().flag_if("disabled");
  TRY(body.done());
  if (!disabled) return invalid_field("disabled", "is missing");
  const auto changed =
      api.projects.change_service_account(asked, path["project"], path["account"], *disabled);
  return answer(account_json(TRY(changed)));
}

}  // namespace

void add_service_account_routes(Router& router, IdentityApi api) {
  const std::string all = "/api/v1/projects/{project}/service-accounts";
  router.add({Method::get, all,
              [api](const Request& request, const PathArguments& path) { return list(api, request, path); }});
  router.add({Method::post, all, [api](const Request& request, const PathArguments& path) {
                return create(api, request, path);
              }});
  router.add({Method::patch, all + "/{account}", [api](const Request& request, const PathArguments& path) {
                return change(api, request, path);
              }});
}

}  // namespace imprimatur::http
