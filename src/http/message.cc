#include "http/message.h"

#include "base/check.h"

#include <algorithm>
#include <array>

namespace imprimatur::http {
namespace {

constexpr std::array<std::pair<std::string_view, Method>, 7> kMethods{{{"GET", Method::get},
                                                                       {"HEAD", Method::head},
                                                                       {"POST", Method::post},
                                                                       {"PUT", Method::put},
                                                                       {"PATCH", Method::patch},
                                                                       {"DELETE", Method::delete_},
                                                                       {"OPTIONS", Method::options}}};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; }

template <class Equal>
const std::string* first_of(const std::vector<std::pair<std::string, std::string>>& pairs, Equal equal) {
  for (const auto& [name, value] : pairs) {
    if (equal(name)) return &value;
  }
  return nullptr;
}

}  // namespace

std::string_view name_of(Method method) {
  for (const auto& [token, known] : kMethods) {
    if (known == method) return token;
  }
  return "OTHER";
}

Method method_of(std::string_view token) {
  for (const auto& [known, method] : kMethods) {
    if (known == token) return method;
  }
  return Method::other;
}

bool equal_field_names(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

const std::string* Request::header(std::string_view name) const {
  return first_of(headers, [&](std::string_view each) { return equal_field_names(each, name); });
}

const std::string* Request::query_value(std::string_view name) const {
  return first_of(query, [&](std::string_view each) { return each == name; });
}

std::string_view bytes_of(const Response& response) {
  const auto* body = std::get_if<std::string>(&response.body);
  return body == nullptr ? std::string_view() : std::string_view(*body);
}

const Pieces* pieces_of(const Response& response) { return std::get_if<Pieces>(&response.body); }

Response json_response(std::string body, int status) { return {.status = status, .body = std::move(body)}; }

Response no_content() { return {.status = 204, .content_type = ""}; }

}  // namespace imprimatur::http
