// Template text with {{variable}} holes.
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
// after a well-formed name, and a name over its limit. `\{{` writes a literal "{{".
Result<std::vector<Hole>> parse_template(std::string_view text);

Position position_of(std::string_view text, std::size_t offset);

// Every variable that the content uses (holes and placeholders), in order of first use.
Result<std::vector<std::string>> variables_used(const Content& content);

struct Rendered {
  std::string text;
  std::vector<Message> messages;
};

// Fills every hole. Each missing required or ill-typed value is a field error "variables.<name>" of one
// unprocessable Error; so are values nobody declared. Strings go in as they are, other types as JSON; values
// are never parsed as templates. A placeholder takes an array of {role, content}.
Result<Rendered> render(const Content& content, const boost::json::object& values);

}  // namespace imprimatur
