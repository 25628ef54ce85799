#include "journal/details.h"

#include <boost/json.hpp>

namespace imprimatur::journal {

namespace json = boost::json;

namespace {

// "" for null: a row's text has no other word for it.
std::string text_of(const json::value& value) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_int64()) return std::to_string(value.get_int64());
  if (value.is_bool()) return value.get_bool() ? "true" : "false";
  if (!value.is_array()) return {};
  std::vector<std::string> items;
  for (const json::value& item : value.get_array()) items.push_back(text_of(item));
  return joined(std::move(items));
}

}  // namespace

Result<std::string> member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || value->is_object() || value->is_double()) {
    return invalid("its details lack \"" + std::string(name) + "\"");
  }
  return text_of(*value);
}

Result<std::int64_t> number(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_int64())
    return invalid("its details lack the number \"" + std::string(name) + "\"");
  return value->get_int64();
}

Result<const json::array*> array(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_array())
    return invalid("its details lack the list \"" + std::string(name) + "\"");
  return &value->get_array();
}

Result<const json::object*> as_object(const json::value& value) {
  if (!value.is_object()) return invalid("its details hold a list of something else than objects");
  return &value.get_object();
}

}  // namespace imprimatur::journal
