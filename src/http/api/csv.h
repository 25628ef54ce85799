// Fields of a CSV file (RFC 4180) that is safe to open in a spreadsheet.
#pragma once

#include <string>
#include <string_view>

namespace imprimatur::http {

// In quotes. What a spreadsheet would run as a formula is defused by an apostrophe in front.
std::string csv_field(std::string_view text);

}  // namespace imprimatur::http
