// /prompts, and importing them by the batch.
#include "http/api/content_fields.h"
#include "http/api/registry_json.h"
#include "http/api/registry_routes.h"
#include "http/api/request.h"

#include <algorithm>

#include <boost/json.hpp>

namespace imprimatur::http {
namespace {

namespace json = boost::json;
using registry::Sight;

constexpr std::size_t kBatchBytes = 8 * 1024 * 1024;

Result<Response> list(RegistryApi api, const Request& request) {
  const Principal who = TRY(caller(request, api.identity));
  Query query(request);
  const std::string project = query.text_if("project").value_or("");
  store::ArtifactQuery wanted;
  wanted.name = query.text_if("name").value_or("");
  wanted.text = query.text_if("q").value_or("");
  wanted.tag = query.text_if("tag").value_or("");
  if (const auto state = query.text_if("state")) {
    wanted.state = state_of(*state);
    if (!wanted.state) query.complain("state", "is no state of a version");
  }
  const store::PageRequest at = page(query);
  TRY(query.done());
  const auto found = TRY(api.queries.artifacts(who, project, wanted, at));
  return answer_page(found, prompt_json);
}

// The prompt, and of its version the number, digest and scan.
Result<Response> create(RegistryApi api, const Request& request) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  Body body = TRY(Body::of(request));
  Fields fields = body.fields();
  const std::string project = fields.text_if("project").value_or("");
  registry::NewArtifact wanted = new_artifact(fields);
  TRY(body.done());
  const VersionRef made = TRY(api.registry.create(asked, project, std::move(wanted)));
  const auto version = TRY(api.queries.version(asked.principal, made, Sight::own_write));
  json::object out = prompt_json(TRY(api.queries.artifact(asked.principal, made.artifact, Sight::own_write)));
  out["version"] = version.version.number;
  out["semver"] = version.version.semver;
  out["digest"] = version.version.digest;
  out["scan"] = version.scan ? json::value(scan_json(*version.scan, api.registry.ruleset())) : json::value();
  return answer(out, 201);
}

Result<Response> get(RegistryApi api, const Request& request, const PathArguments& path) {
  const Principal who = TRY(caller(request, api.identity));
  TRY(no_query(request));
  return answer(prompt_json(TRY(api.queries.artifact(who, {path["prompt"]}))));
}

Result<Response> save(RegistryApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  Body body = TRY(Body::of(request));
  Fields fields = body.fields();
  registry::NewVersion wanted;
  wanted.content = content_patch(fields);
  wanted.base_version = fields.integer_if("baseVersion");
  wanted.tags = fields.texts_if("tags");
  wanted.message = fields.text_if("message").value_or("");
  TRY(body.done());
  const VersionRef made = TRY(api.registry.save(asked, {path["prompt"]}, std::move(wanted)));
  return answer(
      version_json(TRY(api.queries.version(asked.principal, made, Sight::own_write)), api.registry.ruleset()),
      201);
}

std::optional<registry::OnConflict> on_conflict_of(std::string_view name) {
  if (name == "skip") return registry::OnConflict::skip;
  if (name == "newVersion") return registry::OnConflict::new_version;
  if (name == "fail") return registry::OnConflict::fail;
  return std::nullopt;
}

json::object outcome_json(std::size_t index, const std::string& name,
                          const registry::ImportOutcome& outcome) {
  return {{"index", index},
          {"name", name},
          {"status", name_of(outcome.status)},
          {"id", id_or_null(outcome.artifact.text)},
          {"version", outcome.version > 0 ? json::value(outcome.version) : json::value()},
          {"reason", id_or_null(outcome.reason)}};
}

Result<Response> batch(RegistryApi api, const Request& request) {
  const store::Command asked = TRY(command(request, api.identity));
  Query query(request);
  const std::string project = query.text_if("project").value_or("");
  const auto on_conflict = on_conflict_of(query.text_if("onConflict").value_or("skip"));
  if (!on_conflict) query.complain("onConflict", "must be skip, newVersion or fail");
  const bool dry_run = query.flag_if("dryRun").value_or(false);
  TRY(query.done());
  Body body = TRY(Body::of(request));
  Fields fields = body.fields();
  std::vector<registry::NewArtifact> wanted;
  std::vector<std::string> names;
  if (auto items = fields.objects_if("items")) {
    for (Fields& item : *items) {
      wanted.push_back(new_artifact(item));
      names.push_back(wanted.back().name);
    }
  } else {
    fields.complain("items", "must be there");
  }
  TRY(body.done());
  const auto outcomes = TRY(api.registry.import(asked, project, std::move(wanted), *on_conflict, dry_run));
  using Status = registry::ImportOutcome::Status;
  const auto count = [&](Status status) {
    return std::count_if(outcomes.begin(), outcomes.end(),
                         [&](const auto& each) { return each.status == status; });
  };
  json::array items;
  for (std::size_t i = 0; i < outcomes.size(); ++i) items.push_back(outcome_json(i, names[i], outcomes[i]));
  return answer(json::object{{"items", std::move(items)},
                             {"created", count(Status::created)},
                             {"newVersions", count(Status::new_version)},
                             {"unchanged", count(Status::unchanged)},
                             {"skipped", count(Status::skipped)}});
}

Result<Response> diff(RegistryApi api, const Request& request, const PathArguments& path) {
  const Principal who = TRY(caller(request, api.identity));
  Query query(request);
  const std::string from = query.text("from"), to = query.text("to");
  TRY(query.done());
  return answer(diff_json(TRY(api.queries.diff(who, {path["prompt"]}, from, to))));
}

}  // namespace

void add_prompt_routes(Router& router, RegistryApi api) {
  router.add({Method::get, "/api/v1/prompts",
              [api](const Request& request, const PathArguments&) { return list(api, request); }});
  router.add({Method::post, "/api/v1/prompts",
              [api](const Request& request, const PathArguments&) { return create(api, request); }});
  router.add({Method::post,
              "/api/v1/prompts/batch",
              [api](const Request& request, const PathArguments&) { return batch(api, request); },
              {.body_bytes = kBatchBytes}});
  router.add({Method::get, "/api/v1/prompts/{prompt}",
              [api](const Request& request, const PathArguments& path) { return get(api, request, path); }});
  router.add({Method::put, "/api/v1/prompts/{prompt}",
              [api](const Request& request, const PathArguments& path) { return save(api, request, path); }});
  router.add({Method::get, "/api/v1/prompts/{prompt}/diff",
              [api](const Request& request, const PathArguments& path) { return diff(api, request, path); }});
}

}  // namespace imprimatur::http
