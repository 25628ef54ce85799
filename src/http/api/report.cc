// /audit-logs/report: the changes of a period, for an auditor.
#include "base/json.h"
#include "http/api/csv.h"
#include "http/api/evidence_routes.h"
#include "http/api/request.h"

#include <boost/json.hpp>

namespace imprimatur::http {
namespace {

namespace json = boost::json;

// A value of a line by its path: "review/id"; null where a part of it is not there.
json::value at(const json::object& line, std::string_view path) {
  const json::object* object = &line;
  while (true) {
    const std::size_t slash = path.find('/');
    const json::value* found = object->if_contains(path.substr(0, slash));
    if (found == nullptr || slash == std::string_view::npos) return found == nullptr ? json::value() : *found;
    if (!found->is_object()) return nullptr;
    object = &found->get_object();
    path.remove_prefix(slash + 1);
  }
}

std::string cell(const json::value& value) {
  if (value.is_null()) return csv_field("");
  if (value.is_string()) return csv_field(value.get_string());
  return csv_field(canonical_json(value).value());  // part of a line that has been written so
}

bool is_true(const json::object& object, std::string_view path) {
  const json::value value = at(object, path);
  return value.is_bool() && value.get_bool();
}

// The ids of those whose approval counted, as the gate answer has it.
std::string approvers(const json::object& line) {
  std::string out;
  const json::value requirements = at(line, "gate/requirements");
  if (!requirements.is_array()) return out;
  for (const json::value& requirement : requirements.get_array()) {
    if (!requirement.is_object() || at(requirement.get_object(), "kind") != json::value("approvals"))
      continue;
    const json::value verdicts = at(requirement.get_object(), "verdicts");
    if (!verdicts.is_array()) continue;
    for (const json::value& verdict : verdicts.get_array()) {
      if (!verdict.is_object() || !is_true(verdict.get_object(), "counts")) continue;
      const json::value by = at(verdict.get_object(), "by");
      if (by.is_string()) out.append(out.empty() ? "" : " ").append(std::string_view(by.get_string()));
    }
  }
  return out;
}

struct Column {
  std::string_view name, path;
};
constexpr Column kColumns[] = {{"section", "section"},
                               {"seq", "seq"},
                               {"time", "time"},
                               {"action", "action"},
                               {"actor", "actor/id"},
                               {"actorName", "actor/displayName"},
                               {"resource", "resource"},
                               {"subject", "subject/id"},
                               {"subjectName", "subject/displayName"},
                               {"environment", "environment"},
                               {"prompt", "prompt"},
                               {"name", "name"},
                               {"version", "version"},
                               {"semver", "semver"},
                               {"digest", "digest"},
                               {"release", "release"},
                               {"kind", "kind"},
                               {"replaced", "replaced"},
                               {"reason", "reason"},
                               {"review", "review/id"},
                               {"reviewCycle", "review/cycle"},
                               {"submittedBy", "review/submittedBy/id"},
                               {"submittedAt", "review/submittedAt"},
                               {"approvedBy", ""},
                               {"verdicts", "verdicts"},
                               {"contributors", "contributors"},
                               {"gateMet", "gate/met"},
                               {"gate", "gate"},
                               {"protectionVersion", "protection/version"},
                               {"protectionDigest", "protection/digest"},
                               {"protectionMet", "protection/met"},
                               {"details", "details"},
                               {"hash", "hash"}};

std::string csv_heading() {
  std::string out;
  for (const Column& column : kColumns) out.append(out.empty() ? "" : ",").append(column.name);
  return out + "\r\n";
}

std::string csv_line(const json::object& line) {
  std::string out;
  for (const Column& column : kColumns) {
    if (!out.empty()) out.push_back(',');
    out += column.path.empty() ? csv_field(approvers(line)) : cell(at(line, column.path));
  }
  return out + "\r\n";
}

class Lines {
 public:
  Lines(evidence::Report report, bool csv) : report_(std::move(report)), csv_(csv) {}

  // What is broken at the beginning is an answer of its own; the head of this one is not sent yet.
  Status begin() {
    if (csv_) begun_ = csv_heading();
    begun_ += TRY(piece());
    begun_ += TRY(piece());
    return Ok{};
  }

  // Later, the answer breaks off, and shows by its length that it is not whole.
  std::string operator()() {
    if (!begun_.empty()) return std::exchange(begun_, {});
    auto next = piece();
    if (!next.ok()) throw std::runtime_error("the report breaks off: " + next.error().detail);
    return *std::move(next);
  }

 private:
  Result<std::string> piece() {
    const auto lines = TRY(report_.next());
    std::string out;
    for (const evidence::ReportLine& line : lines) {
      out += csv_ ? csv_line(line.fields) : line.text + "\n";
    }
    return out;
  }

  evidence::Report report_;
  bool csv_;
  std::string begun_;
};

Result<Response> report(EvidenceApi api, const Request& request) {
  const Principal who = TRY(caller(request, api.identity));
  Query query(request);
  const std::string project = query.text_if("project").value_or("");
  const std::string environment = query.text_if("environment").value_or("");
  const auto since = query.time_if("since"), until = query.time_if("until");
  const std::string format = query.text_if("format").value_or("jsonl");
  if (format != "jsonl" && format != "csv") query.complain("format", "must be jsonl or csv");
  if (since && until && *until < *since) query.complain("until", "must not be before `since`");
  TRY(query.done());
  Lines lines(TRY(api.evidence.report(who, project, environment, since, until)), format == "csv");
  TRY(lines.begin());
  Response response;
  response.content_type = format == "csv" ? "text/csv; charset=utf-8" : "application/x-ndjson";
  response.headers.emplace_back("Content-Disposition", "attachment; filename=\"changes." + format + "\"");
  response.body = Pieces(std::move(lines));
  return response;
}

}  // namespace

void add_report_routes(Router& router, EvidenceApi api) {
  router.add({Method::get, "/api/v1/audit-logs/report",
              [api](const Request& request, const PathArguments&) { return report(api, request); }});
}

}  // namespace imprimatur::http
