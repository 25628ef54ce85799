// All occurrences of many keywords in one pass over a text.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::scan {

// A table-driven automaton over classes of bytes. Immutable once built, so safe from any thread.
class AhoCorasick {
 public:
  // The number of a keyword is its index here. Keywords must not be empty.
  explicit AhoCorasick(const std::vector<std::string>& keywords);

  // Calls `found(keyword, end)` for every occurrence, `end` one past its last byte, in the order of `end`;
  // at one end, longer keywords first.
  template <class Found>
  void each(std::string_view text, Found&& found) const {
    std::uint32_t state = 0;
    const std::uint32_t* const next = next_.data();
    for (std::size_t at = 0; at < text.size(); ++at) {
      state = next[(state & kStateMask) + classes_[static_cast<unsigned char>(text[at])]];
      if (state & kHasOutput) [[unlikely]] {
        for (std::uint32_t output = outputs_[(state & kStateMask) / width_]; output != kNone;
             output = chain_[output].next)
          found(chain_[output].keyword, at + 1);
      }
    }
  }

 private:
  static constexpr std::uint32_t kHasOutput = 0x8000'0000;
  static constexpr std::uint32_t kStateMask = 0x7FFF'FFFF;
  static constexpr std::uint32_t kNone = 0xFFFF'FFFF;
  struct Output {
    std::uint32_t keyword;
    std::uint32_t next;
  };
  void number_by_depth(const std::vector<std::uint32_t>& order);
  void complete(const std::vector<std::uint32_t>& parents_first);

  std::array<std::uint8_t, 256> classes_{};
  std::uint32_t width_ = 1;             // classes in use, class 0 being every byte of no keyword
  std::vector<std::uint32_t> next_;     // [state * width_ + class] -> target state * width_, with kHasOutput
  std::vector<std::uint32_t> outputs_;  // by state: first of its outputs in chain_
  std::vector<Output> chain_;
};

}  // namespace imprimatur::scan
