#include "scan/scan.h"

#include "base/percent.h"
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
  std::size_t line = 0;       // of JSONL: the whole prompt stands there
  std::size_t body_line = 0;  // lines of the file before the text that spans count in
  scan::ScanReport report;

  std::string place() const { return line == 0 ? path : path + ":" + std::to_string(line); }
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
    json::object item = {{"path", one.place()},
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

// A path as a reference of RFC 3986, whatever bytes it is made of.
std::string uri_of(const std::string& path) {
  std::string out;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    out += percent_encode(std::string_view(path).substr(at, end - at));
    if (end < path.size()) out.push_back('/');
    at = end + 1;
  }
  return out;
}

json::object sarif_result(const Scanned& one, const scan::Finding& finding) {
  json::object region = {{"startLine", line_in_file(one, finding)}, {"startColumn", finding.span.column}};
  if (one.line != 0) region = {{"startLine", one.line}};
  const json::object place = {
      {"physicalLocation",
       {{"artifactLocation", {{"uri", uri_of(one.path)}}}, {"region", std::move(region)}}}};
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
    notes.push_back({{"level", "error"}, {"message", {{"text", one.place() + ": " + one.report.reason}}}});
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
      console.out << harmless(one.place()) << ": " << console.painted(Colour::red, "error") << ": "
                  << harmless(one.report.reason) << "\n";
    }
    for (const scan::Finding& finding : one.report.findings) {
      console.out << harmless(one.place()) << ":" << line_in_file(one, finding) << ":" << finding.span.column
                  << ": " << console.painted(colour_of(finding.severity), name_of(finding.severity)) << " "
                  << finding.rule << ": " << harmless(finding.title) << "\n    " << harmless(finding.evidence)
                  << "\n    " << harmless(finding.remediation) << "\n";
    }
  }
  console.out << all.size() << " scanned";
  for (const auto& [status, count] : counts) console.out << ", " << count << " " << status;
  console.out << "\n";
}

// A file that import would refuse for its size is not scanned either: nothing says what it would have been.
std::string too_much(const Content& content) {
  std::size_t bytes = content.text.size();
  for (const Message& message : content.messages) bytes += message.content.size();
  if (bytes <= kMaxTextBytes) return {};
  return "over " + std::to_string(kMaxTextBytes) + " bytes of text, more than a prompt may have";
}

Scanned scanned(const Sourced& sourced, const scan::Ruleset& rules) {
  Scanned out{sourced.path, sourced.line, 0, {}};
  const std::string why =
      sourced.prompt.ok() ? too_much(sourced.prompt->content) : sourced.prompt.error().detail;
  if (!why.empty()) {
    out.report = unreadable(why, rules);
    return out;
  }
  out.body_line = sourced.prompt->body_line;
  out.report = scan::scan(scan::view_of(sourced.prompt->content), rules);
  return out;
}

std::vector<Scanned> scan_all(const Console& console, const SourceList& sources, const scan::Ruleset& rules) {
  std::vector<Scanned> out;
  for (const Unreadable& folder : sources.unreadable) {
    out.push_back({folder.path, 0, 0, unreadable(folder.why, rules)});
  }
  ProgressBar bar(console, "Scanning");
  std::uint64_t done = 0;
  for (const SourceFile& file : sources.files) {
    each_prompt(file, [&](const Sourced& sourced) { out.push_back(scanned(sourced, rules)); });
    bar.show(++done, sources.files.size());
  }
  return out;
}

Result<Exit> scan_paths(const Console& console, const ScanOptions& options) {
  const SourceList sources = TRY(list_sources(options.paths));
  const scan::Ruleset rules = TRY(scan::Ruleset::built_in());
  const std::vector<Scanned> all = scan_all(console, sources, rules);
  if (all.empty()) return nothing_found(sources);
  if (options.format == "sarif") {
    console.print(as_sarif(all));
  } else if (options.format == "json" || console.json) {
    console.print(as_json(all, rules));
  } else {
    as_text(console, all);
    if (!sources.ignored.empty())
      console.out << "passed over " << counted(sources.ignored.size(), "file") << " of other kinds\n";
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
