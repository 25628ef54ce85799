#include "scan/aho_corasick.h"

#include "base/check.h"

#include <numeric>

namespace imprimatur::scan {

AhoCorasick::AhoCorasick(const std::vector<std::string>& keywords) {
  for (const std::string& keyword : keywords) {
    CHECK(!keyword.empty(), "an empty keyword occurs everywhere");
    for (const char c : keyword) {
      auto& byte_class = classes_[static_cast<unsigned char>(c)];
      if (byte_class == 0) {
        CHECK(width_ < 256, "more byte classes than fit one byte");
        byte_class = static_cast<std::uint8_t>(width_++);
      }
    }
  }
  // The trie. A missing edge is kNone until `complete` fills it in.
  next_.assign(width_, kNone);
  outputs_.assign(1, kNone);
  for (std::uint32_t number = 0; number < keywords.size(); ++number) {
    std::uint32_t state = 0;
    for (const char c : keywords[number]) {
      const std::size_t edge = state * std::size_t{width_} + classes_[static_cast<unsigned char>(c)];
      if (next_[edge] == kNone) {
        next_[edge] = static_cast<std::uint32_t>(outputs_.size());
        outputs_.push_back(kNone);
        next_.resize(next_.size() + width_, kNone);
      }
      state = next_[edge];
    }
    chain_.push_back({number, outputs_[state]});
    outputs_[state] = static_cast<std::uint32_t>(chain_.size() - 1);
  }
  CHECK(next_.size() < kStateMask, "too many keywords");
  std::vector<std::uint32_t> order = {0};
  for (std::size_t i = 0; i < order.size(); ++i)
    for (std::uint32_t c = 0; c < width_; ++c)
      if (const std::uint32_t child = next_[order[i] * std::size_t{width_} + c]; child != kNone)
        order.push_back(child);
  number_by_depth(order);
  std::iota(order.begin(), order.end(), 0U);
  complete(order);
}

// Most of a text is read in the states near the root: side by side they stay in the cache.
void AhoCorasick::number_by_depth(const std::vector<std::uint32_t>& order) {
  std::vector<std::uint32_t> number(order.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) number[order[i]] = i;
  std::vector<std::uint32_t> next(next_.size());
  std::vector<std::uint32_t> outputs(outputs_.size());
  for (std::uint32_t i = 0; i < order.size(); ++i) {
    outputs[i] = outputs_[order[i]];
    for (std::uint32_t c = 0; c < width_; ++c) {
      const std::uint32_t edge = next_[order[i] * std::size_t{width_} + c];
      next[i * std::size_t{width_} + c] = edge == kNone ? kNone : number[edge];
    }
  }
  next_ = std::move(next);
  outputs_ = std::move(outputs);
}

void AhoCorasick::complete(const std::vector<std::uint32_t>& parents_first) {
  std::vector<std::uint32_t> fallback(outputs_.size(), 0);
  for (const std::uint32_t state : parents_first) {
    const std::uint32_t fall = fallback[state];
    if (state != 0) {
      // Own outputs, then those of the longest proper suffix, which is complete because it is shorter.
      std::uint32_t* tail = &outputs_[state];
      while (*tail != kNone) tail = &chain_[*tail].next;
      *tail = outputs_[fall];
    }
    for (std::uint32_t c = 0; c < width_; ++c) {
      std::uint32_t& edge = next_[state * std::size_t{width_} + c];
      const std::uint32_t inherited = state == 0 ? 0 : next_[fall * std::size_t{width_} + c];
      if (edge == kNone) {
        edge = inherited;
      } else {
        fallback[edge] = inherited;
      }
    }
  }
  for (std::uint32_t& edge : next_) edge = (edge * width_) | (outputs_[edge] == kNone ? 0 : kHasOutput);
}

}  // namespace imprimatur::scan
