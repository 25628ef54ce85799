#include "identity/throttle.h"

#include <algorithm>

namespace imprimatur::identity {
namespace {

Duration delay_after(int failures) {
  if (failures < kFreeFailures) return {};
  Duration delay = kFirstDelay;
  for (int i = kFreeFailures; i < failures && delay < kLongestDelay; ++i) delay.micros *= 2;
  return std::min(delay, kLongestDelay);
}

}  // namespace

store::FailedLogins as_of(const store::FailedLogins& failed, Time now) {
  return {.count = failed.count, .last = std::min(failed.last, now)};
}

Status may_attempt(const store::FailedLogins& failed, Time now) {
  if (failed.count < kFreeFailures) return Ok{};
  const Time open = failed.last + delay_after(failed.count);
  if (now >= open) return Ok{};
  const auto seconds = static_cast<int>(((open - now).micros + 999'999) / 1'000'000);
  return Error{.code = ErrorCode::rate_limited,
               .detail = "Too many failed attempts on this account; the next one may come in " +
                         std::to_string(seconds) + " s.",
               .retry_after_seconds = seconds};
}

store::FailedLogins failed_again(const store::FailedLogins& failed, Time now) {
  const bool forgotten = now >= failed.last + kFailuresForgotten;
  return {.count = forgotten ? 1 : failed.count + 1, .last = now};
}

}  // namespace imprimatur::identity
