#include "store/query.h"

namespace imprimatur::store {

std::string joined(std::string_view select, std::string_view rest) {
  std::string out;
  out.reserve(select.size() + rest.size());
  out.append(select).append(rest);
  return out;
}

std::string ascii_lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string like_pattern(std::string_view text) {
  std::string out = "%";
  for (const char c : ascii_lowered(text)) {
    if (c == '%' || c == '_' || c == '!') out += '!';
    out += c;
  }
  return out + "%";
}

}  // namespace imprimatur::store
