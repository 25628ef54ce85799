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

// Prints the rounds of one measure and answers with their median.
double print_rounds(const char* what, std::vector<double> rounds, const char* bar) {
  std::sort(rounds.begin(), rounds.end());
  const double median = rounds[rounds.size() / 2];
  std::printf("  %-18s %6.2f (%.2f to %.2f; bar: %s)\n", what, median, rounds.front(), rounds.back(), bar);
  return median;
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
  std::vector<double> speeds, medians, worst;
  std::size_t bytes = 0;
  std::size_t findings = 0;
  for (const bench::Row& row : rows) bytes += row.text.size();
  const std::vector<std::string> large = bench::joined_rows(rows, 50 * 1024);
  for (int round = 0; round < 7; ++round) {
    double seconds = 0;
    for (const bench::Row& row : rows) seconds += bench::scan_once(*rules, row.text, findings);
    speeds.push_back(static_cast<double>(bytes) / seconds / 1e6);
    std::vector<double> times;
    for (const std::string& text : large) times.push_back(bench::scan_once(*rules, text, findings) * 1e3);
    std::sort(times.begin(), times.end());
    medians.push_back(times[times.size() / 2]);
    worst.push_back(times[times.size() * 99 / 100]);
  }
  std::printf("%zu prompts, %.1f MB, and %zu prompts of 50 KB, in %zu rounds; median (least to most):\n",
              rows.size(), static_cast<double>(bytes) / 1e6, large.size(), speeds.size());
  const double speed = bench::print_rounds("corpus, MB/s", speeds, "at least 30");
  const double p50 = bench::print_rounds("50 KB, p50 in ms", medians, "at most 1.5");
  const double p99 = bench::print_rounds("50 KB, p99 in ms", worst, "at most 3");
  std::printf("findings seen: %zu\n", findings);
  return speed >= 30 && p50 <= 1.5 && p99 <= 3 ? 0 : 1;
}
