#include "scan/report_json.h"

#include <boost/json.hpp>

namespace imprimatur::scan {
namespace {

namespace json = boost::json;

json::string text(std::string_view value) { return json::string(value.data(), value.size()); }

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

}  // namespace imprimatur::scan
