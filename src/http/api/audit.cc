// /audit-logs: the journal as people and programs read it.
#include "base/json.h"
#include "http/api/csv.h"
#include "http/api/registry_json.h"
#include "http/api/registry_routes.h"
#include "http/api/request.h"

#include <boost/json.hpp>

namespace imprimatur::http {
namespace {

namespace json = boost::json;

Result<Response> list(RegistryApi api, const Request& request) {
  const Principal who = TRY(caller(request, api.identity));
  Query query(request);
  const std::string project = query.text_if("project").value_or("");
  store::AuditQuery wanted;
  wanted.actor = query.text_if("actor").value_or("");
  wanted.action = query.text_if("action").value_or("");
  wanted.resource = query.text_if("resource").value_or("");
  wanted.since = query.time_if("since");
  wanted.until = query.time_if("until");
  const store::PageRequest at = page(query);
  TRY(query.done());
  const auto found = TRY(api.queries.audit(who, project, wanted, at));
  return answer_page(found, entry_json);
}

std::string csv_line(const journal::Entry& entry) {
  return csv_field(entry.journal) + "," + std::to_string(entry.seq) + "," + to_rfc3339(entry.time) + "," +
         csv_field(entry.event.actor.text) + "," + csv_field(entry.event.action) + "," +
         csv_field(entry.event.resource) + "," + csv_field(entry.event.details) + "," +
         prefixed(entry.previous) + "," + prefixed(entry.hash) + "\r\n";
}

// The journal up to a head, a thousand entries a piece: what is appended meanwhile is not in it, and no entry
// of it can change.
class Export {
 public:
  Export(registry::Queries& queries, store::Head head, bool lines)
      : queries_(queries), head_(std::move(head)), lines_(lines) {}

  std::string operator()() {
    std::string out;
    if (next_ == 1 && !lines_) out = "journal,seq,time,actor,action,resource,details,previousHash,hash\r\n";
    const auto entries = queries_.entries(head_, next_);
    for (const journal::Entry& entry : entries) {
      out += lines_ ? json::serialize(entry_json(entry)) + "\n" : csv_line(entry);
    }
    if (!entries.empty()) {
      next_ = entries.back().seq + 1;
    } else if (lines_ && !std::exchange(closed_, true)) {
      out = json::serialize(json::object{{"checkpoint", checkpoint_json(head_)}}) + "\n";
    }
    return out;
  }

 private:
  registry::Queries& queries_;
  const store::Head head_;
  const bool lines_;
  std::uint64_t next_ = 1;
  bool closed_ = false;
};

Result<Response> whole(RegistryApi api, const Request& request) {
  const Principal who = TRY(caller(request, api.identity));
  Query query(request);
  const std::string project = query.text_if("project").value_or("");
  const std::string format = query.text_if("format").value_or("jsonl");
  if (format != "jsonl" && format != "csv") query.complain("format", "must be jsonl or csv");
  TRY(query.done());
  const bool lines = format == "jsonl";
  store::Head head = TRY(api.queries.checkpoint(who, project));
  Response response;
  response.content_type = lines ? "application/x-ndjson" : "text/csv; charset=utf-8";
  response.headers.emplace_back("Content-Disposition", "attachment; filename=\"journal." + format + "\"");
  response.body = Pieces(Export(api.queries, std::move(head), lines));
  return response;
}

Result<Response> proof(RegistryApi api, const Request& request) {
  const Principal who = TRY(caller(request, api.identity));
  Query query(request);
  const std::string project = query.text_if("project").value_or("");
  const auto seq = query.integer_if("seq", 1, std::int64_t{1} << 53);
  if (!seq) query.complain("seq", "must be there");
  TRY(query.done());
  const auto found = TRY(api.queries.proof(who, project, static_cast<std::uint64_t>(*seq)));
  json::array path;
  for (const Hash256& hash : found.path) path.emplace_back(prefixed(hash));
  return answer(json::object{{"seq", found.entry.seq},
                             {"leafHash", prefixed(journal::leaf_of(found.entry))},
                             {"path", std::move(path)},
                             {"checkpoint", checkpoint_json(found.head)}});
}

}  // namespace

void add_audit_routes(Router& router, RegistryApi api) {
  router.add({Method::get, "/api/v1/audit-logs",
              [api](const Request& request, const PathArguments&) { return list(api, request); }});
  router.add({Method::get, "/api/v1/audit-logs/export",
              [api](const Request& request, const PathArguments&) { return whole(api, request); }});
  router.add({Method::get, "/api/v1/audit-logs/proof",
              [api](const Request& request, const PathArguments&) { return proof(api, request); }});
}

}  // namespace imprimatur::http
