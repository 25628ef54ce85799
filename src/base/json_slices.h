// Members of a JSON object as slices of its text, without building a document. For text that this program
// wrote.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace imprimatur {

class JsonSlices {
 public:
  // Refuses what is not one object with unescaped member names and without white space between tokens.
  static Result<JsonSlices> of(std::string_view object);
  // The value's text, or empty when there is no such member.
  std::string_view operator[](std::string_view member) const;

 private:
  std::vector<std::pair<std::string_view, std::string_view>> members_;
};

// The characters of a JSON string literal. Precondition: well formed.
std::string unquoted(std::string_view literal);

}  // namespace imprimatur
