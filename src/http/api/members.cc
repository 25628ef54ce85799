// /projects/{project}/members.
#include "http/api/identity_routes.h"
#include "http/api/request.h"

#include <boost/json.hpp>

namespace imprimatur::http {
namespace {

namespace json = boost::json;

json::object member_json(const identity::MemberView& member) {
  return {{"id", member.person.text},
          {"email", member.email},
          {"displayName", member.display_name},
          {"role", name_of(member.role)},
          {"teams", json::array(member.teams.begin(), member.teams.end())},
          {"disabled", !member.active}};
}

Result<Response> list(IdentityApi api, const Request& request, const PathArguments& path) {
  const auto find = [&](const Principal& who, const store::PageRequest& at) {
    return api.projects.members(who, path["project"], at);
  };
  return answer_page(request, api.identity, find, member_json);
}

Result<Response> put(IdentityApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  Body body = TRY(Body::of(request));
  Fields fields = body.fields();
  const Role role = fields.word("role", role_of);
  const auto teams = fields.texts_if("teams");
  TRY(body.done());
  return answer(
      member_json(TRY(api.projects.put_member(asked, path["project"], path["email"], role, teams))));
}

Result<Response> remove(IdentityApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  TRY(api.projects.delete_member(asked, path["project"], path["email"]));
  return no_content();
}

}  // namespace

void add_member_routes(Router& router, IdentityApi api) {
  const std::string one = "/api/v1/projects/{project}/members/{email}";
  router.add({Method::get, "/api/v1/projects/{project}/members",
              [api](const Request& request, const PathArguments& path) { return list(api, request, path); }});
  router.add({Method::put, one,
              [api](const Request& request, const PathArguments& path) { return put(api, request, path); }});
  router.add({Method::delete_, one, [api](const Request& request, const PathArguments& path) {
                return remove(api, request, path);
              }});
}

}  // namespace imprimatur::http
