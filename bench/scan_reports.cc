// Every report on the development data, one JSON line each, so that two builds can be compared byte for byte:
//   scan_reports [DIRECTORY] > reports.jsonl
// Each row is read as a text, as a chat, and as a part of a text of 50 KB. The digest of the rule set is left
// out: it names the engine, and the engine is what changes.
#include "bench/scan_rows.h"
#include "scan/report_json.h"
#include "scan/ruleset.h"
#include "scan/scan.h"

#include <string_view>

namespace imprimatur::bench {
namespace {

void print(const scan::Ruleset& rules, scan::TemplateView view) {
  view.digest = "-";
  scan::ScanReport report = scan::scan(view, rules);
  report.ruleset.clear();
  std::cout << boost::json::serialize(scan::to_json(report)) << "\n";
}

void print_all(const scan::Ruleset& rules, const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    scan::TemplateView text;
    text.parts = {{{}, row.text}};
    print(rules, text);
    scan::TemplateView chat;
    chat.form = scan::TemplateForm::chat;
    std::size_t half = row.text.size() / 2;
    while (half > 0 && (static_cast<unsigned char>(row.text[half]) & 0xC0) == 0x80) --half;
    chat.parts = {{"system", std::string_view(row.text).substr(0, half)},
                  {"user", std::string_view(row.text).substr(half)}};
    print(rules, chat);
  }
  for (const std::string& large : joined_rows(rows, 50 * 1024)) {
    scan::TemplateView view;
    view.parts = {{{}, large}};
    print(rules, view);
  }
}

}  // namespace
}  // namespace imprimatur::bench

int main(int argc, char** argv) {
  using namespace imprimatur;
  const auto rules = scan::Ruleset::built_in();
  if (!rules.ok()) return 1;
  const std::filesystem::path directory = argc > 1 ? std::filesystem::path(argv[1]) : bench::data_directory();
  for (const char* file : {"scanner-dev.jsonl", "scanner-infected-dev.jsonl", "scanner-encoded-dev.jsonl",
                           "scanner-secrets-dev.jsonl", "scanner-pii-dev.jsonl", "prompts.jsonl"})
    bench::print_all(*rules, bench::read_rows(directory / file));
}
