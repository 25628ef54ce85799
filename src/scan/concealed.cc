// What encodings hide from the reader of a template and not from the model.
#include "scan/document.h"
#include "scan/predicates.h"

#include <algorithm>

namespace imprimatur::scan {
namespace {

bool names(const RuleSpec& rule, Encoding encoding) {
  return std::find(rule.words.begin(), rule.words.end(), name_of(encoding)) != rule.words.end();
}

std::string excerpt(std::string_view text) {
  constexpr std::size_t kMost = 120;
  if (text.size() <= kMost) return std::string(text);
  std::size_t end = kMost;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return std::string(text.substr(0, end)) + "...";
}

void add(const Concealed& hidden, Severity severity, std::string detail, std::vector<Match>& out) {
  out.push_back({hidden.text, hidden.decoded.start, hidden.decoded.end, severity, Framing::active,
                 std::move(detail), hidden.secret ? "(a credential)" : excerpt(hidden.decoded.text)});
}

}  // namespace

void decoded_attack(const Document& document, const RuleSpec& rule, std::vector<Match>& out) {
  for (const Concealed& hidden : document.concealed) {
    if (hidden.rule.empty() || hidden.severity < Severity::medium || !names(rule, hidden.decoded.encoding))
      continue;
    const Severity severity = hidden.severity >= Severity::high ? rule.severity : hidden.severity;
    add(hidden, severity,
        "Decoded from " + std::string(name_of(hidden.decoded.encoding)) + ", it sets off " + hidden.rule +
            ".",
        out);
  }
}

void concealed_sentence(const Document& document, const RuleSpec& rule, std::vector<Match>& out) {
  for (const Concealed& hidden : document.concealed) {
    if (!names(rule, hidden.decoded.encoding) || !reads_as_sentence(hidden.decoded.text)) continue;
    add(hidden, rule.severity, "Decoded from " + std::string(name_of(hidden.decoded.encoding)) + ".", out);
  }
}

}  // namespace imprimatur::scan
