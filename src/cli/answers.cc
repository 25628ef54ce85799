#include "cli/answers.h"

#include <boost/json.hpp>

namespace imprimatur::cli {

namespace json = boost::json;

const json::value& member(const json::value& object, std::string_view name) {
  static const json::value kNone;
  const json::value* value = object.is_object() ? object.get_object().if_contains(name) : nullptr;
  return value == nullptr ? kNone : *value;
}

std::string text_in(const json::value& object, std::string_view name) {
  const json::value& value = member(object, name);
  if (value.is_string()) return std::string(value.get_string());
  return value.is_int64() ? std::to_string(value.get_int64()) : std::string();
}

std::int64_t number_in(const json::value& object, std::string_view name) {
  const json::value& value = member(object, name);
  return value.is_int64() ? value.get_int64() : 0;
}

bool is_true(const json::value& object, std::string_view name) {
  const json::value& value = member(object, name);
  return value.is_bool() && value.get_bool();
}

const json::array& list_in(const json::value& object, std::string_view name) {
  static const json::array kNone;
  const json::value& value = member(object, name);
  return value.is_array() ? value.get_array() : kNone;
}

}  // namespace imprimatur::cli
