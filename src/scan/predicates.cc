#include "scan/predicates.h"

#include <array>

namespace imprimatur::scan {
namespace {

struct Named {
  std::string_view name;
  Predicate predicate;
};
constexpr std::array kPredicates = {
    Named{"tag_characters", tag_characters},
    Named{"bidi_controls", bidi_controls},
    Named{"zero_width_in_words", zero_width_in_words},
    Named{"variation_selectors", variation_selectors},
    Named{"mixed_scripts", mixed_scripts},
    Named{"styled_letters", styled_letters},
    Named{"decoded_attack", decoded_attack},
    Named{"concealed_sentence", concealed_sentence},
    Named{"untrusted_undelimited", untrusted_undelimited},
    Named{"untrusted_in_system", untrusted_in_system},
    Named{"untrusted_with_actions", untrusted_with_actions},
    Named{"no_data_only_sentence", no_data_only_sentence},
    Named{"no_confirmation", no_confirmation},
    Named{"no_scope", no_scope},
    Named{"repeated_variable", repeated_variable},
    Named{"free_form_parameter", free_form_parameter},
    Named{"open_tool_schema", open_tool_schema},
};

}  // namespace

Predicate predicate_named(std::string_view name) {
  for (const Named& named : kPredicates)
    if (named.name == name) return named.predicate;
  return nullptr;
}

}  // namespace imprimatur::scan
