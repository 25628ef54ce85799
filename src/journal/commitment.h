// How the journal names what somebody wrote without holding it.
#pragma once

#include <string>
#include <string_view>

namespace imprimatur::journal {

// 128 random bits in hex. It stands beside the text: with both, anybody can tell that the text is the one of
// the event; when both are erased, the event says nothing about it.
std::string new_salt();

// SHA-256 over "imprimatur-commitment-v1\n<salt>\n<text>", as sha256:<hex>. Precondition: a salt.
std::string commitment(std::string_view salt, std::string_view text);

// What a commitment to a person covers: e-mail and display name.
std::string person_text(std::string_view email, std::string_view display_name);

}  // namespace imprimatur::journal
