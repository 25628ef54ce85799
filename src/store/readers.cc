#include "store/readers.h"

#include "base/log.h"

#include <chrono>

namespace imprimatur::store {

// Gives a connection back when the read ends, however it ends.
class Readers::Lease {
 public:
  Lease(Readers& readers, std::unique_ptr<Database> held) : database(std::move(held)), readers_(readers) {}
  ~Lease() {
    readers_.free_.lock()->push_back(std::move(database));
    readers_.returned_.notify_one();
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  std::unique_ptr<Database> database;

 private:
  Readers& readers_;
};

Readers::Readers(ConnectionOptions connection, std::size_t count, Duration timeout, const Clock& clock)
    : connection_(std::move(connection)), timeout_(timeout), clock_(clock) {
  free_.lock()->resize(count);
}

void Readers::begin(std::unique_ptr<Database>& database) {
  if (database) {
    try {
      database->begin_read();
      return;
    } catch (const DatabaseGone&) {
      database.reset();
    }
  }
  database = std::make_unique<Database>(connection_);
  database->begin_read();
}

// What was read stands, whatever becomes of the connection: a damaged file refuses even the end of a read.
void Readers::finish(std::unique_ptr<Database>& database) {
  try {
    database->commit();
  } catch (const DatabaseGone& error) {
    log(LogLevel::warning, "read_failed", {{"error", error.what()}});
    database.reset();
  }
}

Status Readers::run(const std::function<void(Tx&)>& work) {
  std::unique_ptr<Database> taken;
  {
    auto free = free_.lock();
    const auto timeout = std::chrono::microseconds(timeout_.micros);
    if (!returned_.wait_for(free.raw(), timeout, [&] { return !free->empty(); })) {
      return unavailable("too many reads at once; try again");
    }
    taken = std::move(free->back());
    free->pop_back();
  }
  Lease lease(*this, std::move(taken));
  try {
    begin(lease.database);
    Tx tx(*lease.database, clock_.now());
    work(tx);
    finish(lease.database);
    return Ok{};
  } catch (const DatabaseGone& error) {
    log(LogLevel::warning, "read_failed", {{"error", error.what()}});
    lease.database.reset();
    return unavailable("the database cannot be reached; try again later");
  } catch (const DatabaseBusy& error) {
    log(LogLevel::warning, "read_failed", {{"error", error.what()}});
    lease.database.reset();
    return unavailable("the database is busy; try again");
  } catch (const DataBroken& error) {
    log(LogLevel::error, "data_broken", {{"error", error.what()}});
    lease.database->rollback();
    return broken_data();
  } catch (...) {
    if (lease.database) lease.database->rollback();
    throw;
  }
}

}  // namespace imprimatur::store
