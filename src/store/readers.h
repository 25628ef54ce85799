// A bounded pool of connections for reads, each read a snapshot of its own.
#pragma once

#include "base/sync.h"
#include "store/database.h"
#include "store/store.h"

#include <condition_variable>
#include <memory>
#include <vector>

namespace imprimatur::store {

class Readers {
 public:
  Readers(ConnectionOptions connection, std::size_t count, Duration timeout, const Clock& clock);
  // Unavailable when the database is gone or no connection came free in time. What `work` throws passes.
  Status run(const std::function<void(Tx&)>& work);

 private:
  class Lease;
  // Begins a snapshot; a connection that died while it was idle is replaced once.
  void begin(std::unique_ptr<Database>& database);
  static void finish(std::unique_ptr<Database>& database);

  ConnectionOptions connection_;
  Duration timeout_;
  const Clock& clock_;
  Sync<std::vector<std::unique_ptr<Database>>> free_;  // null: to be opened by whoever takes it
  std::condition_variable returned_;
};

}  // namespace imprimatur::store
