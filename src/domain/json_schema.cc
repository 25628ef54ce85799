#include "domain/json_schema.h"

#include "base/check.h"
#include "base/json.h"
#include "base/utf8.h"
#include "domain/json_pointer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>

#include <boost/json.hpp>

namespace imprimatur {
namespace {

namespace json = boost::json;

// Of schemas within schemas and of references that lead on; and of keywords looked at in one check.
constexpr int kMaxNesting = 64;
constexpr int kMaxSteps = 1'000'000;
constexpr std::size_t kBytesOfAStep = 16;  // of what is read, written or compared for one
constexpr std::string_view kDefs = "#/$defs/";

// What the value of a keyword is, and so how it is checked and where schemas stand in it.
enum class Takes {
  note,
  types,
  values,
  value,
  schema,
  schemas,
  named_schemas,
  names,
  count,
  number,
  flag,
  reference
};
struct Keyword {
  std::string_view name;
  Takes takes;
};
constexpr std::array kKeywords = {Keyword{"$comment", Takes::note},
                                  Keyword{"$defs", Takes::named_schemas},
                                  Keyword{"$id", Takes::note},
                                  Keyword{"$ref", Takes::reference},
                                  Keyword{"$schema", Takes::note},
                                  Keyword{"additionalProperties", Takes::schema},
                                  Keyword{"allOf", Takes::schemas},
                                  Keyword{"anyOf", Takes::schemas},
                                  Keyword{"const", Takes::value},
                                  Keyword{"contains", Takes::schema},
                                  Keyword{"default", Takes::note},
                                  Keyword{"deprecated", Takes::note},
                                  Keyword{"description", Takes::note},
                                  Keyword{"else", Takes::schema},
                                  Keyword{"enum", Takes::values},
                                  Keyword{"examples", Takes::note},
                                  Keyword{"exclusiveMaximum", Takes::number},
                                  Keyword{"exclusiveMinimum", Takes::number},
                                  Keyword{"if", Takes::schema},
                                  Keyword{"items", Takes::schema},
                                  Keyword{"maxItems", Takes::count},
                                  Keyword{"maxLength", Takes::count},
                                  Keyword{"maxProperties", Takes::count},
                                  Keyword{"maximum", Takes::number},
                                  Keyword{"minItems", Takes::count},
                                  Keyword{"minLength", Takes::count},
                                  Keyword{"minProperties", Takes::count},
                                  Keyword{"minimum", Takes::number},
                                  Keyword{"multipleOf", Takes::number},
                                  Keyword{"not", Takes::schema},
                                  Keyword{"oneOf", Takes::schemas},
                                  Keyword{"prefixItems", Takes::schemas},
                                  Keyword{"properties", Takes::named_schemas},
                                  Keyword{"propertyNames", Takes::schema},
                                  Keyword{"required", Takes::names},
                                  Keyword{"then", Takes::schema},
                                  Keyword{"title", Takes::note},
                                  Keyword{"type", Takes::types},
                                  Keyword{"uniqueItems", Takes::flag}};

Error bad_schema(const std::string& at, const std::string& why) {
  return invalid("the schema at " + (at.empty() ? "its root" : at) + " " + why);
}

bool is_type_name(const json::value& value) {
  constexpr std::array<std::string_view, 7> kTypes = {"array",  "boolean", "integer", "null",
                                                      "number", "object",  "string"};
  return value.is_string() &&
         std::find(kTypes.begin(), kTypes.end(), std::string_view(value.get_string())) != kTypes.end();
}

bool is_count(const json::value& value) { return value.is_int64() && value.get_int64() >= 0; }

bool is_string(const json::value& value) { return value.is_string(); }

template <class Which>
bool all_of(const json::value& list, Which which) {
  return list.is_array() && std::all_of(list.get_array().begin(), list.get_array().end(), which);
}

// The schema that a reference names, or null.
const json::value* referred(const json::value& root, std::string_view reference) {
  if (reference == "#") return &root;
  if (!reference.starts_with(kDefs) || !root.is_object()) return nullptr;
  const json::value* defs = root.get_object().if_contains("$defs");
  return defs != nullptr && defs->is_object() ? defs->get_object().if_contains(reference.substr(kDefs.size()))
                                              : nullptr;
}

class SchemaReader {
 public:
  explicit SchemaReader(const json::value& root) : root_(root) {}

