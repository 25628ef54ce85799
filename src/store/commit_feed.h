// Tells the listener of every committed entry, once and in order, whoever committed it.
#pragma once

#include "base/sync.h"
#include "store/database.h"
#include "store/store.h"

#include <atomic>
#include <condition_variable>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace imprimatur::store {

class CommitFeed {
 public:
  // `connection` with read-only access. What `database` holds now counts as heard.
  CommitFeed(ConnectionOptions connection, Duration interval, Database& database);
  ~CommitFeed();

  void listen(CommitListener listener);
  // Starts the thread that looks for the commits of other processes.
  void follow();

  // The entries of this process's commit. Reads what other processes put before them first.
  void deliver(const std::vector<journal::Entry>& own, Database& database);
  // Everything that is committed and was not heard yet.
  void catch_up(Database& database);

 private:
  struct State {
    std::map<std::string, std::uint64_t, std::less<>> heard;  // journal to the last seq
    CommitListener listener;
  };
  void run();
  // Those that continue what was heard, in order; the others wait for the next look.
  static void hear(State& state, const std::vector<journal::Entry>& entries);

  ConnectionOptions connection_;
  Duration interval_;
  Sync<State> state_;
  Sync<bool> stopping_{false};
  std::condition_variable stop_changed_;
  std::thread thread_;
};

}  // namespace imprimatur::store
