#include "scan/scan.h"

#include "cli/commands.h"
#include "cli/prompt_sources.h"
#include "scan/report_json.h"
#include "scan/ruleset.h"
#include "scan/view.h"

#include <map>
#include <memory>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

namespace imprimatur::cli {
namespace {

namespace json = boost::json;

struct ScanOptions {
  std::vector<std::string> paths;
  std::string format = "text";
};

struct Scanned {
  std::string path;
  std::size_t body_line = 0;  // lines of the file before the text that spans count in
  scan::ScanReport report;
};

bool is_bad(const scan::ScanReport& report) {
  if (report.status == scan::ScanStatus::error) return true;
  for (const scan::Finding& finding : report.findings) {
    if (finding.severity >= scan::Severity::high) return true;
  }
  return false;
}

scan::ScanReport unreadable(const std::string& why, const scan::Ruleset& rules) {
  scan::ScanReport report;
  report.status = scan::ScanStatus::error;
  report.reason = why;
  report.ruleset = rules.digest();
  return report;
}

json::object as_json(const std::vector<Scanned>& all, const scan::Ruleset& rules) {
  json::array items;
  for (const Scanned& one : all) {
    const json::object report = scan::to_json(one.report);
    json::object item = {{"path", one.path},
                         {"status", report.at("status")},
                         {"score", report.at("score")},
                         {"findings", report.at("findings")}};
    if (!one.report.reason.empty()) item["reason"] = one.report.reason;
    items.push_back(std::move(item));
  }
  return {{"ruleset", rules.digest()}, {"items", std::move(items)}};
}

std::size_t line_in_file(const Scanned& one, const scan::Finding& finding) {
  return finding.span.line + (finding.location == "content" ? one.body_line : 0);
}

const char* sarif_level(scan::Severity severity) {
  switch (severity) {
    case scan::Severity::info: return "note";
    case scan::Severity::low:
    case scan::Severity::medium: return "warning";
    case scan::Severity::high:
    case scan::Severity::critical: return "error";
  }
  CHECK(false, "unknown severity");
}

json::object sarif_result(const Scanned& one, const scan::Finding& finding) {
  const json::object place = {
      {"physicalLocation",
       {{"artifactLocation", {{"uri", one.path}}},
        {"region", {{"startLine", line_in_file(one, finding)}, {"startColumn", finding.span.column}}}}}};
  return {{"ruleId", finding.rule},
          {"level", sarif_level(finding.severity)},
          {"message", {{"text", finding.title + ". " + finding.remediation}}},
          {"locations", json::array{place}},
          {"partialFingerprints", {{"imprimatur/v1", finding.fingerprint}}}};
}

json::object as_sarif(const std::vector<Scanned>& all) {
  json::array results, notes;
  std::map<std::string, std::string> rules;
  for (const Scanned& one : all) {
    for (const scan::Finding& finding : one.report.findings) {
      rules[finding.rule] = finding.title;
      results.push_back(sarif_result(one, finding));
    }
    if (one.report.status != scan::ScanStatus::error) continue;
    notes.push_back({{"level", "error"}, {"message", {{"text", one.path + ": " + one.report.reason}}}});
  }
  json::array described;
  for (const auto& [id, title] : rules)
    described.push_back({{"id", id}, {"shortDescription", {{"text", title}}}});
  const bool whole = notes.empty();
  const json::object invocation = {{"executionSuccessful", whole},
                                   {"toolExecutionNotifications", std::move(notes)}};
  const json::object run = {{"tool", {{"driver", {{"name", "imprimatur"}, {"rules", std::move(described)}}}}},
                            {"columnKind", "unicodeCodePoints"},
                            {"invocations", json::array{invocation}},
                            {"results", std::move(results)}};
  return {{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"},
          {"version", "2.1.0"},
          {"runs", json::array{run}}};
}

Colour colour_of(scan::Severity severity) {
  switch (severity) {
    case scan::Severity::critical:
    case scan::Severity::high: return Colour::red;
    case scan::Severity::medium: return Colour::yellow;
    case scan::Severity::low:
    case scan::Severity::info: return Colour::cyan;
  }
  CHECK(false, "unknown severity");
}

void as_text(const Console& console, const std::vector<Scanned>& all) {
  std::map<std::string_view, std::size_t> counts;
  for (const Scanned& one : all) {
    ++counts[name_of(one.report.status)];
    if (!one.report.reason.empty()) {
      console.out << harmless(one.path) << ": " << console.painted(Colour::red, "error") << ": "
                  << harmless(one.report.reason) << "\n";
    }
    for (const scan::Finding& finding : one.report.findings) {
      console.out << harmless(one.path) << ":" << line_in_file(one, finding) << ":" << finding.span.column
                  << ": " << console.painted(colour_of(finding.severity), name_of(finding.severity)) << " "
                  << finding.rule << ": " << harmless(finding.title) << "\n    " << harmless(finding.evidence)
                  << "\n    " << harmless(finding.remediation) << "\n";
    }
  }
  console.out << all.size() << " scanned";
  for (const auto& [status, count] : counts) console.out << ", " << count << " " << status;
  console.out << "\n";
}

Result<std::vector<Scanned>> scan_all(const Console& console, const SourceList& sources,
                                      const scan::Ruleset& rules) {
  std::vector<Scanned> out;
  ProgressBar bar(console, "Scanning");
  std::uint64_t done = 0;
  for (const SourceFile& file : sources.files) {
    TRY(each_prompt(file, [&](Sourced sourced) {
      if (!sourced.prompt.ok()) {
        out.push_back({sourced.path, 0, unreadable(sourced.prompt.error().detail, rules)});
        return;
      }
      const PromptFile& prompt = *sourced.prompt;
      out.push_back({sourced.path, prompt.body_line, scan::scan(scan::view_of(prompt.content), rules)});
    }));
    bar.show(++done, sources.files.size());
  }
  return out;
}

Result<Exit> scan_paths(const Console& console, const ScanOptions& options) {
  const SourceList sources = TRY(list_sources(options.paths));
  const scan::Ruleset rules = TRY(scan::Ruleset::built_in());
  const std::vector<Scanned> all = TRY(scan_all(console, sources, rules));
  if (options.format == "sarif") {
    console.print(as_sarif(all));
  } else if (options.format == "json" || console.json) {
    console.print(as_json(all, rules));
  } else {
    as_text(console, all);
  }
  for (const Scanned& one : all) {
    if (is_bad(one.report)) return Exit::refused;
  }
  return Exit::done;
}

}  // namespace

void add_scan(Commands& commands) {
  auto options = std::make_shared<ScanOptions>();
  CLI::App* command = commands.add("scan", "Scan prompt files for weaknesses, without a server",
                                   "  imprimatur scan prompts/\n"
                                   "  imprimatur scan prompts/ --format json\n"
                                   "  imprimatur scan prompts/support.prompt --format sarif > scan.sarif\n\n"
                                   "Exit 1 on a finding of HIGH or more, or when a file cannot be scanned.");
  command->add_option("paths", options->paths, "Folders or files")->required()->type_name("PATH");
  command->add_option("--format", options->format, "How to report")
      ->check(CLI::IsMember({"text", "json", "sarif"}))
      ->type_name("text|json|sarif");
  command->callback([&commands, options] {
    commands.chosen = [&commands, options] { return scan_paths(commands.console, *options); };
  });
}

}  // namespace imprimatur::cli