  Status read(const json::value& schema, const std::string& at, int depth) const {
    if (schema.is_bool()) return Ok{};
    if (!schema.is_object()) return bad_schema(at, "must be an object, true or false");
    if (depth > kMaxNesting) return bad_schema(at, "is nested too deep");
    for (const auto& member : schema.get_object()) {
      const std::string_view name = member.key();
      const auto known = std::find_if(kKeywords.begin(), kKeywords.end(),
                                      [&](const Keyword& keyword) { return keyword.name == name; });
      if (known == kKeywords.end()) {
        return bad_schema(pointer_below(at, name), "is a keyword that is not checked here; leave it out");
      }
      TRY(read_keyword(*known, member.value(), pointer_below(at, name), depth));
    }
    return Ok{};
  }

 private:
  Status read_keyword(const Keyword& keyword, const json::value& value, const std::string& at,
                      int depth) const {
    const auto demand = [&](bool holds, const char* what) {
      return holds ? Status(Ok{}) : Status(bad_schema(at, what));
    };
    switch (keyword.takes) {
      case Takes::note:
      case Takes::value: return Ok{};
      case Takes::types:
        return demand(is_type_name(value) || all_of(value, is_type_name),
                      "must be the name of a type, or a list of them");
      case Takes::values: return demand(value.is_array(), "must be a list");
      case Takes::names: return demand(all_of(value, is_string), "must be a list of names");
      case Takes::count: return demand(is_count(value), "must be a whole number, 0 or more");
      case Takes::number:
        return demand(value.is_number() && (keyword.name != "multipleOf" || value.to_number<double>() > 0),
                      "must be a number, and for multipleOf above 0");
      case Takes::flag: return demand(value.is_bool(), "must be true or false");
      case Takes::reference:
        return demand(value.is_string() && referred(root_, value.get_string()) != nullptr,
                      "must be \"#\" or \"#/$defs/<name>\" with a name that $defs has");
      case Takes::schema: return read(value, at, depth + 1);
      case Takes::schemas: {
        if (!value.is_array()) return bad_schema(at, "must be a list of schemas");
        std::size_t index = 0;
        for (const json::value& each : value.get_array()) {
          TRY(read(each, pointer_below(at, std::to_string(index++)), depth + 1));
        }
        return Ok{};
      }
      case Takes::named_schemas:
        if (!value.is_object()) return bad_schema(at, "must be an object of schemas");
        for (const auto& each : value.get_object())
          TRY(read(each.value(), pointer_below(at, each.key()), depth + 1));
        return Ok{};
    }
    CHECK(false, "unknown kind of keyword");
  }

  const json::value& root_;
};

bool is_whole(const json::value& value) {
  return value.is_int64() || value.is_uint64() ||
         (value.is_double() && std::trunc(value.get_double()) == value.get_double());
}

bool has_type(const json::value& value, std::string_view type) {
  if (type == "array") return value.is_array();
  if (type == "boolean") return value.is_bool();
  if (type == "integer") return is_whole(value);
  if (type == "null") return value.is_null();
  if (type == "number") return value.is_number();
  if (type == "object") return value.is_object();
  return value.is_string();
}

// Two JSON values are one when their canonical texts are: 1 and 1.0, whatever the order of members.
std::string text_of(const json::value& value) {
  auto text = canonical_json(value);
  return text.ok() ? *std::move(text) : json::serialize(value);
}

// What a value breaks; nothing when it obeys.
using Breach = std::optional<std::string>;

class Checker {
 public:
  explicit Checker(const json::value& root) : root_(root) {}
  bool exhausted() const { return exhausted_; }

