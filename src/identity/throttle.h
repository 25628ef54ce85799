// How failed sign-ins slow down the next attempt on the same account. Pure.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "store/identity_rows.h"

namespace imprimatur::identity {

// Only failures count, each account by itself, known or not; a success clears them. Sessions that are open
// are never touched, so whoever locks an account by guessing keeps nobody out who is already in, and a locked
// account opens again after kLongestDelay at the latest.
inline constexpr int kFreeFailures = 10;
inline constexpr Duration kFirstDelay = seconds(2);  // doubles with each further failure
inline constexpr Duration kLongestDelay = seconds(300);
inline constexpr Duration kFailuresForgotten = hours(24);  // after the last one

// Failures with e-mails that nobody has are journalled together, one entry in this time.
inline constexpr Duration kUnknownReportedEvery = seconds(60);

// As it counts now: a failure dated in the future, because the clock was set back, is dated `now`.
store::FailedLogins as_of(const store::FailedLogins& failed, Time now);
// Ok, or rate limited with the seconds that are left.
Status may_attempt(const store::FailedLogins& failed, Time now);
// One more failure.
store::FailedLogins failed_again(const store::FailedLogins& failed, Time now);

}  // namespace imprimatur::identity
