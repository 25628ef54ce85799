// The words of a scan: categories, severities, findings, reports. Spelled outside as `name_of` spells them.
#pragma once

#include "domain/severity.h"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::scan {

enum class Category {
  injection_risk,
  phi_exposure,
  missing_guardrail,
  hallucination_prone,
  weak_tool_calling,
  jailbreak_vulnerable,
  data_exfiltration,
  privilege_escalation,
  system_prompt_leak,
  output_manipulation,
  encoding_attack,
  context_poisoning,
  insecure_default,
  harmful_content,
  regulatory_violation,
  resource_abuse,
};
inline constexpr std::size_t kCategories = 16;

using imprimatur::Severity;
using imprimatur::severity_of;

enum class FindingKind { text, unicode, secret, pii, structure };

enum class ScanStatus { pass, warn, fail, error };

// How the words around a match use it: as an order, as a mention between quotes or in a code block, or as
// something the prompt tells the model to resist.
enum class Framing { active, quoted, defensive };

std::string_view name_of(Category category);  // "INJECTION_RISK"
using imprimatur::name_of;                    // of a severity: "CRITICAL"
std::string_view name_of(FindingKind kind);   // "text"
std::string_view name_of(ScanStatus status);  // "pass"
std::string_view name_of(Framing framing);    // "active"
std::optional<Category> category_of(std::string_view name);
std::optional<FindingKind> finding_kind_of(std::string_view name);
std::optional<ScanStatus> scan_status_of(std::string_view name);
std::optional<Framing> framing_of(std::string_view name);

// Bytes [start, end) of the UTF-8 text at `Finding::location`. Line and column of `start` count from 1,
// lines end at LF, columns count code points.
struct Span {
  std::size_t start = 0;
  std::size_t end = 0;
  std::size_t line = 1;
  std::size_t column = 1;
  bool operator==(const Span&) const = default;
};

struct Finding {
  Category category = Category::injection_risk;
  Severity severity = Severity::info;
  std::string rule;
  FindingKind kind = FindingKind::text;
  std::string title;
  std::string description;
  std::string remediation;
  std::string location;  // "content", "messages[2].content", "tools", "config", ...
  Span span;
  std::string evidence;  // at most kEvidenceBytes; masked for secrets and personal data
  Framing framing = Framing::active;
  int confidence = 100;     // per cent
  std::string fingerprint;  // hex; survives edits elsewhere in the text, reveals nothing of a secret
  bool operator==(const Finding&) const = default;
};
inline constexpr std::size_t kEvidenceBytes = 160;

struct ScanReport {
  ScanStatus status = ScanStatus::error;
  int score = 0;                  // tenths: 0 is clean, 100 is 10.0, the worst
  std::vector<Finding> findings;  // worst first, then by location, span and rule
  std::string ruleset;            // digest of the rules and the engine that made this
  std::string digest;             // of what was scanned
  std::string reason;             // why status is error; empty otherwise
  bool operator==(const ScanReport&) const = default;
};

// True when a gate that refuses CRITICAL findings, and refuses what could not be scanned, refuses this.
bool blocks(const ScanReport& report);

}  // namespace imprimatur::scan
