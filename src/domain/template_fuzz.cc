// Holes and marks are found in order, name what they enclose, and whatever parses renders to what its parts
// say.
#include "base/check.h"
#include "base/utf8.h"
#include "domain/content.h"
#include "domain/name.h"
#include "domain/template.h"

#include <cstddef>
#include <cstdint>

#include <boost/json.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace imprimatur;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto holes = parse_template(text);
  if (!holes.ok()) return 0;
  std::size_t end = 0;
  for (const Hole& mark : include_marks(text)) {
    CHECK(mark.begin >= end && mark.end <= text.size());
    const std::string_view whole = text.substr(mark.begin, mark.end - mark.begin);
    CHECK(whole.starts_with("{{>") && whole.ends_with("}}") && whole.find('\n') == std::string_view::npos);
    CHECK(checked_artifact_name(mark.name).ok());
    end = mark.end;
  }
  end = 0;
  for (const Hole& hole : *holes) {
    CHECK(hole.begin >= end && hole.end <= text.size());
    const std::string_view whole = text.substr(hole.begin, hole.end - hole.begin);
    CHECK(whole.starts_with("{{") && whole.ends_with("}}"));
    CHECK(whole.find(hole.name) != std::string_view::npos && is_variable_name(hole.name));
    end = hole.end;
  }
  Content content;
  content.name = "fuzz";
  content.semver = "1.0.0";
  content.text = text;
  const auto checked = checked_content(content);
  if (!checked.ok()) return 0;
  CHECK(checked->text == text);
  const auto again = content_from_canonical(canonical_content(*checked));
  CHECK(again.ok() && *again == *checked);
  boost::json::object values;
  for (const Variable& variable : checked->variables) values[variable.name] = "{{" + variable.name + "}}";
  const auto rendered = render(*checked, values);
  // Values are not templates, so only braces that were escaped or padded may differ from the input.
  CHECK(rendered.ok() && rendered->text.size() <= text.size());
  CHECK(!first_invalid_utf8(rendered->text));
  return 0;
}
