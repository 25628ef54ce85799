// API keys as requests present them: an immutable table of those that work, replaced whole.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "base/sync.h"
#include "domain/records.h"
#include "identity/secrets.h"
#include "journal/entry.h"
#include "store/store.h"

#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace imprimatur::identity {

inline constexpr Duration kUseNotedEvery = seconds(60);  // of one key

// Safe from any thread.
class Keys {
 public:
  Keys(store::Store& store, const Clock& clock, const Seals& seals);

  // Reads all keys. Before the first authenticate().
  Status load();

  // Unauthenticated, always in the same words, when the key is unknown, expired, revoked, or its account
  // disabled.
  Result<Principal> authenticate(std::string_view key);

  // Whoever recognises keys elsewhere (delivery) says here when one was used.
  void used(const KeyId& key, Time at);

  // From the commit listener: a new key works, and one that is revoked or of a disabled account no longer
  // does, before the command is answered.
  void on_entry(const journal::Entry& entry);

  // Stores when keys were last used. Called now and then.
  Status write_uses();

 private:
  struct Key {
    explicit Key(const ApiKey& row);
    Principal principal;
    std::string seal;
    std::optional<Time> expires_at;
    mutable std::atomic<std::int64_t> used_micros, stored_micros;
  };
  struct Table {
    std::unordered_map<std::string, std::shared_ptr<const Key>> by_seal;
    std::unordered_map<KeyId, std::shared_ptr<const Key>> by_id;
    void add(std::shared_ptr<const Key> key);
  };
  std::shared_ptr<const Key> find(const std::string& seal);
  using Newest = Sync<std::shared_ptr<const Table>>;
  void change(Newest::Lock& newest, const std::function<void(Table&)>& edit);
  void drop(const std::function<bool(const Key&)>& which);
  // Adds those that are not revoked.
  void read_keys(const std::function<std::vector<ApiKey>(store::Tx&)>& which);
  static void note_use(const Key& key, Time now);

  store::Store& store_;
  const Clock& clock_;
  const Seals& seals_;
  Newest newest_;  // held by whoever makes the next one, from what it reads to the publication
  Published<Table> table_;
  std::atomic<bool> behind_{false};  // keys that began to work could not be read
};

}  // namespace imprimatur::identity
