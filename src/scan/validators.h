// What tells a credential or an identifier from something of the same shape.
#pragma once

#include <string_view>

namespace imprimatur::scan {

using Validator = bool (*)(std::string_view matched);

// The validator a rule calls by this name, or nullptr.
Validator validator_named(std::string_view name);

// Bits a character by Shannon, over bytes. 0 for nothing.
double entropy(std::string_view text);
// A value somebody put where a real one belongs: "xxxx", "your-key", "EXAMPLE", "abcdef...", "{{key}}".
bool is_placeholder(std::string_view text);
bool luhn_valid(std::string_view text);     // digits, with spaces and hyphens between
bool iban_valid(std::string_view text);     // ISO 13616: country, length, modulo 97
bool ssn_plausible(std::string_view text);  // a number the Social Security Administration could have issued

}  // namespace imprimatur::scan
