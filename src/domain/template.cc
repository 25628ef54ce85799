#include "domain/template.h"

#include "base/check.h"
#include "base/json.h"
#include "domain/name.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include <boost/json.hpp>

namespace imprimatur {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxRenderedMessages = 10'000;
constexpr std::size_t kMarkBytes = 3 + kMaxNameBytes + 64;  // of `{{> name` with blanks around the name

bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool is_name_part(char c) { return is_name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.'; }

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && (text[at] == ' ' || text[at] == '\t')) ++at;
  return at;
}

Error error_at(std::string_view text, std::size_t offset, std::string what) {
  const Position at = position_of(text, offset);
  return invalid("line " + std::to_string(at.line) + ", column " + std::to_string(at.column) + ": " +
                 std::move(what));
}

// The hole that opens at `at`, or nothing when the braces there are text.
Result<std::optional<Hole>> hole_at(std::string_view text, std::size_t at) {
  const std::size_t begin = skip_blanks(text, at + 2);
  std::size_t end = begin;
  if (end >= text.size() || !is_name_start(text[end])) return std::optional<Hole>();
  while (end < text.size() && is_name_part(text[end])) ++end;
  const std::string_view name = text.substr(begin, end - begin);
  const std::size_t close = skip_blanks(text, end);
  if (close == text.size() || text[close] == '\n' || text[close] == '\r') {
    return error_at(text, at,
                    "\"{{" + std::string(name.substr(0, kMaxVariableNameBytes)) +
                        "\" is not closed on its line; write }} behind it, or \\{{ for plain braces");
  }
  if (!text.substr(close).starts_with("}}")) return std::optional<Hole>();
  if (name.size() > kMaxVariableNameBytes) {
    return error_at(text, at,
                    "the variable name is over " + std::to_string(kMaxVariableNameBytes) + " bytes");
  }
  return std::optional<Hole>(Hole{std::string(name), at, close + 2});
}

// The mark that opens at `at`, or nothing.
Result<std::optional<Hole>> mark_at(std::string_view text, std::size_t at) {
  if (!text.substr(at).starts_with("{{>")) return std::optional<Hole>();
  // No farther than a name reaches, so that many that are not closed cost no more than they are long.
  const std::size_t found = text.substr(at, kMarkBytes).find_first_of("}\n\r");
  if (found == std::string_view::npos || !text.substr(at + found).starts_with("}}")) {
    return std::optional<Hole>();
  }
  const std::size_t close = at + found;
  const std::size_t begin = skip_blanks(text, at + 3);
  std::size_t end = close;
  while (end > begin && (text[end - 1] == ' ' || text[end - 1] == '\t')) --end;
  const std::string_view name = text.substr(begin, end - begin);
  if (name.size() > kMaxNameBytes || !checked_artifact_name(name).ok()) return std::optional<Hole>();
  return std::optional<Hole>(Hole{std::string(name), at, close + 2});
}

// Calls `text_part` and `hole` in order over the whole text; `opens` tells what opens at two braces.
template <class Opens, class Text, class AtHole>
Status walk(std::string_view text, Opens opens, Text text_part, AtHole hole) {
  std::size_t plain = 0, at = 0;
  while ((at = text.find("{{", at)) != std::string_view::npos) {
    if (at > plain && text[at - 1] == '\\') {
      text_part(text.substr(plain, at - 1 - plain));
      plain = at;  // the braces themselves are text, the backslash is not
      at += 2;
      continue;
    }
    // Three braces and more are somebody else's syntax (Handlebars, f-strings), never a hole.
    std::size_t run = at;
    while (run < text.size() && text[run] == '{') ++run;
    if (run - at > 2) {
      at = run;
      continue;
    }
    const std::optional<Hole> found = TRY(opens(text, at));
    if (!found) {
      at += 2;
      continue;
    }
    text_part(text.substr(plain, at - plain));
    hole(*found);
    plain = at = found->end;
  }
  text_part(text.substr(plain));
  return Ok{};
}

