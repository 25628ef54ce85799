// Deploying, rolling back, retiring, and the release history.
#include "http/api/registry_json.h"
#include "http/api/registry_routes.h"
#include "http/api/request.h"

#include <boost/json.hpp>

namespace imprimatur::http {
namespace {

namespace json = boost::json;
using registry::Sight;

// Left out: not stated. null: nothing is live.
registry::Expected expected_release(Fields& fields) {
  registry::Expected expected;
  const bool null = fields.is_null("expectedRelease");
  const auto id = fields.text_if("expectedRelease", Null::absent);
  if (id || null) expected.release = ReleaseId{id.value_or("")};
  return expected;
}

Result<Response> shown(RegistryApi api, const Principal& who, const ReleaseId& id) {
  return answer(release_json(TRY(api.queries.release(who, id, Sight::own_write))), 201);
}

// The reason for which the caller passes a freeze; empty where they do not ask to.
std::string pass_freeze(Fields& fields) {
  auto wanted = fields.object_if("passFreeze");
  if (!wanted) return {};
  std::string reason = wanted->text("reason");
  if (reason.empty()) wanted->complain("reason", "must say why");
  return reason;
}

Result<Response> deploy(RegistryApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  const VersionRef version = TRY(version_of(path));
  Body body = TRY(Body::of(request));
  Fields fields = body.fields();
  const std::string environment = fields.text("environment");
  const registry::Expected expected = expected_release(fields);
  const std::string reason = pass_freeze(fields);
  TRY(body.done());
  return shown(api, asked.principal, TRY(api.registry.deploy(asked, version, environment, expected, reason)));
}

Result<Response> deploy_review(RegistryApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  Body body = TRY(Body::maybe(request));
  Fields fields = body.fields();
  std::vector<std::pair<ArtifactId, ReleaseId>> expected;
  if (auto named = fields.object_if("expectedReleases")) {
    for (const auto& [artifact, release] : named->members()) {
      if (release.is_string() || release.is_null()) {
        expected.push_back(
            {{std::string(artifact)}, {release.is_null() ? "" : std::string(release.get_string())}});
      } else {
        named->complain(artifact, "must be the id of a release, or null");
      }
    }
  }
  const std::string reason = pass_freeze(fields);
  TRY(body.done());
  const auto made = TRY(api.registry.deploy_review(asked, {path["review"]}, expected, reason));
  json::array releases;
  std::string change_set, environment;
  for (const ReleaseId& id : made) {
    const registry::ReleaseView view = TRY(api.queries.release(asked.principal, id, Sight::own_write));
    change_set = view.release.change_set;
    environment = view.environment;
    releases.push_back(release_json(view));
  }
  return answer(json::object{{"changeSet", change_set},
                             {"review", path["review"]},
                             {"environment", environment},
                             {"releases", std::move(releases)}},
                201);
}

Result<Response> roll_back(RegistryApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  Body body = TRY(Body::of(request));
  Fields fields = body.fields();
  const std::string environment = fields.text("environment");
  const auto to = fields.integer_if("to", Null::absent);
  const registry::Expected expected = expected_release(fields);
  const std::string reason = fields.text_if("reason").value_or("");
  TRY(body.done());
  return shown(api, asked.principal,
               TRY(api.registry.roll_back(asked, {path["prompt"]}, environment, to, expected, reason)));
}

Result<Response> retire(RegistryApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  const VersionRef version = TRY(version_of(path));
  Body body = TRY(Body::of(request));
  Fields fields = body.fields();
  const std::string environment = fields.text("environment");
  const std::string reason = fields.text_if("reason").value_or("");
  TRY(body.done());
  TRY(api.registry.retire(asked, version, environment, reason));
  return answer(version_json(TRY(api.queries.version(asked.principal, version, Sight::own_write)),
                             api.registry.ruleset()));
}

Result<Response> list(RegistryApi api, const Request& request, const PathArguments& path) {
  const Principal who = TRY(caller(request, api.identity));
  Query query(request);
  const std::string environment = query.text_if("environment").value_or("");
  const store::PageRequest at = page(query);
  TRY(query.done());
  const auto found = TRY(api.queries.releases(who, {path["prompt"]}, environment, at));
  return answer_page(found, release_json);
}

}  // namespace

void add_release_routes(Router& router, RegistryApi api) {
  router.add(
      {Method::post, "/api/v1/prompts/{prompt}/versions/{version}/deploy",
       [api](const Request& request, const PathArguments& path) { return deploy(api, request, path); }});
  router.add(
      {Method::post, "/api/v1/prompts/{prompt}/versions/{version}/retire",
       [api](const Request& request, const PathArguments& path) { return retire(api, request, path); }});
  router.add(
      {Method::post, "/api/v1/prompts/{prompt}/rollback",
       [api](const Request& request, const PathArguments& path) { return roll_back(api, request, path); }});
  router.add({Method::get, "/api/v1/prompts/{prompt}/releases",
              [api](const Request& request, const PathArguments& path) { return list(api, request, path); }});
  router.add({Method::post, "/api/v1/reviews/{review}/deploy",
              [api](const Request& request, const PathArguments& path) {
                return deploy_review(api, request, path);
              }});
}

}  // namespace imprimatur::http
