#include "api/pattern.h"

#include "base/json.h"

#include <cctype>
#include <cmath>

namespace imprimatur::tests {
namespace {

namespace json = boost::json;

bool name_start(char c) { return (c >= 'a' && c <= 'z') || c == '_'; }
bool name_part(char c) { return name_start(c) || (c >= '0' && c <= '9'); }

// The length of the variable's name at the start of `text`, with one of the four suffixes of people.
std::size_t name_length(std::string_view text) {
  if (text.empty() || !name_start(text.front())) return 0;
  std::size_t n = 1;
  while (n < text.size() && name_part(text[n])) ++n;
  for (const std::string_view suffix : {".id", ".email", ".token", ".csrf", ".key", ".note"}) {
    if (text.substr(n).starts_with(suffix)) return n + suffix.size();
  }
  return n;
}

bool same(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number()) return a.to_number<double>() == b.to_number<double>();
  return a == b;
}

std::optional<std::string> text_mismatch(std::string_view pattern, const json::value& actual,
                                         Variables& variables, const std::string& where) {
  if (pattern == "*") return std::nullopt;
  const std::string shown = json::serialize(actual).substr(0, 400);
  if (pattern.starts_with('$') && pattern.size() > 1 &&
      name_length(pattern.substr(1)) == pattern.size() - 1) {
    const std::string name(pattern.substr(1));
    const auto [found, fresh] = variables.try_emplace(name, actual);
    if (fresh || same(found->second, actual)) return std::nullopt;
    return where + ": is " + shown + ", and $" + name + " is " + json::serialize(found->second);
  }
  const Substituted wanted = substitute(pattern, variables, Inside::text);
  if (!wanted.unknown.empty()) return where + ": nothing is known as $" + wanted.unknown;
  if (!actual.is_string() || !matches_glob(wanted.text, actual.get_string())) {
    return where + ": is " + shown + ", expected \"" + wanted.text + "\"";
  }
  return std::nullopt;
}

bool open_ended(const json::array& pattern) { return !pattern.empty() && pattern.back() == "..."; }

std::optional<std::string> array_mismatch(const json::array& pattern, const json::value& actual,
                                          Variables& variables, const std::string& where) {
  if (!actual.is_array()) return where + ": is no array but " + json::serialize(actual).substr(0, 400);
  const json::array& items = actual.get_array();
  const std::size_t wanted = pattern.size() - (open_ended(pattern) ? 1 : 0);
  if (items.size() < wanted || (items.size() > wanted && !open_ended(pattern))) {
    return where + ": has " + std::to_string(items.size()) + " elements, expected " + std::to_string(wanted) +
           ": " + json::serialize(actual).substr(0, 800);
  }
  for (std::size_t i = 0; i < wanted; ++i) {
    if (auto why = unlike(pattern[i], items[i], variables, where + "[" + std::to_string(i) + "]")) return why;
  }
  return std::nullopt;
}

// A value as the script should say it: with the variable's name where one stands for it.
json::value named(const json::value& value, const Variables& variables) {
  if (value.is_string() && value.get_string().size() > 8) {
    for (const auto& [name, known] : variables) {
      if (known == value) return json::value("$" + name);
    }
    const std::string_view text = value.get_string();
    if (text.size() == 27 && text[4] == '-' && text.back() == 'Z') return "*";
    if (text.starts_with("sha256:")) return "sha256:*";
  }
  if (value.is_array()) {
    json::array out;
    for (const json::value& item : value.get_array()) out.push_back(named(item, variables));
    return out;
  }
  if (value.is_object()) {
    json::object out;
    for (const auto& member : value.get_object()) out[member.key()] = named(member.value(), variables);
    return out;
  }
  return value;
}

}  // namespace

Substituted substitute(std::string_view text, const Variables& variables, Inside inside) {
  Substituted out;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = text[i] == '$' ? name_length(text.substr(i + 1)) : 0;
    if (length == 0) {
      out.text.push_back(text[i++]);
      continue;
    }
    const std::string_view name = text.substr(i + 1, length);
    i += length + 1;
    const auto found = variables.find(name);
    if (found == variables.end()) {
      if (out.unknown.empty()) out.unknown = name;
      continue;
    }
    if (!found->second.is_string()) {
      out.text += json::serialize(found->second);
    } else if (inside == Inside::text) {
      out.text += std::string_view(found->second.get_string());
    } else {
      std::string quoted;
      append_json_string(quoted, found->second.get_string());
      out.text += quoted.substr(1, quoted.size() - 2);
    }
  }
  return out;
}

bool matches_glob(std::string_view pattern, std::string_view text) {
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == text;
  if (!text.starts_with(pattern.substr(0, star))) return false;
  std::string_view rest = text.substr(star);
  pattern.remove_prefix(star + 1);
  for (std::size_t next = pattern.find('*'); next != std::string_view::npos; next = pattern.find('*')) {
    const std::size_t at = rest.find(pattern.substr(0, next));
    if (at == std::string_view::npos) return false;
    rest.remove_prefix(at + next);
    pattern.remove_prefix(next + 1);
  }
  return rest.ends_with(pattern);
}

std::optional<std::string> unlike(const json::value& pattern, const json::value& actual, Variables& variables,
                                  const std::string& where) {
  if (pattern.is_string()) return text_mismatch(pattern.get_string(), actual, variables, where);
  if (pattern.is_array()) return array_mismatch(pattern.get_array(), actual, variables, where);
  if (!pattern.is_object()) {
    if (same(pattern, actual)) return std::nullopt;
    return where + ": is " + json::serialize(actual).substr(0, 400) + ", expected " +
           json::serialize(pattern);
  }
  if (!actual.is_object()) return where + ": is no object but " + json::serialize(actual).substr(0, 400);
  if (pattern.get_object().empty() && !actual.get_object().empty()) {
    return where + ": is not empty but " + json::serialize(actual).substr(0, 400);
  }
  for (const auto& member : pattern.get_object()) {
    const std::string key(substitute(member.key(), variables, Inside::text).text);
    const json::value* found = actual.get_object().if_contains(key);
    if (found == nullptr) return where + "." + key + ": is not there";
    if (auto why = unlike(member.value(), *found, variables, where + "." + key)) return why;
  }
  return std::nullopt;
}

json::value accepted(const json::value& pattern, const json::value& actual, Variables& variables) {
  if (pattern.is_object() && actual.is_object() && !pattern.get_object().empty()) {
    json::object out;
    for (const auto& member : pattern.get_object()) {
      const std::string key(substitute(member.key(), variables, Inside::text).text);
      const json::value* found = actual.get_object().if_contains(key);
      if (found != nullptr) out[member.key()] = accepted(member.value(), *found, variables);
    }
    return out;
  }
  if (pattern.is_array() && actual.is_array()) {
    const json::array& items = actual.get_array();
    const std::size_t wanted = pattern.get_array().size() - (open_ended(pattern.get_array()) ? 1 : 0);
    if (items.size() == wanted || (items.size() > wanted && open_ended(pattern.get_array()))) {
      json::array out;
      for (std::size_t i = 0; i < wanted; ++i) {
        out.push_back(accepted(pattern.get_array()[i], items[i], variables));
      }
      if (open_ended(pattern.get_array())) out.push_back("...");
      return out;
    }
  }
  Variables tried = variables;
  if (!unlike(pattern, actual, tried)) {
    variables = std::move(tried);
    return pattern;
  }
  return named(actual, variables);
}

}  // namespace imprimatur::tests
