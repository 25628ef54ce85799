#include "scan/report_json.h"

#include "base/json.h"

#include <cmath>

#include <boost/json.hpp>

namespace imprimatur::scan {
namespace {

namespace json = boost::json;

json::string text(std::string_view value) { return json::string(value.data(), value.size()); }

// Reads members of one object; remembers that something was not as to_json writes it.
class Members {
 public:
  explicit Members(const json::value& value) : object_(value.if_object()) { broken_ = object_ == nullptr; }

  const json::value* get(const char* key) {
    const json::value* value = object_ == nullptr ? nullptr : object_->if_contains(key);
    broken_ |= value == nullptr;
    return value;
  }
  std::string string(const char* key) {
    const json::value* value = get(key);
    if (value == nullptr || !value->is_string()) return fail(std::string());
    return std::string(value->as_string());
  }
  std::size_t count(const char* key) {
    const json::value* value = get(key);
    if (value == nullptr || !value->is_number()) return fail(std::size_t{0});
    json::error_code code;
    const auto number = value->to_number<std::size_t>(code);
    return code ? fail(std::size_t{0}) : number;
  }
  template <class Enum>
  Enum word(const char* key, std::optional<Enum> (*parse)(std::string_view)) {
    const auto parsed = parse(string(key));
    return parsed ? *parsed : fail(Enum{});
  }
  bool broken() const { return broken_; }
  template <class T>
  T fail(T value) {
    broken_ = true;
    return value;
  }

 private:
  const json::object* object_;
  bool broken_ = false;
};

bool read_finding(const json::value& value, Finding& out) {
  Members members(value);
  out.category = members.word<Category>("category", category_of);
  out.severity = members.word<Severity>("severity", severity_of);
  out.rule = members.string("rule");
  out.kind = members.word<FindingKind>("kind", finding_kind_of);
  out.title = members.string("title");
  out.description = members.string("description");
  out.remediation = members.string("remediation");
  out.location = members.string("location");
  if (const json::value* place = members.get("span")) {
    Members span(*place);
    out.span = {span.count("start"), span.count("end"), span.count("line"), span.count("column")};
    if (span.broken()) return false;
  }
  out.evidence = members.string("evidence");
  out.framing = members.word<Framing>("framing", framing_of);
  out.confidence = static_cast<int>(members.count("confidence"));
  out.fingerprint = members.string("fingerprint");
  return !members.broken();
}

}  // namespace

json::object to_json(const Finding& finding) {
  return {{"category", text(name_of(finding.category))},
          {"severity", text(name_of(finding.severity))},
          {"rule", text(finding.rule)},
          {"kind", text(name_of(finding.kind))},
          {"title", text(finding.title)},
          {"description", text(finding.description)},
          {"remediation", text(finding.remediation)},
          {"location", text(finding.location)},
          {"span", json::object{{"start", finding.span.start},
                                {"end", finding.span.end},
                                {"line", finding.span.line},
                                {"column", finding.span.column}}},
          {"evidence", text(finding.evidence)},
          {"framing", text(name_of(finding.framing))},
          {"confidence", finding.confidence},
          {"fingerprint", text(finding.fingerprint)}};
}

json::object to_json(const ScanReport& report) {
  json::array findings;
  for (const Finding& finding : report.findings) findings.push_back(to_json(finding));
  return {{"status", text(name_of(report.status))},
          {"score", static_cast<double>(report.score) / 10},
          {"findings", std::move(findings)},
          {"ruleset", text(report.ruleset)},
          {"digest", text(report.digest)},
          {"reason", report.reason.empty() ? json::value(nullptr) : json::value(text(report.reason))}};
}

Result<ScanReport> report_from_json(std::string_view written) {
  const json::value root = TRY(parse_json(written));
  Members members(root);
  ScanReport report;
  report.status = members.word<ScanStatus>("status", scan_status_of);
  if (const json::value* score = members.get("score"); score != nullptr && score->is_number())
    report.score = static_cast<int>(std::lround(score->to_number<double>() * 10));
  else
    members.fail(0);
  report.ruleset = members.string("ruleset");
  report.digest = members.string("digest");
  if (const json::value* reason = members.get("reason"); reason != nullptr && reason->is_string())
    report.reason = std::string(reason->as_string());
  if (const json::value* findings = members.get("findings"); findings != nullptr && findings->is_array()) {
    for (const json::value& item : findings->as_array())
      if (!read_finding(item, report.findings.emplace_back())) members.fail(0);
  } else {
    members.fail(0);
  }
  if (members.broken()) return invalid("this is not a scan report");
  return report;
}

}  // namespace imprimatur::scan
