// Text under the surface: what stands in a text in an encoding that a model undoes and a reader does not.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::scan {

enum class Encoding {
  base64,
  hex,
  percent,
  html_entities,
  unicode_escapes,
  binary,
  rot13,
  reversed,
  leet,
  spaced,
  tag_characters,
};
std::string_view name_of(Encoding encoding);  // "base64"

struct Decoded {
  Encoding encoding = Encoding::base64;
  std::size_t start = 0;  // of the encoded stretch in the text
  std::size_t end = 0;
  std::string text;  // UTF-8, mostly printable
};

// Every stretch of `raw` that decodes to text, in order of `start`. Linear in `raw`; what the decoded texts
// hold together is at most a small multiple of it.
std::vector<Decoded> decode_stretches(std::string_view raw);

// The line around `at` read as rot13 or backwards. Precondition: `encoding` is one of these two.
Decoded decode_line(std::string_view raw, std::size_t at, Encoding encoding);

// True when the decoded text reads as a sentence rather than as a name, a number or a fragment of data.
bool reads_as_sentence(std::string_view text);

}  // namespace imprimatur::scan
