// /projects/{project}/teams.
#include "http/api/identity_routes.h"
#include "http/api/request.h"

#include <boost/json.hpp>

namespace imprimatur::http {
namespace {

namespace json = boost::json;

json::object team_json(const identity::TeamView& view) {
  return {{"id", view.team.id.text},
          {"name", view.team.name},
          {"members", json::array(view.members.begin(), view.members.end())}};
}

Result<Response> list(IdentityApi api, const Request& request, const PathArguments& path) {
  const auto find = [&](const Principal& who, const store::PageRequest& at) {
    return api.projects.teams(who, path["project"], at);
  };
  return answer_page(request, api.identity, find, team_json);
}

Result<Response> create(IdentityApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  const std::string name = TRY(only_name(request));
  return answer(team_json(TRY(api.projects.create_team(asked, path["project"], name))), 201);
}

}  // namespace

void add_team_routes(Router& router, IdentityApi api) {
  const std::string all = "/api/v1/projects/{project}/teams";
  router.add({Method::get, all,
              [api](const Request& request, const PathArguments& path) { return list(api, request, path); }});
  router.add({Method::post, all, [api](const Request& request, const PathArguments& path) {
                return create(api, request, path);
              }});
}

}  // namespace imprimatur::http