// What the holes of one rendering take their values from: given, default, or nothing.
class Values {
 public:
  Values(const Content& content, const json::object& given) {
    for (const Variable& variable : content.variables) {
      const json::value* value = given.if_contains(variable.name);
      if (value == nullptr) {
        if (variable.required) missing(variable.name, "is required");
        if (!variable.default_json.empty()) take_default(variable);
      } else if (!fits(variable.type, *value)) {
        missing(variable.name, "must be " + expected(variable.type));
      } else {
        texts_[variable.name] = *value;
      }
    }
    for (const auto& member : given) {
      const std::string_view name = member.key();
      const bool declared = std::any_of(content.variables.begin(), content.variables.end(),
                                        [&](const Variable& variable) { return variable.name == name; });
      if (!declared) missing(name, "is not a variable of this prompt");
    }
  }

  const std::vector<FieldError>& errors() const { return errors_; }

  const json::value* find(const std::string& name) const {
    const auto found = texts_.find(name);
    return found == texts_.end() ? nullptr : &found->second;
  }

 private:
  static std::string expected(VariableType type) {
    if (type == VariableType::messages) return "a list of {\"role\",\"content\"} with known roles";
    const std::string name(name_of(type));
    return (std::string_view("aeiou").find(name[0]) != std::string_view::npos ? "an " : "a ") + name;
  }
  void missing(std::string_view name, std::string why) {
    errors_.push_back({"variables." + std::string(name), std::move(why)});
  }
  // A default was checked when the version was saved; one that does not parse is a value that is missing.
  void take_default(const Variable& variable) {
    auto value = parse_json(variable.default_json);
    if (value.ok() && fits(variable.type, *value)) {
      texts_[variable.name] = std::move(value).value();
    } else {
      missing(variable.name, "has a default that does not fit its type");
    }
  }

  std::map<std::string, json::value> texts_;
  std::vector<FieldError> errors_;
};

Status append_value(std::string& out, const json::value& value) {
  if (value.is_string()) {
    out += std::string_view(value.get_string());
    return Ok{};
  }
  out += TRY(canonical_json(value));
  return Ok{};
}

Error too_much() {
  return too_large("the rendered text is over " + std::to_string(kMaxRenderedBytes) + " bytes");
}

// `budget` is what the whole rendering may still grow by.
Result<std::string> fill(std::string_view text, const Values& values, std::size_t& budget) {
  std::string out;
  Status failed = Ok{};
  TRY(walk(
      text, hole_at, [&](std::string_view part) { out += part; },
      [&](const Hole& hole) {
        if (!failed.ok() || out.size() > budget) return;
        if (const json::value* value = values.find(hole.name)) failed = append_value(out, *value);
      }));
  TRY(failed);
  if (out.size() > budget) return too_much();
  budget -= out.size();
  return out;
}

Status append_messages(std::vector<Message>& out, const json::value& list, std::size_t& budget) {
  for (const json::value& item : list.get_array()) {
    const json::object& fields = item.get_object();
    Message message;
    message.role = *message_role_of(fields.at("role").get_string());
    message.content = std::string(fields.at("content").get_string());
    if (out.size() >= kMaxRenderedMessages || message.content.size() > budget) return too_much();
    budget -= message.content.size();
    out.push_back(std::move(message));
  }
  return Ok{};
}

bool is_message(const json::value& value) {
  if (!value.is_object() || value.get_object().size() != 2) return false;
  const json::value* role = value.get_object().if_contains("role");
  const json::value* content = value.get_object().if_contains("content");
  if (role == nullptr || content == nullptr || !role->is_string() || !content->is_string()) return false;
  const auto known = message_role_of(role->get_string());
  return known && *known != MessageRole::placeholder;
}

bool is_integral(const json::value& value) {
  if (value.is_int64() || value.is_uint64()) return true;
  constexpr double kLargest = 9'007'199'254'740'991;  // beyond it a double no longer tells integers apart
  return value.is_double() && std::abs(value.get_double()) <= kLargest &&
         std::trunc(value.get_double()) == value.get_double();
}

}  // namespace

