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

  // Everything there is. Before the first request, and again when a change could not be told.
  Status load();
  // Register with Store::on_commit. What it tells is visible before the command is acknowledged.
  void on_entries(const std::vector<journal::Entry>& entries);
  // Takes out of what is served, until the next start, what a verification doubts (Verification::doubtful).
  Status withhold(std::set<std::string> doubtful);
  // Loads all of it again when a change could not be told; called now and then.
  void catch_up();

 private:
  store::Store& store_;
  delivery::Delivery& delivery_;
  Sync<std::set<std::string>> doubtful_;
  std::atomic<bool> behind_{false};
};

}  // namespace imprimatur::server
