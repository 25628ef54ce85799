// A scan reads a template and reports its weaknesses: no clock, no I/O, the same bytes out for the same bytes
// and rules in, on every thread.
#pragma once

#include "scan/finding.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::scan {

class Ruleset;

// One piece of text the model will read: the whole of a text prompt, or one message of a chat.
struct Part {
  std::string_view role;  // "system", "user", "assistant", "tool"; empty for a text prompt
  std::string_view text;
};

enum class Trust { unknown, trusted, untrusted };

struct DeclaredVariable {
  std::string_view name;
  std::string_view type;  // as declared; empty when it is not
  std::string_view description;
  Trust trust = Trust::unknown;  // unknown: judged by the name
};

enum class TemplateForm { text, chat, policy };

// What a scan looks at. Views only: the caller keeps the bytes alive during the call.
struct TemplateView {
  TemplateForm form = TemplateForm::text;
  std::vector<Part> parts;
  std::vector<DeclaredVariable> variables;
  // JSON texts; empty for none. They are searched for what their strings say, and tools for what they allow.
  std::string_view tools_json;
  std::string_view model_json;
  std::string_view config_json;
  std::string_view output_schema_json;
  // The digest of the version, echoed in the report. Empty: the digest of the view itself.
  std::string_view digest;
};

// What is over a limit is not scanned, and the report says so with status error.
struct ScanLimits {
  std::size_t text_bytes = 1024 * 1024;  // all parts and JSON texts together
  std::size_t parts = 1'000;
  std::size_t matches_per_rule = 1'000;  // in one part
  std::size_t findings = 5'000;          // in one report
  std::size_t decode_depth = 2;          // an encoding within an encoding; deeper is not looked into
  std::size_t decoded_ratio = 4;         // decoded bytes for each byte of text, all layers together
};

// Safe from any thread.
ScanReport scan(const TemplateView& view, const Ruleset& rules, const ScanLimits& limits = {});

// "sha256:<hex>" over everything in the view.
std::string content_digest(const TemplateView& view);

}  // namespace imprimatur::scan
