#include "http/api/csv.h"

namespace imprimatur::http {
namespace {

// What spreadsheets skip before they look for a formula, or drop when they read a file.
constexpr std::string_view kBlanks[] = {" ",      "\t",     "\r",     "\n",     "\v",     "\f",     "\u0085",
                                        "\u00A0", "\u1680", "\u180E", "\u2000", "\u2001", "\u2002", "\u2003",
                                        "\u2004", "\u2005", "\u2006", "\u2007", "\u2008", "\u2009", "\u200A",
                                        "\u200B", "\u200C", "\u200D", "\u2028", "\u2029", "\u202F", "\u205F",
                                        "\u2060", "\u3000", "\uFEFF"};
// The ASCII ones and their full-width and small forms, which some take for the same.
constexpr std::string_view kSigns[] = {"=",      "+",      "-",      "@",      "\uFF1D", "\uFF0B", "\uFF0D",
                                       "\uFF20", "\uFE66", "\uFE62", "\uFE63", "\uFE6B", "\u2212"};

bool skip_blank(std::string_view& text) {
  for (const std::string_view blank : kBlanks) {
    if (!text.starts_with(blank)) continue;
    text.remove_prefix(blank.size());
    return true;
  }
  return false;
}

bool runs(std::string_view text) {
  constexpr std::string_view kControls = "\t\r\n";
  if (!text.empty() && kControls.find(text.front()) != std::string_view::npos) return true;
  while (skip_blank(text)) {
  }
  for (const std::string_view sign : kSigns) {
    if (text.starts_with(sign)) return true;
  }
  return false;
}

}  // namespace

std::string csv_field(std::string_view text) {
  std::string out = runs(text) ? "\"'" : "\"";
  for (const char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  return out + "\"";
}

}  // namespace imprimatur::http
