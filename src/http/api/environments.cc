// /projects/{project}/environments.
#include "http/api/registry_json.h"
#include "http/api/registry_routes.h"
#include "http/api/request.h"
#include "store/cursor.h"

#include <cmath>

#include <boost/json.hpp>

namespace imprimatur::http {
namespace {

namespace json = boost::json;
using Change = registry::Registry::EnvironmentChange;
using Outcome = registry::Registry::EnvironmentOutcome;

constexpr double kLargestNumber = 9007199254740991.0;  // 2^53 - 1

// Numbers that the text of a protection could not hold.
void complain_of_numbers(Fields& protection, const json::value& value, const std::string& path) {
  if (value.is_number() && !(std::abs(value.to_number<double>()) <= kLargestNumber)) {
    protection.complain(path, "is too large a number");
  } else if (value.is_object()) {
    for (const auto& [name, inner] : value.get_object()) {
      complain_of_numbers(protection, inner, path + "." + std::string(name));
    }
  } else if (value.is_array()) {
    for (const json::value& inner : value.get_array()) complain_of_numbers(protection, inner, path);
  }
}

// What is in it the registry reads: the one written form of a protection, with names for ids.
std::string protection_patch(Fields& protection) {
  json::object out = protection.members();
  out.erase("version");
  for (const auto& [name, value] : out) complain_of_numbers(protection, value, std::string(name));
  return out.empty() ? std::string() : json::serialize(out);
}

Change change_of(Fields& fields, const std::string& name) {
  Change change;
  if (const auto stated = fields.text_if("name"); stated && *stated != name) {
    fields.complain("name", "is not the one in the path; environments are not renamed");
  }
  change.order = fields.integer_if("order");
  if (change.order && (*change.order < 1 || *change.order > 1000)) {
    fields.complain("order", "must be from 1 to 1000");
  }
  if (auto protection = fields.object_if("protection")) {
    change.version = protection->integer_if("version");
    change.protection = protection_patch(*protection);
  }
  return change;
}

Result<Response> list(RegistryApi api, const Request& request, const PathArguments& path) {
  const Principal who = TRY(caller(request, api.identity));
  Query query(request);
  const store::PageRequest at = page(query);
  TRY(query.done());
  const std::int64_t after = TRY(store::number_after(at, 0));
  auto views = TRY(api.queries.environments(who, path["project"]));  // in their order
  std::erase_if(views, [&](const auto& view) { return view.environment.order <= after; });
  const auto order = [](const auto& view) { return static_cast<std::int64_t>(view.environment.order); };
  return answer_page(store::paged(std::move(views), at, order), environment_json);
}

Result<Response> get(RegistryApi api, const Request& request, const PathArguments& path) {
  const Principal who = TRY(caller(request, api.identity));
  TRY(no_query(request));
  return answer(environment_json(TRY(api.queries.environment(who, path["project"], path["environment"]))));
}

int status_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::changed: return 200;
    case Outcome::created: return 201;
    case Outcome::waiting: return 202;
  }
  CHECK(false, "unknown outcome");
}

Result<Response> put(RegistryApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  Body body = TRY(Body::of(request));
  Fields fields = body.fields();
  const Change change = change_of(fields, path["environment"]);
  TRY(body.done());
  const Outcome outcome =
      TRY(api.registry.put_environment(asked, path["project"], path["environment"], change));
  const auto view = TRY(api.queries.environment(asked.principal, path["project"], path["environment"]));
  return answer(environment_json(view), status_of(outcome));
}

}  // namespace

void add_environment_routes(Router& router, RegistryApi api) {
  const std::string one = "/api/v1/projects/{project}/environments/{environment}";
  router.add({Method::get, "/api/v1/projects/{project}/environments",
              [api](const Request& request, const PathArguments& path) { return list(api, request, path); }});
  router.add({Method::get, one,
              [api](const Request& request, const PathArguments& path) { return get(api, request, path); }});
  router.add({Method::put, one,
              [api](const Request& request, const PathArguments& path) { return put(api, request, path); }});
}

}  // namespace imprimatur::http
