#include "domain/freeze.h"

#include "base/property_test.h"

#include <gtest/gtest.h>

namespace imprimatur {
namespace {

Time at(std::string_view text) { return parse_rfc3339(text).value(); }

Window weekly(std::string cron, std::int64_t minutes, std::string zone = "UTC") {
  Window window;
  window.name = "w";
  window.cron = std::move(cron);
  window.minutes = minutes;
  window.time_zone = std::move(zone);
  return window;
}

Window once(std::string_view from, std::string_view until, Window::Kind kind = Window::Kind::deny) {
  Window window;
  window.kind = kind;
  window.name = std::string(name_of(kind)) + std::string(from);
  window.from = at(from);
  window.until = at(until);
  return window;
}

TEST(Windows, OnceIsHalfOpen) {
  const Window window = once("2026-12-24T00:00:00Z", "2026-12-27T00:00:00Z");
  EXPECT_FALSE(state_at(window, at("2026-12-23T23:59:59Z")).active);
  EXPECT_TRUE(state_at(window, at("2026-12-24T00:00:00Z")).active);
  EXPECT_TRUE(state_at(window, at("2026-12-26T23:59:59Z")).active);
  EXPECT_FALSE(state_at(window, at("2026-12-27T00:00:00Z")).active);
}

TEST(Windows, RecurInTheirTimeZone) {
  // Fridays from 16:00 for the weekend, in Berlin: 15:00 UTC in winter, 14:00 in summer.
  const Window window = weekly("0 16 * * 5", 64 * 60, "Europe/Berlin");
  ASSERT_TRUE(check_window(window).ok());
  EXPECT_FALSE(state_at(window, at("2026-01-09T14:59:59Z")).active);
  EXPECT_TRUE(state_at(window, at("2026-01-09T15:00:00Z")).active);
  EXPECT_EQ(state_at(window, at("2026-01-11T12:00:00Z")).until, at("2026-01-12T07:00:00Z"));
  EXPECT_FALSE(state_at(window, at("2026-01-12T07:00:00Z")).active);
  EXPECT_FALSE(state_at(window, at("2026-07-10T13:59:59Z")).active);
  EXPECT_TRUE(state_at(window, at("2026-07-10T14:00:00Z")).active);
}

TEST(Windows, ClocksThatChange) {
  // 02:30 does not exist on 29 March 2026 in Berlin: it is 03:30 there, 01:30 UTC.
  const Window skipped = weekly("30 2 * * *", 10, "Europe/Berlin");
  EXPECT_FALSE(state_at(skipped, at("2026-03-29T01:29:59Z")).active);
  EXPECT_TRUE(state_at(skipped, at("2026-03-29T01:30:00Z")).active);
  EXPECT_FALSE(state_at(skipped, at("2026-03-29T01:40:00Z")).active);
  // 02:30 comes twice on 25 October: the first is 00:30 UTC.
  EXPECT_TRUE(state_at(skipped, at("2026-10-25T00:30:00Z")).active);
  EXPECT_FALSE(state_at(skipped, at("2026-10-25T01:30:00Z")).active);
}

TEST(Windows, CronFieldsMeanWhatCronMeans) {
  const auto active = [](const char* cron, std::string_view time) {
    return state_at(weekly(cron, 1), at(time)).active;
  };
  EXPECT_TRUE(active("*/15 9-17 * * 1-5", "2026-11-20T09:45:30Z"));
  EXPECT_FALSE(active("*/15 9-17 * * 1-5", "2026-11-20T09:46:00Z"));
  EXPECT_FALSE(active("*/15 9-17 * * 1-5", "2026-11-21T09:45:00Z")) << "a Saturday";
  EXPECT_TRUE(active("0 0 1 1,7 *", "2026-07-01T00:00:00Z"));
  EXPECT_FALSE(active("0 0 1 1,7 *", "2026-06-01T00:00:00Z"));
  // Either day is enough where both are given.
  EXPECT_TRUE(active("0 0 13 * 5", "2026-11-20T00:00:00Z"));
  EXPECT_TRUE(active("0 0 13 * 5", "2026-12-13T00:00:00Z"));
  EXPECT_FALSE(active("0 0 13 * 5", "2026-12-14T00:00:00Z"));
  EXPECT_TRUE(active("0 0 * * 7", "2026-11-22T00:00:00Z"));
  EXPECT_TRUE(active("0 0 * * 0", "2026-11-22T00:00:00Z"));
  EXPECT_TRUE(active("5/20 * * * *", "2026-11-22T03:45:00Z"));
}

// Starts fall on half hours, so a walk in half hours sees each, and knows which one began last.
TEST(Windows, AgreeWithAWalkThroughTime) {
  for_random(20, [](Random& random) {
    const std::string minute = random.pick(std::vector<std::string>{"0", "30", "0,30"});
    const std::string hour = random.pick(std::vector<std::string>{"*", "0", "23", "*/6", "1-3"});
    const std::string day = random.pick(std::vector<std::string>{"*", "1", "28-31", "*/2"});
    const std::string weekday = random.pick(std::vector<std::string>{"*", "1-5", "0,6"});
    const std::int64_t lasts = random.pick(std::vector<std::int64_t>{30, 90, 1440, 5010});
    std::string cron = minute;
    cron += " " + hour + " " + day + " * " + weekday;
    const Window window = weekly(cron, lasts), start = weekly(cron, 1);
    ASSERT_TRUE(check_window(window).ok());
    std::optional<Time> newest;
    for (int i = 0; i < 14 * 48; ++i) {
      const Time now = at("2026-02-20T00:00:00Z") + seconds(i * 1800LL);
      if (state_at(start, now).active) newest = now;
      if (i < 6 * 48) continue;  // what began before the walk did
      const bool expected = newest && now < *newest + seconds(lasts * 60);
      ASSERT_EQ(state_at(window, now).active, expected) << cron << " " << to_rfc3339(now);
    }
  });
}

TEST(Windows, WhatCanNeverBeIsRefused) {
  for (const char* bad : {"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *",
                          "* * * * 8", "a * * * *", "1- * * * *", "5-1 * * * *", "*/0 * * * *",
                          "1,,2 * * * *", "-1 * * * *", "* * * * MON"}) {
    EXPECT_FALSE(check_window(weekly(bad, 5)).ok()) << bad;
  }
  EXPECT_FALSE(check_window(weekly("* * * * *", 0)).ok());
  EXPECT_FALSE(check_window(weekly("* * * * *", kMaxWindowMinutes + 1)).ok());
  EXPECT_FALSE(check_window(weekly("* * * * *", 5, "Europe/Atlantis")).ok());
  EXPECT_FALSE(check_window(once("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z")).ok());
  Window both = weekly("* * * * *", 5);
  both.from = {1};
  both.until = {2};
  EXPECT_FALSE(check_window(both).ok());
}

TEST(Freeze, DenyBeatsAllow) {
  const Window allow = once("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", Window::Kind::allow);
  const Window deny = once("2026-01-10T00:00:00Z", "2026-01-11T00:00:00Z");
  EXPECT_TRUE(freeze_at({}, at("2026-01-10T12:00:00Z")).open);
  EXPECT_TRUE(freeze_at({allow}, at("2026-01-10T12:00:00Z")).open);
  EXPECT_FALSE(freeze_at({allow}, at("2026-02-01T00:00:00Z")).open) << "outside of every allow window";
  EXPECT_FALSE(freeze_at({allow, deny}, at("2026-01-10T12:00:00Z")).open);
  EXPECT_TRUE(freeze_at({allow, deny}, at("2026-01-11T00:00:00Z")).open);
  EXPECT_TRUE(freeze_at({deny}, at("2026-01-11T00:00:00Z")).open);
}

TEST(Freeze, EveryWindowThatSaysNoHasToLetOnePass) {
  Window first = once("2026-01-10T00:00:00Z", "2026-01-12T00:00:00Z");
  Window second = once("2026-01-11T00:00:00Z", "2026-01-13T00:00:00Z");
  first.override_role = Role::reviewer;
  second.override_role = Role::admin;
  EXPECT_EQ(freeze_at({first, second}, at("2026-01-10T12:00:00Z")).override_role, Role::reviewer);
  EXPECT_EQ(freeze_at({first, second}, at("2026-01-11T12:00:00Z")).override_role, Role::admin);
  second.override_role.reset();
  EXPECT_EQ(freeze_at({first, second}, at("2026-01-11T12:00:00Z")).override_role, std::nullopt);
}

// Whatever is not called weaker is nowhere more open, for nobody.
TEST(Freeze, WeakeningErrsTowardsYes) {
  const auto random_windows = [](Random& random) {
    std::vector<Window> out;
    for (int i = 0; i < 3; ++i) {
      if (random.one_in(2)) continue;
      Window window;
      window.kind = random.one_in(2) ? Window::Kind::deny : Window::Kind::allow;
      window.name = std::to_string(i);
      window.from = {random.pick(std::vector<std::int64_t>{1, 2, 3})};
      window.until = window.from + Duration{random.pick(std::vector<std::int64_t>{1, 3})};
      window.override_role =
          random.pick(std::vector<std::optional<Role>>{std::nullopt, Role::reviewer, Role::admin});
      out.push_back(window);
    }
    return out;
  };
  for_random(3000, [&](Random& random) {
    const auto before = random_windows(random), after = random_windows(random);
    EXPECT_FALSE(freezes_weaken(before, before));
    EXPECT_FALSE(freezes_weaken({}, after));
    if (freezes_weaken(before, after)) return;
    for (std::int64_t micros = 0; micros < 8; ++micros) {
      const FreezeAnswer was = freeze_at(before, {micros}), is = freeze_at(after, {micros});
      if (was.open) continue;
      ASSERT_FALSE(is.open) << micros;
      if (is.override_role) {
        ASSERT_TRUE(was.override_role);
        ASSERT_GE(*is.override_role, *was.override_role);
      }
    }
  });
}

}  // namespace
}  // namespace imprimatur
