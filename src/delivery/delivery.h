// Answers to applications from memory. Writers apply changes one after another and publish; readers keep a
// Published<Snapshot>::Reader a thread and write nothing that others read.
#pragma once

#include "base/sync.h"
#include "delivery/feed.h"
#include "delivery/snapshot.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace imprimatur::delivery {

// When keys were last used, kept by one reading thread for itself and taken by the owner now and then.
class LastUses {
 public:
  void note(const KeyId& key, Time now) { (*uses_.lock())[key] = now; }
  std::unordered_map<KeyId, Time> take() { return std::exchange(*uses_.lock(), {}); }

 private:
  Sync<std::unordered_map<KeyId, Time>> uses_;
};

class Delivery {
 public:
  // Identity's keyed hash of a whole key, as it stands in ServedKey::hash. Must be safe from any thread.
  using KeyHash = std::function<std::string(std::string_view)>;
  explicit Delivery(KeyHash key_hash);

  // Publishes all of it at once, or nothing and says why: an environment that was not told before, content
  // that is not canonical. A version whose content does not have its digest is left out, logged and counted.
  // Safe from any thread. A reader's next look sees it.
  Status apply(const std::vector<Change>& changes);

  // Tells a part of the whole, as apply() does, to a snapshot that nobody sees yet.
  using Tell = std::function<Status(const std::vector<Change>&)>;
  // Publishes what `tell_all` tells in the place of all that was told before, or nothing when it fails: what
  // it does not mention is gone. What apply() would refuse is left out, logged and counted, so that one thing
  // that does not fit keeps nothing else from being served. apply() waits meanwhile; reads do not.
  Status replace(const std::function<Status(const Tell&)>& tell_all);

  // How often something was left out: a version without its digest, an artifact that fits nowhere.
  std::uint64_t altered_contents() const { return altered_contents_.load(std::memory_order_relaxed); }

  const Published<Snapshot>& snapshots() const { return snapshots_; }
  std::string hash_key(std::string_view key) const { return key_hash_(key); }

  // One for each reading thread; lives as long as this object.
  LastUses& new_last_uses();
  // The latest use of each key since the last call.
  std::unordered_map<KeyId, Time> take_last_uses();

 private:
  const KeyHash key_hash_;
  Sync<std::shared_ptr<const Snapshot>> newest_;  // held by the one who makes the next
  Published<Snapshot> snapshots_;
  std::atomic<std::uint64_t> altered_contents_{0};
  Sync<std::vector<std::unique_ptr<LastUses>>> last_uses_;
};

}  // namespace imprimatur::delivery
