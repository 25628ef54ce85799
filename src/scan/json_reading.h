// What the strings of a JSON text say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::scan {

// The text with the escapes in its strings undone, so that rules see the words a model gets. Every position
// leads back to the text as written. Takes any bytes; what is no JSON is taken as it stands.
class JsonReading {
 public:
  // Precondition: `json` is UTF-8.
  explicit JsonReading(std::string_view json);

  // Escapes undone, with the quotes around the strings.
  std::string_view text() const { return text_; }
  // The same, byte for byte, with a line end in place of each of these quotes: every string stands on lines
  // of its own and is not a quotation.
  std::string_view lines() const { return lines_; }
  // Where in the JSON text the character at this position of `text` is written. The end leads to the end.
  std::size_t source_of(std::size_t at) const;

 private:
  struct Behind {  // an escape: from here on, positions differ by another number
    std::uint32_t at;
    std::uint32_t source;
  };
  // The length of the escape at `json[at]`, or 0 when none is there; appends what it stands for.
  static std::size_t undo_escape(std::string_view json, std::size_t at, std::string& out);

  std::string text_;
  std::string lines_;
  std::vector<Behind> behind_;
};

}  // namespace imprimatur::scan
