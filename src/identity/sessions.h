// Sessions of people as requests present them: a bounded copy in memory of what the store holds.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "base/sync.h"
#include "domain/records.h"
#include "identity/secrets.h"
#include "journal/entry.h"
#include "store/store.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace imprimatur::identity {

inline constexpr Duration kSessionLife = hours(24);  // from sign-in, whatever happens
inline constexpr Duration kSessionIdle = hours(8);   // without a request
inline constexpr std::size_t kCachedSessions = 10'000;
inline constexpr int kMaxSessions = 100;  // of a person; one more ends the oldest

// Safe from any thread.
class Sessions {
 public:
  Sessions(store::Store& store, const Clock& clock, const Seals& seals);

  // Unauthenticated, always in the same words, when the token is unknown, expired, idle for too long, ended,
  // or its person disabled.
  Result<Principal> authenticate(std::string_view token);

  // From the commit listener: what ended a session or changed a person is gone from the copy before the
  // command that did it is answered.
  void on_entry(const journal::Entry& entry);

  // Stores when sessions were last used. Called now and then.
  Status write_uses();

 private:
  struct Held {
    Principal principal;
    Time expires_at, last_used_at;
  };
  struct Copy {
    std::unordered_map<std::string, Held> by_seal;
    std::unordered_map<SessionId, Time> used;  // not yet stored
    std::uint64_t changes = 0;                 // entries that forgot something
  };
  Result<Principal> load(const std::string& seal, Time now);

  store::Store& store_;
  const Clock& clock_;
  const Seals& seals_;
  Sync<Copy> copy_;
};

}  // namespace imprimatur::identity
