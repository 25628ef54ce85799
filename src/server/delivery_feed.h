// From the journal to what applications get: tells delivery what each committed entry changed.
#pragma once

#include "base/sync.h"
#include "delivery/delivery.h"
#include "journal/entry.h"
#include "store/store.h"

#include <atomic>
#include <set>
#include <string>
#include <vector>

namespace imprimatur::server {

class DeliveryFeed {
 public:
  DeliveryFeed(store::Store& store, delivery::Delivery& delivery);

  // Everything there is, in the place of what was told before. Before the first request, and again when a
  // change could not be told. Entries that are committed meanwhile wait for it.
  Status load();
  // Register with Store::on_commit. What it tells is visible before the command is acknowledged. Does not
  // throw: when the store cannot be read, the keys meant stop working and everything is loaded again later.
  void on_entries(const std::vector<journal::Entry>& entries);
  // Takes out of what is served, until the next start, what a verification doubts (Verification::doubtful).
  Status withhold(std::set<std::string> doubtful);
  // Whether a change could not be told, and catch_up() is due.
  bool behind() const { return behind_; }
  void catch_up();

 private:
  store::Store& store_;
  delivery::Delivery& delivery_;
  // What is withheld. Held from the read to the publication, so that no older state is told after a newer
  // one.
  Sync<std::set<std::string>> doubtful_;
  std::atomic<bool> behind_{false};
};

}  // namespace imprimatur::server
