// Template text with {{variable}} holes, and with {{> name}} marks where a layer's text goes.
#pragma once

#include "base/result.h"
#include "domain/content.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/fwd.hpp>

namespace imprimatur {

inline constexpr std::size_t kMaxVariableNameBytes = 64;
// A hole may stand in a text many thousand times; what it grows to has a bound of its own.
inline constexpr std::size_t kMaxRenderedBytes = 8 * 1024 * 1024;

struct Position {
  std::size_t offset = 0;  // bytes
  int line = 1;
  int column = 1;  // in code points
};

struct Hole {
  std::string name;
  std::size_t begin = 0, end = 0;  // bytes, braces included
};

// Variable names: letter or '_', then letters, digits, '_', '-' or '.', at most 64 bytes of ASCII.
// "{{" that does not open a well-formed hole: real prompts hold Jinja, Handlebars and JSON, so "{{#if x}}",
// "{{ a | b }}", "{%" and the like are kept as text; an error is only a hole that is never closed on its line
// after a well-formed name, and a name over its limit. `\{{` writes a literal "{{"; three braces and more in
// a row are text.
Result<std::vector<Hole>> parse_template(std::string_view text);

// Where `{{> name}}` stands, by the same rules: on one line, escaped by `\{{`, never behind a third brace.
// The name is one that an artifact may have; what is none (a Handlebars partial with arguments over two
// lines) is text. Whether a mark means a layer, the version's `layers` say.
std::vector<Hole> include_marks(std::string_view text);

bool is_variable_name(std::string_view name);

Position position_of(std::string_view text, std::size_t offset);

// Every variable that the content uses (holes and placeholders), in order of first use. A policy uses none.
Result<std::vector<std::string>> variables_used(const Content& content);

// Whether a JSON value may stand for a variable of `type`; a list of messages is checked message by message.
bool fits(VariableType type, const boost::json::value& value);

struct Rendered {
  std::string text;
  std::vector<Message> messages;
};

// Fills every hole. Each missing required or ill-typed value is a field error "variables.<name>" of one
// unprocessable Error; so are values nobody declared. Strings go in as they are, other types as JSON; values
// are never parsed as templates. A placeholder takes an array of {role, content}. An optional variable
// without a value is its default, or nothing. Over kMaxRenderedBytes is too_large.
Result<Rendered> render(const Content& content, const boost::json::object& values);

}  // namespace imprimatur
