// /prompts/{prompt}/versions/{version}/checks and …/accepted-findings.
#include "http/api/registry_json.h"
#include "http/api/registry_routes.h"
#include "http/api/request.h"

#include <boost/json.hpp>

namespace imprimatur::http {
namespace {

namespace json = boost::json;

Result<Response> report(RegistryApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  const VersionRef version = TRY(version_of(path));
  Body body = TRY(Body::of(request));
  Fields fields = body.fields();
  registry::WantedCheck wanted;
  wanted.name = fields.text("name");
  wanted.digest = fields.text("digest");
  const auto status = check_status_of(fields.text("status"));
  if (!status) fields.complain("status", "must be pass, fail, error or pending");
  wanted.status = status.value_or(CheckStatus::error);
  wanted.summary = fields.text_if("summary").value_or("");
  wanted.url = fields.text_if("url", Null::absent).value_or("");
  TRY(body.done());
  const std::string id = TRY(api.registry.report_check(asked, version, std::move(wanted)));
  const auto made = TRY(api.queries.check(asked.principal, version, id));
  return answer(check_json(made.page.items.front(), made.displays), 201);
}

Result<Response> checks(RegistryApi api, const Request& request, const PathArguments& path) {
  const Principal who = TRY(caller(request, api.identity));
  Query query(request);
  const store::PageRequest at = page(query);
  TRY(query.done());
  const VersionRef version = TRY(version_of(path));
  const auto found = TRY(api.queries.checks(who, version, at));
  return answer_page(found.page, [&](const CheckReport& each) { return check_json(each, found.displays); });
}

Result<Response> accept(RegistryApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  const VersionRef version = TRY(version_of(path));
  Body body = TRY(Body::of(request));
  Fields fields = body.fields();
  registry::WantedAcceptance wanted;
  wanted.rule = fields.text("rule");
  wanted.digest = fields.text("digest");
  wanted.reason = fields.text("reason");
  const auto expires = fields.time_if("expiresAt");
  if (!fields.has("expiresAt")) fields.complain("expiresAt", "is required");
  wanted.expires = expires.value_or(Time{});
  TRY(body.done());
  const std::string id = TRY(api.registry.accept_finding(asked, version, std::move(wanted)));
  const auto made = TRY(api.queries.accepted_one(asked.principal, version, id));
  return answer(accepted_json(made.page.items.front(), made.displays), 201);
}

Result<Response> accepted(RegistryApi api, const Request& request, const PathArguments& path) {
  const Principal who = TRY(caller(request, api.identity));
  Query query(request);
  const store::PageRequest at = page(query);
  TRY(query.done());
  const VersionRef version = TRY(version_of(path));
  const auto found = TRY(api.queries.accepted(who, version, at));
  return answer_page(found.page,
                     [&](const AcceptedFinding& each) { return accepted_json(each, found.displays); });
}

}  // namespace

void add_attesting_routes(Router& router, RegistryApi api) {
  const std::string one = "/api/v1/prompts/{prompt}/versions/{version}";
  router.add({Method::post, one + "/checks", [api](const Request& request, const PathArguments& path) {
                return report(api, request, path);
              }});
  router.add({Method::get, one + "/checks", [api](const Request& request, const PathArguments& path) {
                return checks(api, request, path);
              }});
  router.add(
      {Method::post, one + "/accepted-findings",
       [api](const Request& request, const PathArguments& path) { return accept(api, request, path); }});
  router.add(
      {Method::get, one + "/accepted-findings",
       [api](const Request& request, const PathArguments& path) { return accepted(api, request, path); }});
}

}  // namespace imprimatur::http
