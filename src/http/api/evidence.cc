// What let a release through, and who had an environment when.
#include "http/api/evidence_page.h"
#include "http/api/evidence_routes.h"
#include "http/api/registry_json.h"
#include "http/api/request.h"

#include <boost/json.hpp>

namespace imprimatur::http {
namespace {

namespace json = boost::json;

Response as_file(std::string content_type, const std::string& name, std::string body) {
  Response response;
  response.content_type = std::move(content_type);
  response.headers.emplace_back("Content-Disposition", "attachment; filename=\"" + name + "\"");
  response.body = std::move(body);
  return response;
}

Result<Response> evidence_of(EvidenceApi api, const Request& request, const PathArguments& path) {
  const Principal who = TRY(caller(request, api.identity));
  Query query(request);
  const std::string format = query.text_if("format").value_or("dsse");
  if (format != "dsse" && format != "html") query.complain("format", "must be dsse or html");
  TRY(query.done());
  const auto found = TRY(api.evidence.release(who, {path["release"]}));
  if (format == "dsse") {
    return as_file("application/json", path["release"] + ".dsse.json", found.envelope.to_json() + "\n");
  }
  Response response;
  response.content_type = "text/html; charset=utf-8";
  response.headers.emplace_back("Content-Security-Policy", evidence_page_policy());
  response.headers.emplace_back("Referrer-Policy", "no-referrer");
  response.body = evidence_page(found);
  return response;
}

json::object tenure_json(const evidence::History& history, const evidence::Tenure& tenure) {
  const Release& release = tenure.release;
  const bool over = release.end != ReleaseEnd::live;
  return {{"release", release.id.text},
          {"prompt", release.artifact.text},
          {"name", history.name},
          {"environment", history.environment},
          {"version", release.version},
          {"semver", tenure.semver},
          {"digest", release.digest},
          {"from", to_rfc3339(release.at)},
          {"to", over ? json::value(to_rfc3339(release.ended_at)) : json::value()},
          {"status", name_of(release.end)},
          {"kind", name_of(release.kind)},
          {"by", actor_json(release.by, {{release.by, tenure.by}})},
          {"reason", history.words_visible ? json::value(release.reason) : json::value()},
          {"review", id_or_null(release.review.text)},
          {"replaced", id_or_null(release.replaced.text)},
          {"protectionMet", release.protection_met}};
}

Result<Response> history(EvidenceApi api, const Request& request, const PathArguments& path) {
  const Principal who = TRY(caller(request, api.identity));
  Query query(request);
  const std::string environment = query.text_if("environment").value_or("");
  const auto at = query.time_if("at");
  const store::PageRequest from = page(query);
  TRY(query.done());
  const auto found = TRY(api.evidence.history(who, {path["prompt"]}, environment, at, from));
  return answer_page(found.page, [&](const evidence::Tenure& tenure) { return tenure_json(found, tenure); });
}

}  // namespace

void add_evidence_routes(Router& router, EvidenceApi api) {
  router.add(
      {Method::get, "/api/v1/releases/{release}/evidence",
       [api](const Request& request, const PathArguments& path) { return evidence_of(api, request, path); }});
  router.add(
      {Method::get, "/api/v1/prompts/{prompt}/history",
       [api](const Request& request, const PathArguments& path) { return history(api, request, path); }});
}

}  // namespace imprimatur::http
