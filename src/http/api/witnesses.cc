// /witnesses: who watches the journals from outside.
#include "http/api/evidence_routes.h"
#include "http/api/request.h"

#include <boost/json.hpp>

namespace imprimatur::http {
namespace {

namespace json = boost::json;

json::object witness_json(const store::Witness& witness) {
  return {{"id", witness.id.text},
          {"name", witness.key.name},
          {"verifierKey", witness.key.text()},
          {"createdAt", to_rfc3339(witness.added_at)}};
}

Result<Response> list(EvidenceApi api, const Request& request) {
  const auto find = [&](const Principal& who, const store::PageRequest& at) {
    return api.evidence.witnesses(who, at);
  };
  return answer_page(request, api.identity, find, witness_json);
}

Result<Response> add(EvidenceApi api, const Request& request) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  Body body = TRY(Body::of(request));
  const std::string key = body.fields().text("verifierKey");
  TRY(body.done());
  return answer(witness_json(TRY(api.evidence.add_witness(asked, key))), 201);
}

Result<Response> remove(EvidenceApi api, const Request& request, const PathArguments& path) {
  const store::Command asked = TRY(command(request, api.identity));
  TRY(no_query(request));
  TRY(api.evidence.remove_witness(asked, {path["witness"]}));
  return no_content();
}

}  // namespace

void add_witness_routes(Router& router, EvidenceApi api) {
  router.add({Method::get, "/api/v1/witnesses",
              [api](const Request& request, const PathArguments&) { return list(api, request); }});
  router.add({Method::post, "/api/v1/witnesses",
              [api](const Request& request, const PathArguments&) { return add(api, request); }});
  router.add(
      {Method::delete_, "/api/v1/witnesses/{witness}",
       [api](const Request& request, const PathArguments& path) { return remove(api, request, path); }});
}

}  // namespace imprimatur::http
