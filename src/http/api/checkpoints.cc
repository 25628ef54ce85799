// /audit-logs/checkpoint, /consistency and /cosignatures: what others keep and sign.
#include "http/api/evidence_routes.h"
#include "http/api/registry_json.h"
#include "http/api/request.h"

#include <boost/json.hpp>

namespace imprimatur::http {
namespace {

namespace json = boost::json;

constexpr std::int64_t kMaxSize = (std::int64_t{1} << 53) - 1;

json::object cosigned_json(const evidence::Cosigned& cosigned) {
  json::array by;
  for (const evidence::Cosigned::By& one : cosigned.by) {
    by.push_back(
        json::object{{"witness", one.witness.text}, {"name", one.name}, {"cosignedAt", to_rfc3339(one.at)}});
  }
  return {{"size", cosigned.checkpoint.size},
          {"rootHash", prefixed(cosigned.checkpoint.root)},
          {"note", cosigned.note.to_text()},
          {"cosignatures", std::move(by)}};
}

Response text_response(std::string text) {
  Response response;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(text);
  return response;
}

// The note alone, as other programs take it.
Result<Response> note_of(const evidence::CheckpointView& view, bool cosigned) {
  if (!cosigned) return text_response(view.note.to_text());
  if (view.cosigned.empty()) return not_found("No witness has cosigned a checkpoint of this journal.");
  return text_response(view.cosigned.front().note.to_text());
}

Result<Response> checkpoint(EvidenceApi api, const Request& request) {
  const Principal who = TRY(caller(request, api.identity));
  Query query(request);
  const std::string project = query.text_if("project").value_or("");
  const std::string format = query.text_if("format").value_or("json");
  const bool cosigned = query.flag_if("cosigned").value_or(false);
  if (format != "json" && format != "note") query.complain("format", "must be json or note");
  if (cosigned && format == "json")
    query.complain("cosigned", "is for format=note; the JSON has all of them");
  TRY(query.done());
  const evidence::CheckpointView view = TRY(api.evidence.checkpoint(who, project));
  if (format == "note") return note_of(view, cosigned);
  json::object out = checkpoint_json(view.head);
  out["origin"] = view.log.name;
  out["verifierKey"] = view.log.text();
  out["note"] = view.note.to_text();
  json::array all;
  for (const evidence::Cosigned& one : view.cosigned) all.push_back(cosigned_json(one));
  out["cosigned"] = std::move(all);
  return answer(out);
}

Result<Response> consistency(EvidenceApi api, const Request& request) {
  const Principal who = TRY(caller(request, api.identity));
  Query query(request);
  const std::string project = query.text_if("project").value_or("");
  const auto from = query.integer_if("from", 1, kMaxSize);
  const auto to = query.integer_if("to", 1, kMaxSize);
  if (request.query_value("from") == nullptr) query.complain("from", "must be there");
  TRY(query.done());
  const auto size = [](std::int64_t number) { return static_cast<std::uint64_t>(number); };
  const auto found =
      TRY(api.evidence.consistency(who, project, size(*from), to ? std::optional(size(*to)) : std::nullopt));
  json::array path;
  for (const Hash256& hash : found.path) path.emplace_back(prefixed(hash));
  return answer(json::object{{"from", found.from},
                             {"to", found.to},
                             {"fromRootHash", prefixed(found.from_root)},
                             {"toRootHash", prefixed(found.to_root)},
                             {"path", std::move(path)},
                             {"checkpoint", checkpoint_json(found.head)}});
}

Result<Response> cosign(EvidenceApi api, const Request& request) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  Body body = TRY(Body::of(request));
  const std::string note = body.fields().text("note");
  TRY(body.done());
  return answer(cosigned_json(TRY(api.evidence.cosign(asked, note))), 201);
}

}  // namespace

void add_checkpoint_routes(Router& router, EvidenceApi api) {
  router.add({Method::get, "/api/v1/audit-logs/checkpoint",
              [api](const Request& request, const PathArguments&) { return checkpoint(api, request); }});
  router.add({Method::get, "/api/v1/audit-logs/consistency",
              [api](const Request& request, const PathArguments&) { return consistency(api, request); }});
  router.add({Method::post, "/api/v1/audit-logs/cosignatures",
              [api](const Request& request, const PathArguments&) { return cosign(api, request); }});
}

}  // namespace imprimatur::http
