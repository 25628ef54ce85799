// A rule pack as written: YAML in, checked rules out. docs/scanner.md describes the format.
#pragma once

#include "base/result.h"
#include "scan/finding.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::scan {

struct PackSource {
  std::string name;  // for messages: the file's name
  std::string text;
};

struct PackLimits {
  std::size_t bytes = 1024 * 1024;
  std::size_t rules = 2'000;
  std::size_t patterns_per_rule = 64;
  std::size_t anchors_per_rule = 256;
  std::size_t pattern_bytes = 8 * 1024;
  std::size_t window_bytes = 4 * 1024;  // each side
};

// How words of defence around a match are understood.
enum class ContextFilter {
  none,       // a match is a match: credentials, personal data, hidden characters
  general,    // any word of defence: never, refuse, if the user says, such as
  jailbreak,  // only words that are no jailbreak grammar themselves: "never refuse" is not a defence
};

// Which text a rule reads.
enum class Reading {
  folded,  // NFKC, lower case, invisible characters dropped, look-alikes made plain
  raw,     // the bytes as they are
};

// A text a rule must or must not find something in.
struct Example {
  std::string text;
  std::string role;   // empty: a text prompt; else a chat of this one message
  std::string tools;  // JSON text
  std::size_t line = 0;
};

struct RuleSpec {
  std::string id;
  Category category = Category::injection_risk;
  Severity severity = Severity::medium;
  FindingKind kind = FindingKind::text;
  int confidence = 80;  // per cent
  std::string title;
  std::string message;  // why it matters
  std::string fix;      // what to write instead
  std::vector<std::string> refs;
  Reading reading = Reading::folded;
  ContextFilter context = ContextFilter::general;
  std::vector<std::string> anchors;
  std::size_t window_before = 250;
  std::size_t window_after = 250;
  std::vector<std::string> patterns;
  std::vector<std::string> unless;      // a match any of these finds something in does not count
  std::vector<std::string> validators;  // every one must accept the match; see validators.h
  std::string predicate;                // structure and unicode rules: the detector in code
  std::vector<std::string> words;       // what the predicate looks for
  std::vector<Example> bad;
  std::vector<Example> good;
  std::string pack;
  std::size_t line = 0;
};

// Errors name the pack, the rule and the line.
Result<std::vector<RuleSpec>> load_pack(const PackSource& source, const PackLimits& limits = {});

// Everything of a rule that can change a report, in one unambiguous byte string.
std::string canonical_form(const RuleSpec& rule);

}  // namespace imprimatur::scan
