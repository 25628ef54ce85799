// Variables and guardrails: what the template as a whole does or leaves out.
#include "scan/document.h"
#include "scan/predicates.h"

#include <algorithm>
#include <array>
#include <map>

#include <re2/re2.h>

namespace imprimatur::scan {
namespace {

// Sentences that are evidence of a guardrail, in the many ways authors put them.
constexpr const char* kDataOnly =
    R"(\b(?:is|are|as|contains?|only|treat\w*|purely|strictly|untrusted|)"
    R"(reference) (?:\w+ ){0,4}(?:data|content|text)\b[^.\n]{0,40}(?:\bnot\b|never|untrusted|;|,|\.|)"
    R"($|instructions))"
    R"(|\b(?:never|not|don't|ignore|disregard|without|no) (?:\w+ ){0,6}(?:instructions?|commands?|)"
    R"(directions?|requests?|orders?)\b[^.\n]{0,60}\b(?:inside|in|within|from|contained|found|)"
    R"(embedded|between|there|it|them)\b)"
    R"(|\b(?:is|are) (?:untrusted|data)\b|\buntrusted\b|\bnot (?:as )?instructions\b|)"
    R"(\bnever instructions\b|\bas data\b)"
    R"(|instructions? (?:\w+ ){0,5}(?:inside|within|in the|contained in|embedded in|)"
    R"(found in) [^.\n]{0,80}(?:ignore|must not|never|do not|not be followed)|)"
    R"(\bdaten\b[^.\n]{0,40}anweisung|\bdatos\b[^.\n]{0,40}instruccion|\bdonn(?:é|)"
    R"(e)es\b[^.\n]{0,40}instruction)";
constexpr const char* kConfirmation =
    R"(\b(?:confirm\w*|approv(?:e|es|al|ed)\b|ask (?:the user )?(?:first|before|for permission)|)"
    R"(wait for|human (?:review|in the loop|agent)|a person|permission before|explicit consent|)"
    R"(with the user's consent|double.?check with|verify with))";
constexpr const char* kScope =
    R"(\b(?:only (?:answer|help|respond|discuss|assist|talk|provide|use)|(?:outside|beyond|)"
    R"(out of) (?:\w+ ){0,3}(?:scope|topic|domain|area)|declin\w+|refus\w+|do not (?:answer|give|)"
    R"(provide|offer|diagnose|recommend|prescribe)|never (?:answer|give|provide|offer|diagnose|)"
    R"(recommend|prescribe)|not (?:a substitute|provide (?:\w+ ){0,2}advice)|consult (?:a|an|your|)"
    R"(with)|seek (?:\w+ ){0,2}(?:professional|medical|legal)|escalat\w+|hand (?:over|off)|)"
    R"(refer (?:\w+ ){0,4}to|unrelated|off.?topic|limited to|restrict\w*))";
constexpr const char* kStateChanging =
    R"(\b(?:delete|remove|drop|cancel|refund|issue|transfer|pay|purchase|order|send|email|mail|post|)"
    R"(publish|deploy|restart|shutdown|update|write|create|insert|execute|run|grant|revoke|close|)"
    R"(approve|book|move|reset)_[a-z_]{2,40}\b)";
constexpr const char* kRegulated =
    R"(\b(?:bank|banking|loan|mortgage|insurance|insurer|investment|financial advis\w+|tax advis\w+|)"
    R"(lawyer|attorney|law firm|legal (?:advice|assistant|advis\w+)|physician|doctor|nurse|clinic|)"
    R"(hospital|patients?|medical (?:advice|assistant)|pharmac\w+|diagnos(?:e|is)|therapist|)"
    R"(mental health)\b)";
constexpr const char* kEndUser =
    R"(\b(?:customers?|clients?|patients?|visitors?|callers?|members?|students?|end.?users?)\b)";

struct Evidence {
  RE2 data_only{kDataOnly};
  RE2 confirmation{kConfirmation};
  RE2 scope{kScope};
  RE2 state_changing{kStateChanging};
  RE2 regulated{kRegulated};
  RE2 end_user{kEndUser};
};
const Evidence& evidence() {
  static const Evidence compiled;
  return compiled;
}

bool says(const Document& document, const RE2& pattern) {
  return std::any_of(document.texts.begin(), document.texts.end(), [&pattern](const Text& text) {
    const std::string_view folded = text.folded.text();
    return text.origin == Origin::authored &&
           RE2::PartialMatch(re2::StringPiece(folded.data(), folded.size()), pattern);
  });
}

bool may_act(const Document& document) {
  return std::any_of(document.texts.begin(), document.texts.end(), [](const Text& text) {
    const std::string_view folded = text.folded.text();
    return (text.origin == Origin::authored || text.location == "tools") &&
           RE2::PartialMatch(re2::StringPiece(folded.data(), folded.size()), evidence().state_changing);
  });
}

struct Use {
  std::size_t text;
  const VariableUse* use;
};

std::vector<Use> untrusted_uses(const Document& document) {
  std::vector<Use> uses;
  for (std::size_t i = 0; i < document.texts.size(); ++i)
    for (const VariableUse& use : document.texts[i].variables)
      if (document.is_untrusted(use)) uses.push_back({i, &use});
  return uses;
}

bool is_instructions(std::string_view role) { return role == "system" || role == "developer"; }

// A message of another role that is nothing but the value is where a value belongs.
bool stands_alone(const Text& text, const VariableUse& use) {
  return text.raw.find_first_not_of(" \t\r\n") == use.start &&
         text.raw.find_last_not_of(" \t\r\n") == use.end - 1;
}

void add(std::vector<Match>& out, std::size_t text, const VariableUse& use, Severity severity,
         std::string detail) {
  out.push_back({text, use.start, use.end, severity, Framing::active, std::move(detail), {}});
}

// Absence has no place of its own; it is shown where the exposure is.
bool first_seen(std::vector<std::string_view>& seen, std::string_view name) {
  if (std::find(seen.begin(), seen.end(), name) != seen.end()) return false;
  seen.push_back(name);
  return true;
}

}  // namespace

void look_up_facts(Document& document) {
  document.exposed = !untrusted_uses(document).empty();
  if (!document.exposed) return;
  Facts& facts = document.facts;
  facts.data_only = says(document, evidence().data_only);
  facts.may_act = may_act(document);
  facts.confirmation = facts.may_act && says(document, evidence().confirmation);
  facts.regulated = says(document, evidence().regulated) && says(document, evidence().end_user);
  facts.scope = facts.regulated && says(document, evidence().scope);
}

void untrusted_undelimited(const Document& document, const RuleSpec& rule, std::vector<Match>& out) {
  std::vector<std::string_view> seen;
  for (const auto& [index, use] : untrusted_uses(document)) {
    const Text& text = document.texts[index];
    if (is_instructions(text.role) || is_delimited(text.raw, *use) || stands_alone(text, *use)) continue;
    if (first_seen(seen, use->name)) add(out, index, *use, rule.severity, {});
  }
}

void untrusted_in_system(const Document& document, const RuleSpec& rule, std::vector<Match>& out) {
  std::vector<std::string_view> seen;
  const auto uses = untrusted_uses(document);
  if (uses.empty()) return;
  const bool guarded = document.facts.data_only;
  for (const auto& [index, use] : uses) {
    const Text& text = document.texts[index];
    if (!is_instructions(text.role)) continue;
    const bool delimited = is_delimited(text.raw, *use);
    if (delimited && guarded) continue;
    if (!first_seen(seen, use->name)) continue;
    add(out, index, *use, delimited ? Severity::medium : rule.severity,
        delimited ? "It is between marks; missing: a sentence that says what stands between them is data."
                  : "");
  }
}

void untrusted_with_actions(const Document& document, const RuleSpec& rule, std::vector<Match>& out) {
  const auto uses = untrusted_uses(document);
  if (uses.empty() || !document.facts.may_act || document.facts.confirmation) return;
  for (const auto& [index, use] : uses) {
    if (is_delimited(document.texts[index].raw, *use) || stands_alone(document.texts[index], *use)) continue;
    add(out, index, *use, rule.severity,
        "Missing: marks around the value, and a confirmation before a tool acts.");
    return;
  }
}

void no_data_only_sentence(const Document& document, const RuleSpec& rule, std::vector<Match>& out) {
  const auto uses = untrusted_uses(document);
  if (uses.empty() || document.facts.data_only) return;
  for (const auto& [index, use] : uses) {
    if (stands_alone(document.texts[index], *use)) continue;
    add(out, index, *use, rule.severity,
        "Missing: a sentence that says the value is data, not instructions.");
    return;
  }
}

void no_confirmation(const Document& document, const RuleSpec& rule, std::vector<Match>& out) {
  const auto uses = untrusted_uses(document);
  if (uses.empty() || !document.facts.may_act || document.facts.confirmation) return;
  add(out, uses.front().text, *uses.front().use, rule.severity,
      "Missing: a confirmation before a tool changes anything.");
}

void no_scope(const Document& document, const RuleSpec& rule, std::vector<Match>& out) {
  const auto uses = untrusted_uses(document);
  if (uses.empty() || !document.facts.regulated || document.facts.scope) return;
  add(out, uses.front().text, *uses.front().use, rule.severity,
      "Missing: what is out of scope and what happens then.");
}

void repeated_variable(const Document& document, const RuleSpec& rule, std::vector<Match>& out) {
  std::map<std::string_view, int> places;
  for (const auto& [index, use] : untrusted_uses(document))
    if (++places[use->name] == 3) add(out, index, *use, rule.severity, "This is its third place.");
}

}  // namespace imprimatur::scan
