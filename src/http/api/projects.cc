// /projects.
#include "http/api/identity_routes.h"
#include "http/api/request.h"

#include <boost/json.hpp>

namespace imprimatur::http {
namespace {

namespace json = boost::json;

json::object project_json(const identity::ProjectView& view) {
  return {{"id", view.project.id.text},
          {"name", view.project.name},
          {"description", view.project.description},
          {"role", view.role ? json::value(name_of(*view.role)) : json::value()},
          {"createdAt", to_rfc3339(view.project.created_at)}};
}

Result<Response> list(IdentityApi api, const Request& request) {
  const auto find = [&](const Principal& who, const store::PageRequest& at) {
    return api.projects.of(who, at);
  };
  return answer_page(request, api.identity, find, project_json);
}

Result<Response> create(IdentityApi api, const Request& request) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  Body body = TRY(Body::of(request));
  Fields fields = body.fields();
  const std::string name = fields.text("name");
  const std::string description = fields.text_if("description").value_or("");
  TRY(body.done());
  const Project made = TRY(api.projects.create(asked, name, description));
  return answer(project_json(TRY(api.projects.find(asked.principal, made.name))), 201);
}

Result<Response> get(IdentityApi api, const Request& request, const PathArguments& path) {
  const Principal who = TRY(caller(request, api.identity));
  TRY(no_query(request));
  return answer(project_json(TRY(api.projects.find(who, path["project"]))));
}

}  // namespace

void add_project_routes(Router& router, IdentityApi api) {
  router.add({Method::get, "/api/v1/projects",
              [api](const Request& request, const PathArguments&) { return list(api, request); }});
  router.add({Method::post, "/api/v1/projects",
              [api](const Request& request, const PathArguments&) { return create(api, request); }});
  router.add({Method::get, "/api/v1/projects/{project}",
              [api](const Request& request, const PathArguments& path) { return get(api, request, path); }});
}

}  // namespace imprimatur::http
