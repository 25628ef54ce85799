#include "base/clock.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace imprimatur {
namespace {

bool digits(std::string_view text, std::size_t at, std::size_t count, int& out) {
  if (at + count > text.size()) return false;
  out = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return false;
    out = out * 10 + (text[i] - '0');
  }
  return true;
}

}  // namespace

std::string to_rfc3339(Time time) {
  using namespace std::chrono;
  const sys_time<microseconds> point{microseconds{time.micros}};
  const auto day = floor<std::chrono::days>(point);
  const year_month_day date{day};
  const hh_mm_ss<microseconds> clock{point - day};
  std::array<char, 48> text;
  const int n = std::snprintf(
      text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
      static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return std::string(text.data(), static_cast<std::size_t>(n));
}

Result<Time> parse_rfc3339(std::string_view text) {
  const Error bad = invalid("not an RFC 3339 time; write it like 2026-01-31T23:59:59Z");
  int year, month, day, hour, minute, second;
  if (!digits(text, 0, 4, year) || !digits(text, 5, 2, month) || !digits(text, 8, 2, day) ||
      !digits(text, 11, 2, hour) || !digits(text, 14, 2, minute) || !digits(text, 17, 2, second)) {
    return bad;
  }
  if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't') || text[13] != ':' ||
      text[16] != ':') {
    return bad;
  }
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (year < 1970 || !date.ok() || hour > 23 || minute > 59 || second > 60) return bad;
  std::size_t at = 19;
  std::int64_t fraction = 0;
  if (at < text.size() && text[at] == '.') {
    const std::size_t first = ++at;
    std::int64_t unit = 100'000;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10) {
      fraction += unit * (text[at] - '0');
    }
    if (at == first || at - first > 9) return bad;
  }
  std::int64_t offset_minutes = 0;
  if (at + 1 == text.size() && (text[at] == 'Z' || text[at] == 'z')) {
    offset_minutes = 0;
  } else {
    int hours_off, minutes_off;
    if (at + 6 != text.size() || (text[at] != '+' && text[at] != '-') || text[at + 3] != ':' ||
        !digits(text, at + 1, 2, hours_off) || !digits(text, at + 4, 2, minutes_off) || hours_off > 23 ||
        minutes_off > 59) {
      return bad;
    }
    offset_minutes = (hours_off * 60 + minutes_off) * (text[at] == '-' ? -1 : 1);
  }
  const std::int64_t day_count = std::chrono::sys_days{date}.time_since_epoch().count();
  const std::int64_t total = ((day_count * 24 + hour) * 60 + minute - offset_minutes) * 60 + second;
  return Time{total * 1'000'000 + fraction};
}

Time SystemClock::now() const {
  using namespace std::chrono;
  return {duration_cast<microseconds>(system_clock::now().time_since_epoch()).count()};
}

ManualClock::ManualClock(Time start) : micros_(start.micros) {}

Time ManualClock::now() const { return {micros_.load()}; }

void ManualClock::set(Time time) { micros_.store(time.micros); }

void ManualClock::advance(Duration by) { micros_.fetch_add(by.micros); }

}  // namespace imprimatur
