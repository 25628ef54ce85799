#include "domain/freeze.h"

#include "base/check.h"
#include "base/enums.h"
#include "domain/name.h"

#include <algorithm>
#include <array>
#include <bitset>
#include <charconv>
#include <memory>
#include <string_view>

#include <unicode/gregocal.h>
#include <unicode/timezone.h>

namespace imprimatur {
namespace {

constexpr std::size_t kMaxCronBytes = 200;

// One field of a cron expression as the set of values that it names.
using Values = std::bitset<64>;

struct Field {
  std::string_view name;
  int low, high;
};
constexpr std::array<Field, 5> kFields = {{{"minute", 0, 59},
                                           {"hour", 0, 23},
                                           {"day of month", 1, 31},
                                           {"month", 1, 12},
                                           {"day of week", 0, 7}}};  // 0 and 7 are Sunday

struct Cron {
  std::array<Values, 5> fields;
  // As cron has it: with both days given, either is enough.
  bool any_day_of_month = false, any_day_of_week = false;
};

Error bad_field(const Field& field) {
  return invalid("the " + std::string(field.name) + " of a cron expression is *, a number from " +
                 std::to_string(field.low) + " to " + std::to_string(field.high) +
                 ", a range like 1-5, a step like */15, or a list of these");
}

std::optional<int> number_in(std::string_view text, const Field& field) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  if (value < field.low || value > field.high) return std::nullopt;
  return value;
}

Status add_part(std::string_view part, const Field& field, Values& out) {
  int step = 1;
  const std::size_t slash = part.find('/');
  if (slash != std::string_view::npos) {
    const auto read = number_in(part.substr(slash + 1), {field.name, 1, field.high});
    if (!read) return bad_field(field);
    step = *read;
    part = part.substr(0, slash);
  }
  int low = field.low, high = field.high;
  if (part != "*") {
    const std::size_t dash = part.find('-');
    const auto first = number_in(part.substr(0, dash), field);
    const auto last = dash == std::string_view::npos ? first : number_in(part.substr(dash + 1), field);
    if (!first || !last || *last < *first) return bad_field(field);
    low = *first;
    high = dash == std::string_view::npos && slash != std::string_view::npos ? field.high : *last;
  }
  for (int value = low; value <= high; value += step) out.set(static_cast<std::size_t>(value));
  return Ok{};
}

Status add_field(std::string_view text, const Field& field, Values& out) {
  if (text.empty()) return bad_field(field);
  while (true) {
    const std::size_t comma = text.find(',');
    TRY(add_part(text.substr(0, comma), field, out));
    if (comma == std::string_view::npos) return Ok{};
    text.remove_prefix(comma + 1);
  }
}

Result<Cron> parse_cron(std::string_view text) {
  if (text.size() > kMaxCronBytes) return invalid("a cron expression has at most 200 characters");
  Cron out;
  for (std::size_t i = 0; i < kFields.size(); ++i) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    TRY(add_field(word, kFields[i], out.fields[i]));
    if (i == 2) out.any_day_of_month = word.starts_with('*');
    if (i == 4) out.any_day_of_week = word.starts_with('*');
    text.remove_prefix(end);
  }
  if (text.find_first_not_of(' ') != std::string_view::npos) {
    return invalid("a cron expression has five fields: minute, hour, day of month, month, day of week");
  }
  if (out.fields[4].test(7)) out.fields[4].set(0);
  return out;
}

std::unique_ptr<icu::TimeZone> zone_of(const std::string& name) {
  std::unique_ptr<icu::TimeZone> zone(icu::TimeZone::createTimeZone(icu::UnicodeString::fromUTF8(name)));
  if (*zone == icu::TimeZone::getUnknown()) return nullptr;
  return zone;
}

bool names_day(const Cron& cron, int month, int day, int weekday) {
  if (!cron.fields[3].test(static_cast<std::size_t>(month))) return false;
  const bool of_month = cron.fields[2].test(static_cast<std::size_t>(day));
  const bool of_week = cron.fields[4].test(static_cast<std::size_t>(weekday));
  if (cron.any_day_of_month || cron.any_day_of_week) return of_month && of_week;
  return of_month || of_week;
}

