// /auth: signing in and out, and who one is.
#include "http/api/identity_routes.h"
#include "http/api/request.h"

#include <boost/json.hpp>

namespace imprimatur::http {
namespace {

namespace json = boost::json;
using identity::Identity;

std::string session_cookie(std::string_view token, bool secure) {
  std::string cookie =
      std::string(kSessionCookie) + "=" + std::string(token) + "; Path=/; HttpOnly; SameSite=Strict";
  if (token.empty()) cookie += "; Max-Age=0";
  if (secure) cookie += "; Secure";
  return cookie;
}

Result<Response> login(Identity& identity, const Request& request) {
  TRY(no_query(request));
  Body body = TRY(Body::of(request));
  Fields fields = body.fields();
  const std::string email = fields.text("email");
  const std::string password = fields.text("password");
  TRY(body.done());
  const identity::SignedIn in = TRY(identity.login(email, password));
  const json::object told{{"token", in.token},
                          {"expiresAt", to_rfc3339(in.expires_at)},
                          {"csrfToken", in.csrf},
                          {"user", json::object{{"id", in.user.id.text},
                                                {"email", in.user.email},
                                                {"displayName", in.user.display_name}}}};
  Response out = TRY(answer(told));
  out.headers.emplace_back("Set-Cookie", session_cookie(in.token, request.secure));
  out.headers.emplace_back("Cache-Control", "no-store");
  return out;
}

Result<Response> me(Identity& identity, const Request& request) {
  const Principal who = TRY(caller(request, identity));
  TRY(no_query(request));
  const identity::Self self = TRY(identity.self(who));
  json::array scopes, projects;
  for (const Scope scope : who.scopes) scopes.push_back(json::value(name_of(scope)));
  for (const identity::ProjectView& view : self.projects) {
    projects.push_back(json::object{{"name", view.project.name},
                                    {"role", view.role ? json::value(name_of(*view.role)) : json::value()}});
  }
  return answer(json::object{{"id", who.id.text},
                             {"kind", name_of(who.kind)},
                             {"email", text_or_null(self.email)},
                             {"displayName", self.display_name},
                             {"organisationAdmin", self.organisation_admin},
                             {"scopes", std::move(scopes)},
                             {"environment", text_or_null(self.environment)},
                             {"projects", std::move(projects)}});
}

Result<Response> logout(Identity& identity, const Request& request) {
  const Principal who = TRY(caller(request, identity));
  TRY(no_query(request));
  TRY(Body::maybe(request));
  TRY(identity.logout(who));
  Response out = no_content();
  out.headers.emplace_back("Set-Cookie", session_cookie("", request.secure));
  return out;
}

Result<Response> change_password(Identity& identity, const Request& request) {
  const Principal who = TRY(caller(request, identity));
  TRY(no_query(request));
  Body body = TRY(Body::of(request));
  Fields fields = body.fields();
  const std::string current = fields.text("currentPassword");
  const std::string wanted = fields.text("newPassword");
  TRY(body.done());
  TRY(identity.change_password(who, current, wanted));
  return no_content();
}

}  // namespace

constexpr std::size_t kLoginBytes = 16 * 1024;

void add_auth_routes(Router& router, Identity& identity) {
  router.add({Method::post,
              "/api/v1/auth/login",
              [&identity](const Request& request, const PathArguments&) { return login(identity, request); },
              {.body_bytes = kLoginBytes, .open = true}});
  router.add({Method::get, "/api/v1/auth/me",
              [&identity](const Request& request, const PathArguments&) { return me(identity, request); }});
  router.add({Method::post, "/api/v1/auth/logout", [&identity](const Request& request, const PathArguments&) {
                return logout(identity, request);
              }});
  router.add(
      {Method::post, "/api/v1/auth/password", [&identity](const Request& request, const PathArguments&) {
         return change_password(identity, request);
       }});
}

}  // namespace imprimatur::http
