// How fast the scanner is, on one thread: a corpus once through, and prompts of 50 KB again and again.
//   scan_speed [DIRECTORY]
#include "bench/scan_rows.h"
#include "scan/ruleset.h"
#include "scan/scan.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <thread>

namespace imprimatur::bench {
namespace {

// Of this thread only: whatever else the machine does is not measured.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

double scan_once(const scan::Ruleset& rules, std::string_view text, std::size_t& findings) {
  scan::TemplateView view;
  view.parts = {{{}, text}};
  const double start = cpu_seconds();
  findings += scan::scan(view, rules).findings.size();
  return cpu_seconds() - start;
}

}  // namespace
}  // namespace imprimatur::bench

int main(int argc, char** argv) {
  using namespace imprimatur;
  const double start = bench::cpu_seconds();
  const auto rules = scan::Ruleset::built_in();
  if (!rules.ok()) return 1;
  std::printf("machine: %u hardware threads; one is used; times are CPU time\n",
              std::thread::hardware_concurrency());
  std::printf("%zu rules compiled in %.1f ms (bar: 150 ms)\n", rules->rules().size(),
              (bench::cpu_seconds() - start) * 1e3);
  const std::filesystem::path directory = argc > 1 ? std::filesystem::path(argv[1]) : bench::data_directory();
  const std::vector<bench::Row> rows = bench::read_rows(directory / "scanner-dev.jsonl");
  if (rows.empty()) return 0;
  std::vector<double> rounds;
  std::size_t bytes = 0;
  std::size_t findings = 0;
  for (const bench::Row& row : rows) bytes += row.text.size();
  for (int round = 0; round < 5; ++round) {
    double seconds = 0;
    for (const bench::Row& row : rows) seconds += bench::scan_once(*rules, row.text, findings);
    rounds.push_back(static_cast<double>(bytes) / seconds / 1e6);
  }
  std::sort(rounds.begin(), rounds.end());
  std::printf("corpus: %zu prompts, %.1f MB: %.1f MB/s, median of %zu rounds (%.1f to %.1f; bar: 30)\n",
              rows.size(), static_cast<double>(bytes) / 1e6, rounds[rounds.size() / 2], rounds.size(),
              rounds.front(), rounds.back());
  std::vector<double> times;
  const std::vector<std::string> large = bench::joined_rows(rows, 50 * 1024);
  for (int round = 0; round < 5; ++round)
    for (const std::string& text : large) times.push_back(bench::scan_once(*rules, text, findings) * 1e3);
  std::sort(times.begin(), times.end());
  std::printf("50 KB: %zu prompts, 5 times each: p50 %.2f ms (bar: 1.5), p99 %.2f ms (bar: 3)\n",
              large.size(), times[times.size() / 2], times[times.size() * 99 / 100]);
  std::printf("findings seen: %zu\n", findings);
}
