// Time as the program sees it: microseconds since 1970-01-01T00:00:00Z, and a clock that tests can turn.
#pragma once

#include "base/result.h"

#include <atomic>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace imprimatur {

struct Time {
  std::int64_t micros = 0;
  auto operator<=>(const Time&) const = default;
};

struct Duration {
  std::int64_t micros = 0;
  auto operator<=>(const Duration&) const = default;
};

constexpr Duration seconds(std::int64_t n) { return {n * 1'000'000}; }
constexpr Duration milliseconds(std::int64_t n) { return {n * 1'000}; }
constexpr Duration hours(std::int64_t n) { return seconds(n * 3600); }
constexpr Duration days(std::int64_t n) { return hours(n * 24); }
constexpr Time operator+(Time t, Duration d) { return {t.micros + d.micros}; }
constexpr Time operator-(Time t, Duration d) { return {t.micros - d.micros}; }
constexpr Duration operator-(Time a, Time b) { return {a.micros - b.micros}; }

// RFC 3339 in UTC with six decimals: 2026-01-31T23:59:59.000001Z.
std::string to_rfc3339(Time time);
// Accepts any RFC 3339 offset and up to nine decimals (cut to six); refuses years before 1970.
Result<Time> parse_rfc3339(std::string_view text);

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
};

class SystemClock final : public Clock {
 public:
  Time now() const override;
};

// Starts where it is told and moves only by hand. Safe from any thread.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time start);
  Time now() const override;
  void set(Time time);
  void advance(Duration by);

 private:
  std::atomic<std::int64_t> micros_;
};

}  // namespace imprimatur
