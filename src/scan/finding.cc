#include "scan/finding.h"

#include <algorithm>
#include <array>

namespace imprimatur::scan {
namespace {

constexpr std::array<std::string_view, kCategories> kCategoryNames = {
    "INJECTION_RISK",     "PHI_EXPOSURE",         "MISSING_GUARDRAIL",    "HALLUCINATION_PRONE",
    "WEAK_TOOL_CALLING",  "JAILBREAK_VULNERABLE", "DATA_EXFILTRATION",    "PRIVILEGE_ESCALATION",
    "SYSTEM_PROMPT_LEAK", "OUTPUT_MANIPULATION",  "ENCODING_ATTACK",      "CONTEXT_POISONING",
    "INSECURE_DEFAULT",   "HARMFUL_CONTENT",      "REGULATORY_VIOLATION", "RESOURCE_ABUSE"};
constexpr std::array<std::string_view, 5> kKindNames = {"text", "unicode", "secret", "pii", "structure"};
constexpr std::array<std::string_view, 4> kStatusNames = {"pass", "warn", "fail", "error"};
constexpr std::array<std::string_view, 3> kFramingNames = {"active", "quoted", "defensive"};

template <class Enum, std::size_t N>
std::optional<Enum> find(const std::array<std::string_view, N>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<Enum>(found - names.begin());
}

template <class Enum, std::size_t N>
std::string_view name_in(const std::array<std::string_view, N>& names, Enum value) {
  return names.at(static_cast<std::size_t>(value));
}

}  // namespace

std::string_view name_of(Category category) { return name_in(kCategoryNames, category); }
std::string_view name_of(FindingKind kind) { return name_in(kKindNames, kind); }
std::string_view name_of(ScanStatus status) { return name_in(kStatusNames, status); }
std::string_view name_of(Framing framing) { return name_in(kFramingNames, framing); }
std::optional<Category> category_of(std::string_view name) { return find<Category>(kCategoryNames, name); }
std::optional<FindingKind> finding_kind_of(std::string_view name) {
  return find<FindingKind>(kKindNames, name);
}
std::optional<ScanStatus> scan_status_of(std::string_view name) {
  return find<ScanStatus>(kStatusNames, name);
}
std::optional<Framing> framing_of(std::string_view name) { return find<Framing>(kFramingNames, name); }

bool blocks(const ScanReport& report) {
  return report.status == ScanStatus::error ||
         std::any_of(report.findings.begin(), report.findings.end(),
                     [](const Finding& finding) { return finding.severity == Severity::critical; });
}

}  // namespace imprimatur::scan
