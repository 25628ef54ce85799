#include "http/api/csv.h"

namespace imprimatur::http {

std::string csv_field(std::string_view text) {
  constexpr std::string_view kBegins = "=+-@\t\r\n";
  const bool formula = !text.empty() && kBegins.find(text.front()) != std::string_view::npos;
  std::string out = formula ? "\"'" : "\"";
  for (const char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  return out + "\"";
}

}  // namespace imprimatur::http
