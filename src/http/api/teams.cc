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
  const Principal who = TRY(caller(request, api.identity));
  Query query(request);
  const store::PageRequest at = page(query);
  TRY(query.done());
  const auto found = TRY(api.projects.teams(who, path["project"], at));
  json::array items;
  for (const identity::TeamView& view : found.items) items.push_back(team_json(view));
  return answer_list(std::move(items), found.next_cursor);
}

Result<Response> create(IdentityApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  Body body = TRY(Body::of(request));
  const std::string name = body.fields().text("name");
  TRY(body.done());
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
