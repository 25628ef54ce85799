// /prompts/{prompt}/versions: reading, scanning, submitting, the gate.
#include "http/api/registry_json.h"
#include "http/api/registry_routes.h"
#include "http/api/request.h"

#include <charconv>

#include <boost/json.hpp>

namespace imprimatur::http {
namespace {

namespace json = boost::json;

Result<Response> list(RegistryApi api, const Request& request, const PathArguments& path) {
  const auto find = [&](const Principal& who, const store::PageRequest& at) {
    return api.queries.versions(who, {path["prompt"]}, at);
  };
  const auto show = [&](const registry::VersionView& view) {
    return version_json(view, api.registry.ruleset());
  };
  return answer_page(request, api.identity, find, show);
}

Result<Response> get(RegistryApi api, const Request& request, const PathArguments& path) {
  const Principal who = TRY(caller(request, api.identity));
  TRY(no_query(request));
  return answer(version_json(TRY(api.queries.version(who, TRY(version_of(path)))), api.registry.ruleset()));
}

Result<Response> effective(RegistryApi api, const Request& request, const PathArguments& path) {
  const Principal who = TRY(caller(request, api.identity));
  TRY(no_query(request));
  const VersionRef version = TRY(version_of(path));
  return answer(effective_json(TRY(api.queries.effective(who, version))));
}

Result<Response> scan(RegistryApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  const Body body = TRY(Body::maybe(request));
  TRY(body.done());
  return answer(scan_json(TRY(api.registry.scan(asked, TRY(version_of(path)))), api.registry.ruleset()));
}

Result<Response> scans(RegistryApi api, const Request& request, const PathArguments& path) {
  const auto find = [&](const Principal& who,
                        const store::PageRequest& at) -> Result<store::Page<ScanRecord>> {
    return api.queries.scans(who, TRY(version_of(path)), at);
  };
  const auto show = [&](const ScanRecord& record) { return scan_json(record, api.registry.ruleset()); };
  return answer_page(request, api.identity, find, show);
}

Result<Response> submit(RegistryApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  const VersionRef version = TRY(version_of(path));
  Body body = TRY(Body::maybe(request));
  Fields fields = body.fields();
  const std::string comment = fields.text_if("comment").value_or("");
  const auto environment = fields.text_if("environment");
  if (environment && environment->empty()) fields.complain("environment", "must not be empty");
  TRY(body.done());
  const std::string project = TRY(api.queries.project_name(asked.principal, version.artifact));
  const ReviewId made =
      TRY(api.registry.submit(asked, project, environment.value_or(""), {version}, comment));
  return answer(review_json(TRY(api.queries.review(asked.principal, made, registry::Sight::own_write))), 201);
}

Result<Response> gate(RegistryApi api, const Request& request, const PathArguments& path) {
  const Principal who = TRY(caller(request, api.identity));
  Query query(request);
  const std::string environment = query.text_if("environment").value_or("");
  TRY(query.done());
  const registry::GateView view = TRY(api.queries.gate(who, TRY(version_of(path)), environment));
  return answer(gate_json(view.answer, view.displays));
}

}  // namespace

Result<VersionRef> version_of(const PathArguments& path) {
  constexpr std::int64_t kLargest = 2'147'483'647;
  const std::string& text = path["version"];
  std::int64_t number = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (ec != std::errc() || end != text.data() + text.size() || number < 1 || number > kLargest) {
    return invalid_field("version", "a version is named by its number, 1 and up");
  }
  return VersionRef{{path["prompt"]}, number};
}

void add_version_routes(Router& router, RegistryApi api) {
  const std::string one = "/api/v1/prompts/{prompt}/versions/{version}";
  router.add({Method::get, "/api/v1/prompts/{prompt}/versions",
              [api](const Request& request, const PathArguments& path) { return list(api, request, path); }});
  router.add({Method::get, one,
              [api](const Request& request, const PathArguments& path) { return get(api, request, path); }});
  router.add({Method::get, one + "/effective", [api](const Request& request, const PathArguments& path) {
                return effective(api, request, path);
              }});
  router.add({Method::post, one + "/scan",
              [api](const Request& request, const PathArguments& path) { return scan(api, request, path); }});
  router.add({Method::get, one + "/scans", [api](const Request& request, const PathArguments& path) {
                return scans(api, request, path);
              }});
  router.add({Method::post, one + "/submit", [api](const Request& request, const PathArguments& path) {
                return submit(api, request, path);
              }});
  router.add({Method::get, one + "/gate",
              [api](const Request& request, const PathArguments& path) { return gate(api, request, path); }});
}

}  // namespace imprimatur::http
