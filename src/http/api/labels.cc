// /prompts/{prompt}/labels.
#include "http/api/registry_json.h"
#include "http/api/registry_routes.h"
#include "http/api/request.h"
#include "store/cursor.h"

#include <algorithm>

#include <boost/json.hpp>

namespace imprimatur::http {
namespace {

using registry::Sight;

Result<Response> one_label(RegistryApi api, const Principal& who, const PathArguments& path, Sight sight) {
  const registry::LabelsView view = TRY(api.queries.labels(who, {path["prompt"]}, sight));
  const auto found = std::find_if(view.labels.begin(), view.labels.end(),
                                  [&](const Label& label) { return label.name == path["label"]; });
  if (found == view.labels.end()) return not_found("The prompt has no such label.");
  return answer(label_json(*found, view.displays));
}

Result<Response> list(RegistryApi api, const Request& request, const PathArguments& path) {
  const Principal who = TRY(caller(request, api.identity));
  Query query(request);
  const store::PageRequest at = page(query);
  TRY(query.done());
  const std::string after = TRY(store::text_after(at));
  registry::LabelsView view =
      TRY(api.queries.labels(who, {path["prompt"]}));  // at most kMaxLabels and `latest`
  std::erase_if(view.labels, [&](const Label& label) { return !after.empty() && label.name <= after; });
  const auto found = store::paged(std::move(view.labels), at, [](const Label& label) { return label.name; });
  return answer_page(found, [&](const Label& label) { return label_json(label, view.displays); });
}

Result<Response> get(RegistryApi api, const Request& request, const PathArguments& path) {
  const Principal who = TRY(caller(request, api.identity));
  TRY(no_query(request));
  return one_label(api, who, path, Sight::reading);
}

Result<Response> put(RegistryApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  Body body = TRY(Body::of(request));
  Fields fields = body.fields();
  const std::int64_t version = fields.integer("version");
  TRY(body.done());
  TRY(api.registry.put_label(asked, {path["prompt"]}, path["label"], version));
  return one_label(api, asked.principal, path, Sight::own_write);
}

Result<Response> remove(RegistryApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  TRY(api.registry.delete_label(asked, {path["prompt"]}, path["label"]));
  return no_content();
}

}  // namespace

void add_label_routes(Router& router, RegistryApi api) {
  const std::string one = "/api/v1/prompts/{prompt}/labels/{label}";
  router.add({Method::get, "/api/v1/prompts/{prompt}/labels",
              [api](const Request& request, const PathArguments& path) { return list(api, request, path); }});
  router.add({Method::get, one,
              [api](const Request& request, const PathArguments& path) { return get(api, request, path); }});
  router.add({Method::put, one,
              [api](const Request& request, const PathArguments& path) { return put(api, request, path); }});
  router.add({Method::delete_, one, [api](const Request& request, const PathArguments& path) {
                return remove(api, request, path);
              }});
}

}  // namespace imprimatur::http
