// When an environment may be changed: windows that forbid it, and windows outside of which it is forbidden.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "domain/access.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace imprimatur {

inline constexpr std::size_t kMaxWindows = 50;
inline constexpr std::int64_t kMaxWindowMinutes = 31LL * 24 * 60;

struct Window {
  enum class Kind { deny, allow };
  Kind kind = Kind::deny;
  std::string name;  // for people; unique in its list
  // Once, from `from` until before `until`; or each time that `cron` names, for `minutes`.
  Time from, until;
  std::string cron;  // five fields: minute, hour, day of month, month, day of week; empty: once
  std::int64_t minutes = 0;
  std::string time_zone = "UTC";  // of the IANA database
  std::optional<Role>
      override_role;  // whoever has at least this role may pass it, with a reason; none: nobody
  bool operator==(const Window&) const = default;
};
std::string_view name_of(Window::Kind kind);
std::optional<Window::Kind> window_kind_of(std::string_view name);

// Refuses what can never be, or cannot be read: bounds, cron fields, an unknown time zone.
Status check_window(const Window& window);

// Whether `at` lies in the window, and until when. A cron time that a change of clocks skips is moved forward
// by what was skipped; one that comes twice is the first of the two.
struct WindowState {
  bool active = false;
  Time until;  // of the present occurrence, when active
};
WindowState state_at(const Window& window, Time at);

// Deny beats allow. With an allow window in the list, everything outside of all of them is denied.
struct FreezeAnswer {
  bool open = true;
  std::string detail;                 // which windows say no, and until when
  std::optional<Role> override_role;  // the least role that may pass all that say no; none: nobody
};
FreezeAnswer freeze_at(const std::vector<Window>& windows, Time at);

// Whether `after` is open at any time at which `before` was not, or lets pass whoever could not. Errs towards
// yes: windows are compared as written.
bool freezes_weaken(const std::vector<Window>& before, const std::vector<Window>& after);

}  // namespace imprimatur
