#include "registry/reading.h"

#include "base/json.h"
#include "scan/report_json.h"
#include "scan/scan.h"
#include "scan/view.h"
#include "store/broken.h"

#include <algorithm>

#include <boost/json.hpp>

namespace imprimatur::registry {

ScanRecord read_by_scanner(const Content& effective, const std::string& digest, const scan::Ruleset& rules) {
  const scan::ScanReport report = scan::scan(scan::view_of(effective, digest), rules);
  ScanRecord record;
  record.digest = digest;
  record.ruleset = report.ruleset;
  record.status = scan::name_of(report.status);
  record.score_tenths = report.score;
  record.critical_findings = static_cast<int>(std::count_if(
      report.findings.begin(), report.findings.end(),
      [](const scan::Finding& finding) { return finding.severity == scan::Severity::critical; }));
  record.report = canonical_json(scan::to_json(report)).value();
  return record;
}

CheckResult scan_check(const std::optional<ScanRecord>& latest, const Version& version,
                       std::string_view ruleset) {
  CheckResult check{
      .name = "scan", .status = CheckStatus::pending, .current = false, .summary = "not scanned yet"};
  if (!latest) return check;
  check.current = latest->digest == version.digest && latest->ruleset == ruleset;
  const std::string score =
      std::to_string(latest->score_tenths / 10) + "." + std::to_string(latest->score_tenths % 10);
  check.summary = "score " + score + ", " + std::to_string(latest->critical_findings) + " CRITICAL";
  if (latest->status == "error") {
    check.status = CheckStatus::error;
    check.summary = "the scan could not read the version";
  } else if (latest->status == "pass" || latest->status == "warn" || latest->status == "fail") {
    check.status = latest->critical_findings == 0 ? CheckStatus::pass : CheckStatus::fail;
  } else {
    check.status = CheckStatus::error;  // a word this program does not know
  }
  return check;
}

std::vector<FoundWeakness> weaknesses_in(const ScanRecord& scan) {
  constexpr JsonLimits kStored{.bytes = 64 * 1024 * 1024, .depth = 128, .values = 10'000'000};
  const auto report = parse_json(scan.report, kStored);
  const auto* findings =
      report.ok() && report->is_object() ? report->get_object().if_contains("findings") : nullptr;
  if (findings == nullptr || !findings->is_array()) throw store::DataBroken("an unreadable scan report");
  std::vector<FoundWeakness> out;
  const auto word = [](const boost::json::object& finding, std::string_view name) {
    const auto* value = finding.if_contains(name);
    if (value == nullptr || !value->is_string()) throw store::DataBroken("an unreadable finding");
    return std::string(value->get_string());
  };
  for (const auto& each : findings->get_array()) {
    if (!each.is_object()) throw store::DataBroken("an unreadable finding");
    const auto& finding = each.get_object();
    // A word that this program does not know is as bad as can be.
    const Severity severity = severity_of(word(finding, "severity")).value_or(Severity::critical);
    out.push_back({severity, word(finding, "category"), word(finding, "rule")});
  }
  return out;
}

}  // namespace imprimatur::registry
