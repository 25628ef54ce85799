#include "domain/json_pointer.h"

namespace imprimatur {

std::string pointer_below(const std::string& at, std::string_view name) {
  std::string out = at + "/";
  for (const char c : name) {
    if (c == '~' || c == '/') {
      out += c == '~' ? "~0" : "~1";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

}  // namespace imprimatur
