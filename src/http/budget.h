// Memory that the connections of one I/O thread may hold at once for one purpose. Belongs to that thread.
#pragma once

#include <cstddef>
#include <utility>

namespace imprimatur::http {

struct Budget {
  std::size_t limit;
  std::size_t spent = 0;
};

// What one connection has of it; given back at the latest when the connection ends.
class Share {
 public:
  explicit Share(Budget& budget) : budget_(budget) {}
  ~Share() { release(); }
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

  // False, and nothing taken, when the budget has not that much left.
  bool take(std::size_t bytes) {
    if (bytes > budget_.limit || budget_.spent > budget_.limit - bytes) return false;
    take_anyway(bytes);
    return true;
  }
  void take_anyway(std::size_t bytes) {
    budget_.spent += bytes;
    taken_ += bytes;
  }
  void give(std::size_t bytes) {
    budget_.spent -= bytes;
    taken_ -= bytes;
  }
  void release() { give(taken_); }

 private:
  Budget& budget_;
  std::size_t taken_ = 0;
};

}  // namespace imprimatur::http
