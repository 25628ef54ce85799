// Detectors that need code. A rule names one; its severity and words stand in the pack.
#pragma once

#include "scan/ruleset.h"

#include <string_view>

namespace imprimatur::scan {

// The predicate a rule calls by this name, or nullptr.
Predicate predicate_named(std::string_view name);

// Adds a match for every place the rule finds in the document. A match carries the severity the rule gives it
// here. hidden.cc: characters that readers do not see.
void tag_characters(const Document& document, const RuleSpec& rule, std::vector<Match>& out);
void bidi_controls(const Document& document, const RuleSpec& rule, std::vector<Match>& out);
void zero_width_in_words(const Document& document, const RuleSpec& rule, std::vector<Match>& out);
void variation_selectors(const Document& document, const RuleSpec& rule, std::vector<Match>& out);
void styled_letters(const Document& document, const RuleSpec& rule, std::vector<Match>& out);
void mixed_scripts(const Document& document, const RuleSpec& rule, std::vector<Match>& out);

// concealed.cc: what encodings hide. `words` of the rule name the encodings.
void decoded_attack(const Document& document, const RuleSpec& rule, std::vector<Match>& out);
void concealed_sentence(const Document& document, const RuleSpec& rule, std::vector<Match>& out);

// structure.cc: variables and guardrails. They read Document::facts, which `look_up_facts` fills.
void look_up_facts(Document& document);
void untrusted_undelimited(const Document& document, const RuleSpec& rule, std::vector<Match>& out);
void untrusted_in_system(const Document& document, const RuleSpec& rule, std::vector<Match>& out);
void untrusted_with_actions(const Document& document, const RuleSpec& rule, std::vector<Match>& out);
void no_data_only_sentence(const Document& document, const RuleSpec& rule, std::vector<Match>& out);
void no_confirmation(const Document& document, const RuleSpec& rule, std::vector<Match>& out);
void no_scope(const Document& document, const RuleSpec& rule, std::vector<Match>& out);
void repeated_variable(const Document& document, const RuleSpec& rule, std::vector<Match>& out);

// tools.cc: what the tools allow.
void free_form_parameter(const Document& document, const RuleSpec& rule, std::vector<Match>& out);
void open_tool_schema(const Document& document, const RuleSpec& rule, std::vector<Match>& out);

}  // namespace imprimatur::scan
