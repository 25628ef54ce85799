// Durable state. Commands run one after another in transactions that hold their journal events too; reads run
// beside them. The rows are in the other headers of this directory.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "domain/ids.h"
#include "journal/entry.h"
#include "store/broken.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::store {

class Database;       // a connection with its prepared statements
class GroupJournals;  // the journals that a group of commands locked
enum class Moment;

// A transaction, or a command's savepoint inside one. Valid only inside the function it was given to.
class Tx {
 public:
  Tx(Database& database, Time now) : database_(database), now_(now) {}
  Tx(const Tx&) = delete;
  Tx& operator=(const Tx&) = delete;

  // One time for the whole command: later than every entry of the journals it locked, so that what was
  // decided first is also dated first.
  Time now() const { return now_; }
  Database& database() { return database_; }

  // Adds an entry to a journal that the command locked. The change and its event commit together.
  void append(std::string_view journal, journal::Event event);

 private:
  friend class Writer;
  Database& database_;
  Time now_;
  GroupJournals* journals_ = nullptr;  // null in a read
};

struct StoreOptions {
  // Either a directory (embedded SQLite) or a postgresql:// URL; exactly one is not empty.
  std::string directory;
  std::string url;
  std::size_t readers = 4;   // connections for reads
  std::size_t queue = 4096;  // commands that may wait; more are refused as unavailable
  std::size_t group = 256;   // commands in one commit at most
  Duration read_timeout = seconds(10);
  Duration write_timeout = seconds(30);
  // PostgreSQL: how often to look for what other processes committed.
  Duration poll_interval = milliseconds(20);
  // Hears of every statement before and after it runs; what it throws fails the statement (see database.h).
  std::function<void(Moment, std::string_view)> interceptor;
};

// Hears every committed entry exactly once, each journal's in order of seq, one call at a time: this
// process's own on the writer's thread, after the commit and before any of its commands is answered; those of
// other processes on the feed's thread. Must not call write(). When it throws, the same entries come again.
using CommitListener = std::function<void(const std::vector<journal::Entry>&)>;

class Store {
 public:
  // Opens, locks, migrates. Refuses a schema newer than this program, a directory that another process
  // serves, and a database it cannot make durable. `signing_seed`: 32 bytes, the Ed25519 seed of the
  // journal's heads.
  static Result<std::unique_ptr<Store>> open(const StoreOptions& options, const Clock& clock,
                                             std::string_view signing_seed);
  // Whether somebody keeps a store there already. Changes nothing.
  static Result<bool> present(const StoreOptions& options);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // Once, before the first write.
  void on_commit(CommitListener listener);

  // Stops or starts writes: while refused, write() answers unavailable with `why` (a broken journal,
  // shutdown).
  void refuse_writes(std::string why);
  std::optional<std::string> why_refused() const;  // none: writes are open
  void open_writes();

  // Runs `work(Tx&) -> Result<T>` on a consistent snapshot; it must not change anything. Unavailable when the
  // database is gone, holds what nobody can have written (DataBroken), or no connection came free in time.
  template <class F>
  auto read(F&& work) -> std::invoke_result_t<F, Tx&> {
    std::optional<std::invoke_result_t<F, Tx&>> out;
    Status done = read_erased([&](Tx& tx) { out.emplace(work(tx)); });
    if (!done.ok()) return std::move(done).error();
    return std::move(*out);
  }

  // Queues `work(Tx&) -> Result<T>` as one command and waits for its commit. The journals named are locked
  // first, in one order for everybody. An error it returns rolls back that command alone. A command that
  // changes rows without appending an event, except through the rows marked so, is a bug: it is rolled back
  // and aborts. A row that the schema refuses (a key that is taken) is a conflict. May run more than once (a
  // lost connection or a serialisation failure before the commit).
  template <class F>
  auto write(std::vector<std::string> journals, F&& work) -> std::invoke_result_t<F, Tx&> {
    std::optional<std::invoke_result_t<F, Tx&>> out;
    Status done = write_erased(std::move(journals), [&](Tx& tx) {
      out.emplace(work(tx));
      return out->ok();
    });
    if (!done.ok()) return std::move(done).error();
    return std::move(*out);
  }

 private:
  class Parts;
  explicit Store(std::unique_ptr<Parts> parts);
  Status read_erased(const std::function<void(Tx&)>& work);
  Status write_erased(std::vector<std::string> journals, const std::function<bool(Tx&)>& work);
  std::unique_ptr<Parts> parts_;
};

}  // namespace imprimatur::store
