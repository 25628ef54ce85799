// Text as a reader sees it, for rules that look for words: NFKC, lower case, without invisible characters,
// look-alike letters made plain. Every position leads back to the bytes as written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::scan {

class FoldedText {
 public:
  // Precondition: `raw` is UTF-8.
  explicit FoldedText(std::string_view raw);

  std::string_view text() const { return text_; }
  bool raw_is_ascii() const { return ascii_; }
  // Where in the raw text the character that begins at, or spans, this folded position begins.
  std::size_t raw_start(std::size_t folded) const;
  // Where in the raw text the last character before this folded position ends.
  std::size_t raw_end(std::size_t folded) const;

 private:
  struct Segment {
    std::uint32_t folded;
    std::uint32_t raw;
    bool same_length;  // byte for byte; otherwise the whole segment stands for the whole raw stretch
  };
  class Builder;
  std::size_t segment_at(std::size_t folded) const;

  std::string text_;
  std::vector<Segment> segments_;  // empty: folded positions are raw positions
  std::size_t raw_size_;
  bool ascii_;
};

}  // namespace imprimatur::scan