// The local days of a time zone, one after the other into the past.
class Days {
 public:
  Days(const icu::TimeZone& zone, Time from) : calendar_(zone, status_) {
    calendar_.setTime(static_cast<double>(from.micros / 1000), status_);
    calendar_.setSkippedWallTimeOption(UCAL_WALLTIME_LAST);
    calendar_.setRepeatedWallTimeOption(UCAL_WALLTIME_FIRST);
    check();
  }
  int month() { return get(UCAL_MONTH) + 1; }
  int day() { return get(UCAL_DATE); }
  int weekday() { return get(UCAL_DAY_OF_WEEK) - UCAL_SUNDAY; }
  void back() {
    calendar_.set(UCAL_HOUR_OF_DAY, 12);  // no clock is changed at noon
    calendar_.add(UCAL_DATE, -1, status_);
    check();
  }
  Time at(int hour, int minute) {
    icu::GregorianCalendar moment(calendar_);
    moment.set(get(UCAL_YEAR), get(UCAL_MONTH), get(UCAL_DATE), hour, minute, 0);
    moment.set(UCAL_MILLISECOND, 0);
    const double millis = moment.getTime(status_);
    check();
    return {static_cast<std::int64_t>(millis) * 1000};
  }

 private:
  int get(UCalendarDateFields field) {
    const int value = calendar_.get(field, status_);
    check();
    return value;
  }
  void check() const { CHECK(U_SUCCESS(status_), "ICU cannot count days"); }
  UErrorCode status_ = U_ZERO_ERROR;
  icu::GregorianCalendar calendar_;
};

// The newest of the day's times that is not after `at`. Clocks move by an hour or two, so neither do hours
// that begin much later count, nor those that end long before one that was found.
std::optional<Time> newest_start(const Cron& cron, Days& days, Time at) {
  constexpr Duration kClockChange = hours(3);
  std::optional<Time> newest;
  for (int hour = 23; hour >= 0; --hour) {
    if (!cron.fields[1].test(static_cast<std::size_t>(hour))) continue;
    const Time begins = days.at(hour, 0);
    if (begins > at + kClockChange) continue;
    if (newest && begins + kClockChange <= *newest) break;
    for (int minute = 59; minute >= 0; --minute) {
      if (!cron.fields[0].test(static_cast<std::size_t>(minute))) continue;
      const Time start = days.at(hour, minute);
      if (start <= at && (!newest || *newest < start)) newest = start;
    }
  }
  return newest;
}

// Occurrences all last as long, so the newest one that has begun decides.
WindowState recurring_at(const Window& window, Time at) {
  const auto cron = parse_cron(window.cron);
  const auto zone = zone_of(window.time_zone);
  CHECK(cron.ok() && zone != nullptr, "a window that was not checked");
  const Duration lasts = seconds(window.minutes * 60);
  Days days(*zone, at);
  const auto reach = window.minutes / (24 * 60) + 3;
  for (std::int64_t i = 0; i < reach; ++i, days.back()) {
    if (!names_day(*cron, days.month(), days.day(), days.weekday())) continue;
    const auto start = newest_start(*cron, days, at);
    if (start) return {at < *start + lasts, *start + lasts};
  }
  return {};
}

int rank(const std::optional<Role>& role) { return role ? static_cast<int>(*role) : 100; }

// Of two windows that stand for the same times, whether the second lets more people pass.
bool same_times(Window a, Window b) {
  a.override_role = b.override_role = {};
  a.name = b.name = "";
  return a == b;
}

std::vector<Window> of_kind(const std::vector<Window>& windows, Window::Kind kind) {
  std::vector<Window> out;
  std::copy_if(windows.begin(), windows.end(), std::back_inserter(out),
               [&](const Window& window) { return window.kind == kind; });
  return out;
}

