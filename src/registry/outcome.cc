#include "registry/outcome.h"

#include "base/json.h"
#include "store/broken.h"
#include "store/command.h"

#include <charconv>

#include <boost/json.hpp>

namespace imprimatur::registry {
namespace {

constexpr std::string_view kVersion = "version:", kReview = "review:", kReleases = "releases:",
                           kImport = "import:";
constexpr int kLastStatus = static_cast<int>(ImportOutcome::Status::skipped);

[[noreturn]] void unreadable() { throw store::DataBroken("a remembered outcome that cannot be read"); }

ImportOutcome import_outcome(const boost::json::value& one) {
  const auto* parts = one.if_array();
  if (parts == nullptr || parts->size() != 4 || !(*parts)[0].is_int64() || !(*parts)[1].is_string() ||
      !(*parts)[2].is_int64() || !(*parts)[3].is_string()) {
    unreadable();
  }
  const std::int64_t status = (*parts)[0].get_int64();
  if (status < 0 || status > kLastStatus) unreadable();
  return {static_cast<ImportOutcome::Status>(status),
          {std::string((*parts)[1].get_string())},
          (*parts)[2].get_int64(),
          std::string((*parts)[3].get_string())};
}

}  // namespace

std::string outcome_of(const VersionRef& version) {
  return std::string(kVersion) + version.artifact.text + "/" + std::to_string(version.number);
}

VersionRef version_from(std::string_view outcome) {
  const std::string text = store::reference_in(outcome, kVersion);
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos) unreadable();
  VersionRef out{{text.substr(0, slash)}, 0};
  const char* end = text.data() + text.size();
  const auto [read, error] = std::from_chars(text.data() + slash + 1, end, out.number);
  if (error != std::errc() || read != end) unreadable();
  return out;
}

std::string outcome_of(const ReviewId& review) { return std::string(kReview) + review.text; }

ReviewId review_from(std::string_view outcome) { return {store::reference_in(outcome, kReview)}; }

std::string outcome_of(const std::vector<ReleaseId>& releases) {
  std::string out(kReleases);
  for (const ReleaseId& id : releases) out += id.text + ",";
  return out;
}

std::vector<ReleaseId> releases_from(std::string_view outcome) {
  const std::string text = store::reference_in(outcome, kReleases);
  std::vector<ReleaseId> out;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t comma = text.find(',', begin);
    if (comma == std::string::npos) unreadable();
    out.push_back({text.substr(begin, comma - begin)});
    begin = comma + 1;
  }
  if (out.empty()) unreadable();
  return out;
}

std::string outcome_of(const std::vector<ImportOutcome>& imported) {
  std::string out(kImport);
  out += '[';
  for (const ImportOutcome& outcome : imported) {
    if (out.back() == ']') out += ',';
    out += '[' + std::to_string(static_cast<int>(outcome.status)) + ',';
    append_json_string(out, outcome.artifact.text);
    out += ',' + std::to_string(outcome.version) + ',';
    append_json_string(out, outcome.reason);
    out += ']';
  }
  return out + ']';
}

std::vector<ImportOutcome> imported_from(std::string_view outcome) {
  const std::string text = store::reference_in(outcome, kImport);
  const auto parsed = parse_json(text, {.bytes = text.size(), .depth = 3, .values = 10 * kMaxBatch});
  if (!parsed.ok() || !parsed->is_array()) unreadable();
  std::vector<ImportOutcome> out;
  for (const auto& one : parsed->get_array()) out.push_back(import_outcome(one));
  return out;
}

namespace {

std::string_view word_of(Registry::EnvironmentOutcome outcome) {
  switch (outcome) {
    case Registry::EnvironmentOutcome::changed: return "environment:changed";
    case Registry::EnvironmentOutcome::created: return "environment:created";
    case Registry::EnvironmentOutcome::waiting: return "environment:waiting";
  }
  CHECK(false, "unknown outcome");
}

}  // namespace

std::string outcome_of(Registry::EnvironmentOutcome outcome) { return std::string(word_of(outcome)); }

Registry::EnvironmentOutcome settings_from(std::string_view outcome) {
  using enum Registry::EnvironmentOutcome;
  for (const Registry::EnvironmentOutcome one : {changed, created, waiting}) {
    if (outcome == word_of(one)) return one;
  }
  unreadable();
}

}  // namespace imprimatur::registry
