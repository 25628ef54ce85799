// For tests: many random cases, each from a seed that is printed when it fails.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace imprimatur {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // From 0 to bound - 1. Precondition: bound > 0.
  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(engine_);
  }
  int between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <class T>
  const T& pick(const std::vector<T>& from) {
    return from[below(from.size())];
  }
  // Up to `most` pieces of `pieces`, one after another.
  std::string text(const std::vector<std::string>& pieces, std::size_t most) {
    std::string out;
    for (std::size_t n = below(most + 1); n > 0; --n) out += pick(pieces);
    return out;
  }

 private:
  std::mt19937_64 engine_;
};

// Runs `property` for `cases` seeds that differ from run to run. IMPRIMATUR_CASES=n runs n of them (`./dev
// sim`); IMPRIMATUR_SEED=n repeats case n alone.
template <class Property>
void for_random(int cases, Property property) {
  if (const char* more = std::getenv("IMPRIMATUR_CASES"); more != nullptr) cases = std::atoi(more);
  const char* given = std::getenv("IMPRIMATUR_SEED");
  const std::uint64_t first = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  for (int i = 0; i < (given != nullptr ? 1 : cases); ++i) {
    const std::uint64_t seed = first + static_cast<std::uint64_t>(i);
    SCOPED_TRACE("repeat with IMPRIMATUR_SEED=" + std::to_string(seed));
    Random random(seed);
    property(random);
    if (::testing::Test::HasFailure()) return;
  }
}

}  // namespace imprimatur
