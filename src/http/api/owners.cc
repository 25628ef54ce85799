// /projects/{project}/owners.
#include "http/api/registry_json.h"
#include "http/api/registry_routes.h"
#include "http/api/request.h"

#include <boost/json.hpp>

namespace imprimatur::http {
namespace {

Result<Response> get(RegistryApi api, const Request& request, const PathArguments& path) {
  const Principal who = TRY(caller(request, api.identity));
  TRY(no_query(request));
  return answer(owners_json(TRY(api.queries.owners(who, path["project"]))));
}

Result<Response> put(RegistryApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  Body body = TRY(Body::of(request));
  Fields fields = body.fields();
  const auto version = fields.integer_if("version");
  std::vector<registry::NamedOwners> rules;
  if (auto wanted = fields.objects_if("rules")) {
    for (Fields& rule : *wanted) {
      registry::NamedOwners one;
      one.pattern = rule.text("pattern");
      one.owners = rule.texts_if("owners").value_or(std::vector<std::string>());
      rules.push_back(std::move(one));
    }
  }
  if (!fields.has("rules")) fields.complain("rules", "is required");
  TRY(body.done());
  using Outcome = registry::Registry::EnvironmentOutcome;
  const Outcome outcome = TRY(api.registry.put_owners(asked, path["project"], rules, version));
  return answer(owners_json(TRY(api.queries.owners(asked.principal, path["project"]))),
                outcome == Outcome::waiting ? 202 : 200);
}

}  // namespace

void add_owner_routes(Router& router, RegistryApi api) {
  const std::string all = "/api/v1/projects/{project}/owners";
  router.add({Method::get, all,
              [api](const Request& request, const PathArguments& path) { return get(api, request, path); }});
  router.add({Method::put, all,
              [api](const Request& request, const PathArguments& path) { return put(api, request, path); }});
}

}  // namespace imprimatur::http