bool has_as_strict(const std::vector<Window>& windows, const Window& wanted) {
  return std::any_of(windows.begin(), windows.end(), [&](const Window& window) {
    return same_times(window, wanted) && rank(window.override_role) >= rank(wanted.override_role);
  });
}

void say(std::string& detail, const std::string& sentence) {
  detail += (detail.empty() ? "" : "; ") + sentence;
}

}  // namespace

std::string_view name_of(Window::Kind kind) {
  switch (kind) {
    case Window::Kind::deny: return "deny";
    case Window::Kind::allow: return "allow";
  }
  CHECK(false, "unknown kind of window");
}

std::optional<Window::Kind> window_kind_of(std::string_view name) {
  return enumerator_named(name, Window::Kind::allow);
}

Status check_window(const Window& window) {
  if (const auto name = checked_display_name(window.name); !name.ok()) {
    return invalid_field("name", name.error().detail);
  }
  if (zone_of(window.time_zone) == nullptr) {
    return invalid_field("timeZone", "is no time zone of the IANA database, for instance Europe/Berlin");
  }
  if (window.cron.empty()) {
    if (window.minutes != 0) return invalid_field("minutes", "go with cron; a single window has until");
    if (window.from.micros <= 0 || window.until <= window.from) {
      return invalid_field("until", "must be after from");
    }
    return Ok{};
  }
  if (window.from != Time{} || window.until != Time{}) {
    return invalid_field("cron", "stands instead of from and until, not beside them");
  }
  if (window.minutes < 1 || window.minutes > kMaxWindowMinutes) {
    return invalid_field("minutes", "must be from 1 to " + std::to_string(kMaxWindowMinutes));
  }
  if (const auto cron = parse_cron(window.cron); !cron.ok()) {
    return invalid_field("cron", cron.error().detail);
  }
  return Ok{};
}

WindowState state_at(const Window& window, Time at) {
  if (!window.cron.empty()) return recurring_at(window, at);
  return {window.from <= at && at < window.until, window.until};
}

FreezeAnswer freeze_at(const std::vector<Window>& windows, Time at) {
  FreezeAnswer answer;
  std::optional<Role> needed = Role::viewer;
  const auto blocks = [&](const std::optional<Role>& role) {
    answer.open = false;
    if (rank(role) > rank(needed)) needed = role;
  };
  for (const Window& window : of_kind(windows, Window::Kind::deny)) {
    const WindowState state = state_at(window, at);
    if (!state.active) continue;
    blocks(window.override_role);
    say(answer.detail, "frozen by \"" + window.name + "\" until " + to_rfc3339(state.until));
  }
  const auto allows = of_kind(windows, Window::Kind::allow);
  const bool inside = std::any_of(allows.begin(), allows.end(),
                                  [&](const Window& window) { return state_at(window, at).active; });
  if (!allows.empty() && !inside) {
    std::string names;
    std::optional<Role> least;
    for (const Window& window : allows) {
      names += (names.empty() ? "\"" : ", \"") + window.name + "\"";
      if (rank(window.override_role) < rank(least)) least = window.override_role;
    }
    blocks(least);
    say(answer.detail, "changes go live only in " + names);
  }
  if (!answer.open) answer.override_role = needed;
  return answer;
}

bool freezes_weaken(const std::vector<Window>& before, const std::vector<Window>& after) {
  const auto denied = of_kind(after, Window::Kind::deny);
  for (const Window& window : of_kind(before, Window::Kind::deny)) {
    if (!has_as_strict(denied, window)) return true;
  }
  const auto allowed = of_kind(before, Window::Kind::allow), allows = of_kind(after, Window::Kind::allow);
  if (allowed.empty()) return false;
  return allows.empty() || std::any_of(allows.begin(), allows.end(), [&](const Window& window) {
           // As strict the other way round: an allow window is the stricter the fewer may pass beside it.
           return std::none_of(allowed.begin(), allowed.end(), [&](const Window& old) {
             return same_times(window, old) && rank(window.override_role) >= rank(old.override_role);
           });
         });
}

}  // namespace imprimatur
