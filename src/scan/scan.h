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
  Trust trust = Trust::unknown;   // unknown: judged by the name
  std::string_view default_json;  // a JSON text; empty for none
};

enum class TemplateForm { text, chat, policy };

// What a scan looks at. Views only: the caller keeps the bytes alive during the call.
struct TemplateView {
  TemplateForm form = TemplateForm::text;
  std::vector<Part> parts;
  std::vector<DeclaredVariable> variables;
  std::string_view model_provider;
  std::string_view model_name;
  // JSON texts; empty for none. They are searched for what their strings say, and tools for what they allow.
  std::string_view tools_json;
  std::string_view config_json;
  std::string_view output_schema_json;
  // The digest of the version, echoed in the report. Empty: the digest of the view itself.
  std::string_view digest;
};

// What is over a limit is not scanned, and the report says so with status error. Nothing else ends a scan
// before its text.
struct ScanLimits {
  // All texts together. The largest version that may be saved fits.
  std::size_t text_bytes = 2 * 1024 * 1024;
  std::size_t parts = 1'000;
  std::size_t matches_per_rule = 1'000;  // in one part
  std::size_t findings = 5'000;          // in one report
  std::size_t decode_depth = 4;          // encodings within each other
  std::size_t decoded_ratio = 4;         // decoded bytes for each byte of text, all layers together
};

// Safe from any thread.
ScanReport scan(const TemplateView& view, const Ruleset& rules, const ScanLimits& limits = {});

// "sha256:<hex>" over everything in the view.
std::string content_digest(const TemplateView& view);

}  // namespace imprimatur::scan