  Breach check(const json::value& schema, const json::value& value, const std::string& at, int depth) {
    if (schema.is_bool()) {
      return schema.get_bool() ? Breach() : breach(at, "is not allowed");
    }
    const json::object& object = schema.get_object();
    take(object.size(), at.size());
    if (depth > kMaxNesting) exhausted_ = true;
    if (exhausted_) return breach(at, "takes too long to check");
    if (const json::value* reference = object.if_contains("$ref")) {
      if (Breach broken = check(*referred(root_, reference->get_string()), value, at, depth + 1))
        return broken;
    }
    if (Breach broken = any_value(object, value, at)) return broken;
    if (value.is_number()) {
      if (Breach broken = number(object, value.to_number<double>(), at)) return broken;
    }
    if (value.is_string()) {
      const bool bounded = object.contains("minLength") || object.contains("maxLength");
      const auto length = bounded ? code_points(value.get_string()) : 0;
      if (bounded) take(0, value.get_string().size());
      if (Breach broken = counted(object, "minLength", "maxLength", length, "characters", at)) return broken;
    }
    if (value.is_array()) {
      if (Breach broken = array(object, value.get_array(), at, depth)) return broken;
    }
    if (value.is_object()) {
      if (Breach broken = members(object, value.get_object(), at, depth)) return broken;
    }
    return combined(object, value, at, depth);
  }

 private:
  // Counts work, so that what was allowed is a bound on time: some things, and some bytes.
  void take(std::size_t things, std::size_t bytes) {
    steps_ += 1 + static_cast<std::int64_t>(things + bytes / kBytesOfAStep);
    if (steps_ > kMaxSteps) exhausted_ = true;
  }
  std::string text(const json::value& value) {
    if (exhausted_) return {};
    std::string out = text_of(value);
    take(0, out.size());
    return out;
  }
  static Breach breach(const std::string& at, const std::string& why) {
    return (at.empty() ? "the whole" : at) + " " + why;
  }

  static std::size_t code_points(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
  }

  Breach any_value(const json::object& schema, const json::value& value, const std::string& at) {
    if (const json::value* types = schema.if_contains("type")) {
      if (types->is_array()) take(types->get_array().size(), 0);
      const auto fits = [&](const json::value& type) { return has_type(value, type.get_string()); };
      if (types->is_array() ? !std::any_of(types->get_array().begin(), types->get_array().end(), fits)
                            : !fits(*types)) {
        return breach(at, "must be of type " + json::serialize(*types));
      }
    }
    if (const json::value* values = schema.if_contains("enum")) {
      const std::string own = text(value);
      const bool listed = std::any_of(values->get_array().begin(), values->get_array().end(),
                                      [&](const json::value& each) { return text(each) == own; });
      if (!listed) return breach(at, "must be one of " + json::serialize(*values));
    }
    if (const json::value* only = schema.if_contains("const")) {
      if (text(*only) != text(value)) return breach(at, "must be " + json::serialize(*only));
    }
    return {};
  }

  static Breach number(const json::object& schema, double value, const std::string& at) {
    const auto bound = [&](const char* name, auto holds, const char* says) -> Breach {
      const json::value* limit = schema.if_contains(name);
      if (limit == nullptr || holds(limit->to_number<double>())) return {};
      return breach(at, says + json::serialize(*limit));
    };
    if (auto broken = bound(
            "minimum", [&](double b) { return value >= b; }, "must be at least "))
      return broken;
    if (auto broken = bound(
            "maximum", [&](double b) { return value <= b; }, "must be at most "))
      return broken;
    if (auto broken = bound(
            "exclusiveMinimum", [&](double b) { return value > b; }, "must be above "))
      return broken;
    if (auto broken = bound(
            "exclusiveMaximum", [&](double b) { return value < b; }, "must be below "))
      return broken;
    const auto divides = [&](double b) {
      const double times = value / b;
      return std::abs(times - std::round(times)) < 1e-9;
    };
    return bound("multipleOf", divides, "must be a multiple of ");
  }

  static Breach counted(const json::object& schema, const char* least, const char* most, std::size_t count,
                        const char* what, const std::string& at) {
    const auto limit = [&](const char* name) {
      const json::value* value = schema.if_contains(name);
      return value == nullptr ? std::optional<std::size_t>() : static_cast<std::size_t>(value->get_int64());
    };
    if (const auto few = limit(least); few && count < *few)
      return breach(at, "needs at least " + std::to_string(*few) + " " + what);
    if (const auto many = limit(most); many && count > *many)
      return breach(at, "may have at most " + std::to_string(*many) + " " + what);
    return {};
  }

