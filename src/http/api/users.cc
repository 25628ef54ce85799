// /users: the people of the organisation.
#include "http/api/identity_routes.h"
#include "http/api/request.h"

#include <boost/json.hpp>

namespace imprimatur::http {
namespace {

namespace json = boost::json;
using identity::Identity;

json::object user_json(const User& user) {
  return {{"id", user.id.text},
          {"email", user.email},
          {"displayName", user.display_name},
          {"organisationAdmin", user.organisation_admin},
          {"disabled", user.disabled},
          {"createdAt", to_rfc3339(user.created_at)}};
}

Result<Response> list(Identity& identity, const Request& request) {
  const auto find = [&](const Principal& who, const store::PageRequest& at) {
    return identity.users(who, at);
  };
  return answer_page(request, identity, find, user_json);
}

Result<Response> create(Identity& identity, const Request& request) {
  const store::Command asked = TRY(command(request, identity));
  TRY(no_query(request));
  Body body = TRY(Body::of(request));
  Fields fields = body.fields();
  const identity::NewUser wanted{.email = fields.text("email"),
                                 .display_name = fields.text("displayName"),
                                 .password = fields.text("password"),
                                 .organisation_admin = fields.flag_if("organisationAdmin").value_or(false)};
  TRY(body.done());
  return answer(user_json(TRY(identity.create_user(asked, wanted))), 201);
}

Result<Response> change(Identity& identity, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, identity));
  TRY(no_query(request));
  Body body = TRY(Body::of(request));
  Fields fields = body.fields();
  const identity::UserChange wanted{.disabled = fields.flag_if("disabled"),
                                    .organisation_admin = fields.flag_if("organisationAdmin"),
                                    .display_name = fields.text_if("displayName")};
  TRY(body.done());
  if (!wanted.disabled && !wanted.organisation_admin && !wanted.display_name)
    return invalid("The body changes nothing: send displayName, disabled or organisationAdmin.");
  return answer(user_json(TRY(identity.change_user(asked, PrincipalId{path["user"]}, wanted))));
}

Result<Response> reset_password(Identity& identity, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, identity));
  TRY(no_query(request));
  Body body = TRY(Body::of(request));
  const std::string wanted = body.fields().text("password");
  TRY(body.done());
  TRY(identity.reset_password(asked, PrincipalId{path["user"]}, wanted));
  return no_content();
}

}  // namespace

void add_user_routes(Router& router, Identity& identity) {
  router.add({Method::get, "/api/v1/users",
              [&identity](const Request& request, const PathArguments&) { return list(identity, request); }});
  router.add({Method::post, "/api/v1/users", [&identity](const Request& request, const PathArguments&) {
                return create(identity, request);
              }});
  router.add(
      {Method::patch, "/api/v1/users/{user}", [&identity](const Request& request, const PathArguments& path) {
         return change(identity, request, path);
       }});
  router.add({Method::put, "/api/v1/users/{user}/password",
              [&identity](const Request& request, const PathArguments& path) {
                return reset_password(identity, request, path);
              }});
}

}  // namespace imprimatur::http
