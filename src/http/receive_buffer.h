// What a connection has received. Included by this directory's own sources only.
#pragma once

#include "base/check.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

#include <boost/asio/buffer.hpp>

namespace imprimatur::http {

inline constexpr std::size_t kIdleBuffer = 4 * 1024;  // what a connection costs while it waits

// Bytes received and not yet consumed.
class ReceiveBuffer {
 public:
  explicit ReceiveBuffer(std::size_t limit) : limit_(limit) {}
  std::string_view bytes() const { return {data_.get() + begin_, end_ - begin_}; }
  void consume(std::size_t n) {
    CHECK(n <= end_ - begin_, "more than there is");
    begin_ += n;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  // Room for at least one byte, unless the limit is reached.
  boost::asio::mutable_buffer room() {
    if (begin_ > 0) {
      std::memmove(data_.get(), data_.get() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    if (end_ == capacity_ && capacity_ < limit_) grow(std::min(limit_, std::max(kIdleBuffer, capacity_ * 2)));
    return boost::asio::buffer(data_.get() + end_, capacity_ - end_);
  }
  void add(std::size_t n) { end_ += n; }
  // Gives back what a large head needed.
  void shrink() {
    if (begin_ == end_ && capacity_ > kIdleBuffer) grow(kIdleBuffer);
  }

 private:
  void grow(std::size_t capacity) {
    std::unique_ptr<char[]> next(new char[capacity]);
    if (end_ > 0) std::memcpy(next.get(), data_.get(), end_);
    data_ = std::move(next);
    capacity_ = capacity;
  }
  const std::size_t limit_;
  std::unique_ptr<char[]> data_;
  std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
};

}  // namespace imprimatur::http
