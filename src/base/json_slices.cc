#include "base/json_slices.h"

#include "base/check.h"

#include <string>

#include <boost/json.hpp>

namespace imprimatur {
namespace {

// Behind the closing quote of the string that begins at `at`, or npos.
std::size_t string_end(std::string_view text, std::size_t at) {
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      return i + 1;
    }
  }
  return std::string_view::npos;
}

// Behind the value that begins at `at`, or npos.
std::size_t value_end(std::string_view text, std::size_t at) {
  int depth = 0;
  for (std::size_t i = at; i < text.size();) {
    const char c = text[i];
    if (c == '"') {
      i = string_end(text, i);
      if (i == std::string_view::npos) return i;
      continue;
    }
    if (depth == 0 && (c == ',' || c == '}' || c == ']')) return i;
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    ++i;
  }
  return std::string_view::npos;
}

}  // namespace

Result<JsonSlices> JsonSlices::of(std::string_view object) {
  const Error bad = invalid("not an object in the form that this program writes");
  JsonSlices out;
  if (object.size() < 2 || object.front() != '{' || object.back() != '}') return bad;
  std::size_t at = 1;
  while (at + 1 < object.size()) {
    if (object[at] != '"') return bad;
    const std::size_t name_end = string_end(object, at);
    if (name_end == std::string_view::npos || name_end >= object.size() || object[name_end] != ':')
      return bad;
    const std::size_t end = value_end(object, name_end + 1);
    if (end == std::string_view::npos || end == name_end + 1) return bad;
    out.members_.emplace_back(object.substr(at + 1, name_end - at - 2),
                              object.substr(name_end + 1, end - name_end - 1));
    if (object[end] == '}') return end + 1 == object.size() ? Result<JsonSlices>(std::move(out)) : bad;
    if (object[end] != ',') return bad;
    at = end + 1;
  }
  return at + 1 == object.size() && out.members_.empty() ? Result<JsonSlices>(std::move(out)) : bad;
}

std::string_view JsonSlices::operator[](std::string_view member) const {
  for (const auto& [name, value] : members_) {
    if (name == member) return value;
  }
  return {};
}

std::string unquoted(std::string_view literal) {
  boost::system::error_code error;
  const boost::json::value value = boost::json::parse({literal.data(), literal.size()}, error);
  CHECK(!error && value.is_string());
  return std::string(value.get_string());
}

}  // namespace imprimatur
