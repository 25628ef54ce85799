// The one thread that changes durable state: takes the commands that wait as a group, runs each in a
// savepoint, commits them together, tells the feed, and only then answers.
#pragma once

#include "base/sync.h"
#include "journal/signing.h"
#include "store/commit_feed.h"
#include "store/group_journals.h"

#include <condition_variable>
#include <deque>
#include <exception>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace imprimatur::store {

class Writer {
 public:
  // `database`: the open connection to begin with; `connection`: how to open another.
  Writer(const StoreOptions& options, ConnectionOptions connection, std::unique_ptr<Database> database,
         const Clock& clock, std::string_view signing_seed, CommitFeed& feed);
  // Finishes what was accepted.
  ~Writer();

  Status run(std::vector<std::string> journals, const std::function<bool(Tx&)>& work);
  void refuse(std::string why);
  void open();
  std::optional<std::string> why_refused() const;

 private:
  // Lives where its caller waits.
  struct Command {
    std::vector<std::string> journals;
    const std::function<bool(Tx&)>& work;
    // Of the run that counts: what to answer once the group's outcome is known.
    Status answer = Ok{};
    std::exception_ptr thrown;
  };
  // Everybody in a group waits for the same thing, so that one system call wakes them all.
  struct Group {
    std::vector<Command*> commands;
    bool taken = false;  // by the thread; until then a command may leave
    std::promise<void> done;
    std::shared_future<void> finished{done.get_future()};
  };
  struct Queue {
    std::deque<std::shared_ptr<Group>> groups;  // none empty; only the last takes more
    std::size_t commands = 0;                   // of all groups
    std::optional<std::string> refused;
    bool stopping = false;
  };
  // A group whose commit was sent and whose answer never came.
  enum class Commit { done, nothing_to_do, uncertain };

  void loop();
  std::shared_ptr<Group> join(Queue& queue, Command& command) const;
  bool leave(const std::shared_ptr<Group>& group, const Command& command);
  std::shared_ptr<Group> take();  // null: none waits
  void run_group(Group& group);
  bool settle(Group& group);  // true when the outcome is known and every command has its answer
  Commit attempt(Group& group);
  bool run_command(Command& command, GroupJournals& journals);
  bool run_work(Command& command, Tx& tx);
  std::optional<bool> marker_says_committed(std::int64_t number);
  void reconnect();
  void tell_feed();
  static void answer_all(Group& group, const Error& error);

  const StoreOptions options_;
  const ConnectionOptions connection_;
  std::unique_ptr<Database> database_;
  const Clock& clock_;
  const journal::Signer signer_;
  CommitFeed& feed_;
  const std::string id_;               // of this writer's row in `writers`
  std::int64_t group_number_ = 0;      // of the last group that was begun
  bool unheard_ = false;               // committed entries may be missing at the feed
  std::vector<journal::Entry> grown_;  // by the group that is being committed
  Sync<Queue> queue_;
  std::condition_variable arrived_;
  std::thread thread_;
};

}  // namespace imprimatur::store