  Breach array(const json::object& schema, const json::array& items, const std::string& at, int depth) {
    if (Breach broken = counted(schema, "minItems", "maxItems", items.size(), "items", at)) return broken;
    const json::value* unique = schema.if_contains("uniqueItems");
    if (unique != nullptr && unique->get_bool()) {
      std::set<std::string> seen;
      for (const json::value& item : items) {
        if (!seen.insert(text(item)).second) return breach(at, "holds an item twice");
      }
    }
    const json::value* first = schema.if_contains("prefixItems");
    const std::size_t prefix = first == nullptr ? 0 : first->get_array().size();
    const json::value* rest = schema.if_contains("items");
    for (std::size_t i = 0; i < items.size(); ++i) {
      const json::value* own = i < prefix ? &first->get_array()[i] : rest;
      if (own == nullptr) break;
      if (Breach broken = check(*own, items[i], pointer_below(at, std::to_string(i)), depth + 1))
        return broken;
    }
    const json::value* wanted = schema.if_contains("contains");
    if (wanted != nullptr && std::none_of(items.begin(), items.end(), [&](const json::value& item) {
          return !check(*wanted, item, at, depth + 1);
        })) {
      return breach(at, "holds no item that fits `contains`");
    }
    return {};
  }

  Breach members(const json::object& schema, const json::object& value, const std::string& at, int depth) {
    if (Breach broken = counted(schema, "minProperties", "maxProperties", value.size(), "members", at))
      return broken;
    if (const json::value* required = schema.if_contains("required")) {
      take(required->get_array().size(), 0);
      for (const json::value& name : required->get_array()) {
        if (!value.contains(name.get_string())) {
          return breach(at, "lacks \"" + std::string(name.get_string()) + "\"");
        }
      }
    }
    const json::value* known = schema.if_contains("properties");
    const json::value* other = schema.if_contains("additionalProperties");
    const json::value* names = schema.if_contains("propertyNames");
    for (const auto& member : value) {
      take(0, at.size() + member.key().size());
      if (exhausted_) return breach(at, "takes too long to check");
      const std::string place = pointer_below(at, member.key());
      if (names != nullptr) {
        const json::value name(member.key());
        if (check(*names, name, place, depth + 1)) return breach(place, "has a name that is not allowed");
      }
      const json::value* own = known == nullptr ? nullptr : known->get_object().if_contains(member.key());
      if (own == nullptr) own = other;
      if (own == nullptr) continue;
      if (Breach broken = check(*own, member.value(), place, depth + 1)) return broken;
    }
    return {};
  }

  Breach combined(const json::object& schema, const json::value& value, const std::string& at, int depth) {
    const auto count = [&](const json::array& list) {
      return std::count_if(list.begin(), list.end(),
                           [&](const json::value& each) { return !check(each, value, at, depth + 1); });
    };
    if (const json::value* all = schema.if_contains("allOf")) {
      for (const json::value& each : all->get_array()) {
        if (Breach broken = check(each, value, at, depth + 1)) return broken;
      }
    }
    if (const json::value* any = schema.if_contains("anyOf"); any != nullptr && count(any->get_array()) == 0)
      return breach(at, "fits none of `anyOf`");
    if (const json::value* one = schema.if_contains("oneOf"); one != nullptr && count(one->get_array()) != 1)
      return breach(at, "does not fit exactly one of `oneOf`");
    if (const json::value* never = schema.if_contains("not");
        never != nullptr && !check(*never, value, at, depth + 1))
      return breach(at, "fits what `not` rules out");
    if (const json::value* given = schema.if_contains("if")) {
      const bool holds = !check(*given, value, at, depth + 1);
      if (const json::value* then = schema.if_contains(holds ? "then" : "else"))
        return check(*then, value, at, depth + 1);
    }
    return {};
  }

  const json::value& root_;
  std::int64_t steps_ = 0;
  bool exhausted_ = false;
};

}  // namespace

Status check_schema(const json::value& schema) { return SchemaReader(schema).read(schema, "", 0); }

Status check_by_schema(const json::value& schema, const json::value& value) {
  Checker checker(schema);
  const Breach broken = checker.check(schema, value, "", 0);
  // Inside a `not`, running out of steps would turn into a yes.
  if (checker.exhausted()) return invalid("the schema takes too long to check; make it simpler");
  if (broken) return invalid(*broken);
  return Ok{};
}

}  // namespace imprimatur
