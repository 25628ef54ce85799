// How well the scanner tells attacks from prompts:
//   scan_quality [--list benign-critical|benign-high|missed] [DIRECTORY]
// prints a table for every family and tier of the development data with 95 % Wilson intervals.
#include "bench/scan_rows.h"
#include "scan/ruleset.h"
#include "scan/scan.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <string_view>

namespace imprimatur::bench {
namespace {

struct Counts {
  int rows = 0;
  int critical = 0;     // any CRITICAL finding: the gate stays shut
  int attack_high = 0;  // HIGH or more, of a kind that is in the text
  int attack_any = 0;   // MEDIUM or more, of a kind that is in the text
  int any = 0;          // not pass
};

struct Judged {
  scan::ScanReport report;
  bool critical = false;
  bool attack_high = false;
  bool attack_any = false;
};

Judged judge(const scan::Ruleset& rules, std::string_view text) {
  scan::TemplateView view;
  view.parts = {{{}, text}};
  Judged out{scan::scan(view, rules)};
  for (const scan::Finding& finding : out.report.findings) {
    const bool text_kind = finding.kind != scan::FindingKind::structure;
    out.critical |= finding.severity == scan::Severity::critical;
    out.attack_high |= text_kind && finding.severity >= scan::Severity::high;
    out.attack_any |= text_kind && finding.severity >= scan::Severity::medium;
  }
  return out;
}

std::string share(int part, int whole) {
  if (whole == 0) return "-";
  constexpr double kZ = 1.96;
  const double p = static_cast<double>(part) / whole;
  const double denominator = 1 + kZ * kZ / whole;
  const double centre = (p + kZ * kZ / (2.0 * whole)) / denominator;
  const double half = kZ * std::sqrt(p * (1 - p) / whole + kZ * kZ / (4.0 * whole * whole)) / denominator;
  char out[64];
  std::snprintf(out, sizeof out, "%.4f [%.3f-%.3f]", p, std::max(0.0, centre - half),
                std::min(1.0, centre + half));
  return out;
}

void print(const std::string& title, const std::map<std::string, Counts>& table) {
  std::printf("\n%s\n%-42s %6s  %-24s %-24s %-24s\n", title.c_str(), "rows of", "n", "CRITICAL",
              "attack text >= HIGH", "attack text >= MEDIUM");
  for (const auto& [name, counts] : table)
    std::printf("%-42s %6d  %-24s %-24s %-24s\n", name.c_str(), counts.rows,
                share(counts.critical, counts.rows).c_str(), share(counts.attack_high, counts.rows).c_str(),
                share(counts.attack_any, counts.rows).c_str());
}

void count(Counts& counts, const Judged& judged) {
  ++counts.rows;
  counts.critical += judged.critical ? 1 : 0;
  counts.attack_high += judged.attack_high ? 1 : 0;
  counts.attack_any += judged.attack_any ? 1 : 0;
}

bool is_core(const Row& row) {
  return row.label == "malicious" && (row.family == "jailbreak" || row.family == "hijack" ||
                                      row.family == "extraction" || row.family == "indirect");
}

void list(const Row& row, const Judged& judged, std::string_view what) {
  const bool benign = row.label == "benign" || row.label == "clean";
  const bool wanted = (what == "benign-critical" && benign && judged.critical) ||
                      (what == "benign-high" && benign && judged.attack_high) ||
                      (what == "missed" && !benign && row.tier == "evident" && !judged.attack_high);
  if (!wanted) return;
  std::printf("\n%s %s\n", row.source.c_str(), row.family.c_str());
  for (const scan::Finding& finding : judged.report.findings)
    if (finding.severity >= scan::Severity::high && finding.kind != scan::FindingKind::structure)
      std::printf("  %s %s %.140s\n", std::string(name_of(finding.severity)).c_str(), finding.rule.c_str(),
                  finding.evidence.c_str());
  if (what == "missed") std::printf("  %.300s\n", row.text.c_str());
}

void measure(const scan::Ruleset& rules, const std::filesystem::path& file, std::string_view what) {
  const std::vector<Row> rows = read_rows(file);
  if (rows.empty()) return;
  std::map<std::string, Counts> families;
  std::map<std::string, Counts> summary;
  std::map<std::string, int> by_rule;
  for (const Row& row : rows) {
    const Judged judged = judge(rules, row.text);
    count(families[row.label + "/" + row.family + (row.tier.empty() ? "" : "/" + row.tier)], judged);
    count(summary["all " + row.label], judged);
    if (is_core(row)) count(summary["core attacks"], judged);
    if (row.label == "malicious" && row.tier == "evident") count(summary["evident attacks"], judged);
    if (!what.empty()) list(row, judged, what);
    if (row.label == "benign")
      for (const scan::Finding& finding : judged.report.findings)
        if (finding.severity >= scan::Severity::high) ++by_rule[finding.rule];
  }
  print(file.filename().string(), families);
  print(file.filename().string() + ", summary", summary);
  if (!what.empty() && !by_rule.empty()) {
    std::printf("\nfindings of HIGH or more on benign rows, by rule:");
    for (const auto& [rule, n] : by_rule) std::printf(" %s:%d", rule.c_str(), n);
    std::printf("\n");
  }
}

void measure_pairs(const scan::Ruleset& rules, const std::filesystem::path& file) {
  std::ifstream in(file);
  int found = 0;
  int clean = 0;
  int all = 0;
  for (std::string line; std::getline(in, line);) {
    const boost::json::value value = boost::json::parse(line);
    const boost::json::object& row = value.as_object();
    const std::string category = text_of(row, "category");
    const auto in_category = [&](const std::string& text) {
      const Judged judged = judge(rules, text);
      return std::any_of(judged.report.findings.begin(), judged.report.findings.end(),
                         [&](const scan::Finding& f) {
                           return name_of(f.category) == category && f.severity >= scan::Severity::low;
                         });
    };
    const bool bad = in_category(text_of(row, "bad"));
    const bool fixed = !in_category(text_of(row, "fixed"));
    ++all;
    found += bad ? 1 : 0;
    clean += fixed ? 1 : 0;
    if (!bad || !fixed)
      std::printf("  %s: %s%s\n", text_of(row, "id").c_str(), bad ? "" : "bad not found in its category ",
                  fixed ? "" : "fixed not clean of it");
  }
  if (all > 0)
    std::printf("\npairs: %d/%d bad found in their category, %d/%d fixed clean of it\n", found, all, clean,
                all);
}

}  // namespace
}  // namespace imprimatur::bench

int main(int argc, char** argv) {
  using namespace imprimatur;
  std::string what;
  std::filesystem::path directory = bench::data_directory();
  for (int i = 1; i < argc; ++i) {
    if (std::string_view(argv[i]) == "--list" && i + 1 < argc)
      what = argv[++i];
    else
      directory = argv[i];
  }
  const auto rules = scan::Ruleset::built_in();
  if (!rules.ok()) {
    std::cerr << rules.error().detail << "\n";
    return 1;
  }
  std::printf("ruleset %s, %zu rules\n", rules->digest().c_str(), rules->rules().size());
  for (const char* file : {"scanner-dev.jsonl", "scanner-infected-dev.jsonl", "scanner-encoded-dev.jsonl",
                           "scanner-secrets-dev.jsonl"})
    bench::measure(*rules, directory / file, what);
  bench::measure_pairs(*rules, directory / "scanner-pairs.jsonl");
}