bool is_variable_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxVariableNameBytes && is_name_start(name[0]) &&
         std::all_of(name.begin(), name.end(), is_name_part);
}

bool fits(VariableType type, const json::value& value) {
  switch (type) {
    case VariableType::string: return value.is_string();
    case VariableType::number: return value.is_number();
    case VariableType::integer: return is_integral(value);
    case VariableType::boolean: return value.is_bool();
    case VariableType::object: return value.is_object();
    case VariableType::array: return value.is_array();
    case VariableType::messages:
      return value.is_array() && std::all_of(value.get_array().begin(), value.get_array().end(), is_message);
  }
  CHECK(false, "unknown variable type");
}

Position position_of(std::string_view text, std::size_t offset) {
  Position at;
  at.offset = std::min(offset, text.size());
  for (std::size_t i = 0; i < at.offset; ++i) {
    if (text[i] == '\n') {
      ++at.line;
      at.column = 1;
    } else if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) {
      ++at.column;
    }
  }
  return at;
}

Result<std::vector<Hole>> parse_template(std::string_view text) {
  std::vector<Hole> holes;
  TRY(walk(
      text, hole_at, [](std::string_view) {}, [&](const Hole& hole) { holes.push_back(hole); }));
  return holes;
}

std::vector<Hole> include_marks(std::string_view text) {
  std::vector<Hole> marks;
  const Status walked = walk(
      text, mark_at, [](std::string_view) {}, [&](const Hole& mark) { marks.push_back(mark); });
  CHECK(walked.ok(), "a mark that is none is text");
  return marks;
}

Result<std::vector<std::string>> variables_used(const Content& content) {
  std::vector<std::string> names;
  std::unordered_set<std::string> seen;
  const auto use = [&](const std::string& name) {
    if (seen.insert(name).second) names.push_back(name);
  };
  if (content.kind == ArtifactKind::policy) return names;
  const auto use_holes = [&](std::string_view text, const std::string& field) -> Status {
    auto holes = parse_template(text);
    if (!holes.ok()) return invalid_field(field, holes.error().detail);
    for (const Hole& hole : *holes) use(hole.name);
    return Ok{};
  };
  switch (content.type) {
    case ContentType::text: TRY(use_holes(content.text, "content")); return names;
    case ContentType::chat:
      for (std::size_t i = 0; i < content.messages.size(); ++i) {
        const Message& message = content.messages[i];
        const std::string field = "messages[" + std::to_string(i) + "].content";
        if (message.role != MessageRole::placeholder) {
          TRY(use_holes(message.content, field));
        } else if (is_variable_name(message.content)) {
          use(message.content);
        } else {
          return invalid_field(field, "a placeholder's content is the name of a variable");
        }
      }
      return names;
  }
  CHECK(false, "unknown content type");
}

Result<Rendered> render(const Content& content, const json::object& given) {
  const Values values(content, given);
  if (!values.errors().empty()) {
    Error error = unprocessable("the values do not fit the variables of this prompt");
    for (const FieldError& field : values.errors())
      error.reasons.push_back(field.field + " " + field.message);
    error.fields = values.errors();
    return error;
  }
  Rendered rendered;
  if (content.kind == ArtifactKind::policy) {
    rendered.text = content.text;
    return rendered;
  }
  std::size_t budget = kMaxRenderedBytes;
  if (content.type == ContentType::text) {
    rendered.text = TRY(fill(content.text, values, budget));
    return rendered;
  }
  for (const Message& message : content.messages) {
    if (message.role == MessageRole::placeholder) {
      if (const json::value* list = values.find(message.content)) {
        TRY(append_messages(rendered.messages, *list, budget));
      }
      continue;
    }
    std::string filled = TRY(fill(message.content, values, budget));
    rendered.messages.push_back({message.role, std::move(filled)});
  }
  return rendered;
}

}  // namespace imprimatur
