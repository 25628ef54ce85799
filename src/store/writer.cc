#include "store/writer.h"

#include "base/check.h"
#include "base/hash.h"
#include "base/log.h"

#include <algorithm>
#include <chrono>

namespace imprimatur::store {
namespace {

// A group that failed before its commit did not happen, so it may be run again.
constexpr int kGroupAttempts = 3;
constexpr auto kRetryPause = std::chrono::milliseconds(50);
constexpr auto kUnheardPause = std::chrono::milliseconds(100);
constexpr Duration kForgottenWriter = days(7);

constexpr std::string_view kGone = "the database cannot be reached; nothing was changed; try again later";
constexpr std::string_view kUnknown =
    "the connection to the database was lost during the commit, and whether it took place is not known yet";

}  // namespace

Writer::Writer(const StoreOptions& options, ConnectionOptions connection, std::unique_ptr<Database> database,
               const Clock& clock, std::string_view signing_seed, CommitFeed& feed)
    : options_(options),
      connection_(std::move(connection)),
      database_(std::move(database)),
      clock_(clock),
      signer_(signing_seed),
      feed_(feed),
      id_(new_id("wri", clock.now().micros / 1000)) {
  database_->touch("DELETE FROM writers WHERE seen_at < ?", clock_.now() - kForgottenWriter);
  database_->touch("INSERT INTO writers (id, group_number, seen_at) VALUES (?, 0, ?)", id_, clock_.now());
  thread_ = std::thread([this] { loop(); });
}

Writer::~Writer() {
  queue_.lock()->stopping = true;
  arrived_.notify_all();
  thread_.join();
  try {
    if (database_) database_->touch("DELETE FROM writers WHERE id = ?", id_);
  } catch (const std::exception&) {  // forgotten after kForgottenWriter instead
  }
}

void Writer::refuse(std::string why) { queue_.lock()->refused = std::move(why); }

void Writer::open() { queue_.lock()->refused.reset(); }

std::optional<std::string> Writer::why_refused() const { return queue_.lock()->refused; }

Status Writer::run(std::vector<std::string> journals, const std::function<bool(Tx&)>& work) {
  CHECK(std::this_thread::get_id() != thread_.get_id(), "write() from inside a command or a commit listener");
  std::ranges::sort(journals);
  journals.erase(std::unique(journals.begin(), journals.end()), journals.end());
  Command command{std::move(journals), work, Ok{}, nullptr};
  std::shared_ptr<Group> group;
  {
    auto queue = queue_.lock();
    if (queue->stopping) return unavailable("the store is closing");
    if (queue->refused) return unavailable(*queue->refused);
    if (queue->commands >= options_.queue) return unavailable("too many writes are waiting; try again");
    group = join(*queue, command);
  }
  arrived_.notify_one();
  const auto timeout = std::chrono::microseconds(options_.write_timeout.micros);
  if (group->finished.wait_for(timeout) != std::future_status::ready) {
    if (leave(group, command)) {
      return unavailable("the write waited too long; nothing was changed; try again");
    }
    // It is running on this caller's values: its outcome has to be awaited.
    group->finished.wait();
  }
  if (command.thrown) std::rethrow_exception(command.thrown);
  return std::move(command.answer);
}

std::shared_ptr<Writer::Group> Writer::join(Queue& queue, Command& command) const {
  if (queue.groups.empty() || queue.groups.back()->commands.size() >= options_.group) {
    queue.groups.push_back(std::make_shared<Group>());
  }
  queue.groups.back()->commands.push_back(&command);
  queue.commands += 1;
  return queue.groups.back();
}

// False when the group has been taken.
bool Writer::leave(const std::shared_ptr<Group>& group, const Command& command) {
  auto queue = queue_.lock();
  if (group->taken) return false;
  std::erase(group->commands, &command);
  queue->commands -= 1;
  if (group->commands.empty()) std::erase(queue->groups, group);
  return true;
}

std::shared_ptr<Writer::Group> Writer::take() {
  auto queue = queue_.lock();
  const auto ready = [&] { return queue->stopping || !queue->groups.empty(); };
  if (unheard_) {
    arrived_.wait_for(queue.raw(), kUnheardPause, ready);
  } else {
    arrived_.wait(queue.raw(), ready);
  }
  if (queue->groups.empty()) return nullptr;
  std::shared_ptr<Group> group = std::move(queue->groups.front());
  queue->groups.pop_front();
  queue->commands -= group->commands.size();
  group->taken = true;
  return group;
}

void Writer::loop() {
  while (true) {
    const std::shared_ptr<Group> group = take();
    if (unheard_) tell_feed();
    if (group) {
      run_group(*group);
      group->done.set_value();
      continue;
    }
    auto queue = queue_.lock();
    if (queue->stopping && queue->groups.empty()) return;
  }
}

void Writer::answer_all(Group& group, const Error& error) {
  for (Command* command : group.commands) {
    command->thrown = nullptr;
    command->answer = error;
  }
}

void Writer::run_group(Group& group) {
  for (int attempt = 0; attempt < kGroupAttempts; ++attempt) {
    if (attempt > 0) std::this_thread::sleep_for(kRetryPause * attempt);
    try {
      if (settle(group)) return;
      continue;
    } catch (const DatabaseGone& error) {
      log(LogLevel::warning, "group_failed", {{"error", error.what()}});
      database_.reset();
    } catch (const DatabaseBusy& error) {
      log(LogLevel::warning, "group_failed", {{"error", error.what()}});
      if (database_) database_->rollback();
    } catch (const DataBroken& error) {
      log(LogLevel::error, "data_broken", {{"error", error.what()}});
      if (database_) database_->rollback();
      return answer_all(group, broken_data());
    } catch (const std::exception& error) {
      // A statement of the group itself failed, not one of a command's.
      log(LogLevel::error, "group_failed", {{"error", error.what()}});
      database_.reset();
    }
  }
  answer_all(group, unavailable(std::string(kGone)));
}

bool Writer::settle(Group& group) {
  switch (attempt(group)) {
    case Commit::nothing_to_do: return true;
    case Commit::done: break;
    case Commit::uncertain: {
      const std::optional<bool> committed = marker_says_committed(group_number_);
      if (!committed) {
        unheard_ = true;
        answer_all(group, unavailable(std::string(kUnknown)));
        return true;
      }
      if (!*committed) return false;
      break;
    }
  }
  tell_feed();
  return true;
}

Writer::Commit Writer::attempt(Group& group) {
  if (!database_) reconnect();
  database_->begin_write();
  std::vector<std::string> names;
  for (Command* command : group.commands) {
    names.insert(names.end(), command->journals.begin(), command->journals.end());
  }
  GroupJournals journals(*database_, names);
  bool changed = false;
  for (Command* command : group.commands) {
    command->thrown = nullptr;
    command->answer = Ok{};
    if (run_command(*command, journals)) changed = true;
  }
  if (!changed) {
    database_->rollback();
    return Commit::nothing_to_do;
  }
  journals.write_heads(signer_);
  group_number_ += 1;
  // Written anew where another process took this writer, long idle, for a forgotten one.
  database_->touch(
      "INSERT INTO writers (id, group_number, seen_at) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET "
      "group_number = excluded.group_number, seen_at = excluded.seen_at",
      id_, group_number_, clock_.now());
  grown_ = journals.entries();
  try {
    database_->commit();
    return Commit::done;
  } catch (const std::exception& error) {
    log(LogLevel::warning, "commit_uncertain", {{"error", error.what()}});
    database_.reset();
    return Commit::uncertain;
  }
}

// True when it changed something that is to be committed.
bool Writer::run_command(Command& command, GroupJournals& journals) {
  journals.begin_command(command.journals);
  Tx tx(*database_, journals.later_than_all(clock_.now()));
  tx.journals_ = &journals;
  const std::uint64_t governed_before = database_->governed_changes();
  const std::uint64_t changes_before = database_->changes();
  database_->savepoint();
  if (!run_work(command, tx)) {
    database_->rollback_to_savepoint();
    journals.undo_command();
    return false;
  }
  const bool governed = database_->governed_changes() != governed_before;
  if (governed && journals.appended_by_command() == 0) {
    database_->rollback();
    CHECK(false, "a command changed governed rows without an event");
  }
  database_->release_savepoint();
  return database_->changes() != changes_before;
}

// False when the command is to be rolled back.
bool Writer::run_work(Command& command, Tx& tx) {
  try {
    return command.work(tx);
  } catch (const DatabaseGone&) {
    throw;
  } catch (const DatabaseBusy&) {
    throw;
  } catch (const ConstraintBroken& error) {
    log(LogLevel::info, "write_conflict", {{"error", error.what()}});
    command.answer = conflict("somebody else changed this first, or the name is taken; look again");
  } catch (const DataBroken& error) {
    log(LogLevel::error, "data_broken", {{"error", error.what()}});
    command.answer = broken_data();
  } catch (...) {
    command.thrown = std::current_exception();
  }
  return false;
}

void Writer::reconnect() { database_ = std::make_unique<Database>(connection_); }

// The row of this writer moved in the same transaction. Reading it with a lock waits for a commit that the
// database may still be working on.
std::optional<bool> Writer::marker_says_committed(std::int64_t number) {
  const auto deadline =
      std::chrono::steady_clock::now() + std::chrono::microseconds(options_.write_timeout.micros);
  auto pause = kRetryPause;
  while (true) {
    try {
      reconnect();
      const std::optional<std::int64_t> found = database_->one(
          "SELECT group_number FROM writers WHERE id = ?" + std::string(database_->for_update()),
          [](const Row& row) { return row.integer(0); }, id_);
      return found.value_or(0) >= number;
    } catch (const std::exception& error) {
      database_.reset();
      log(LogLevel::warning, "commit_unknown", {{"error", error.what()}});
    }
    if (std::chrono::steady_clock::now() + pause > deadline) return std::nullopt;
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(1000));
  }
}

void Writer::tell_feed() {
  try {
    if (!database_) reconnect();
    if (unheard_) {
      feed_.catch_up(*database_);
    } else {
      feed_.deliver(grown_, *database_);
    }
    unheard_ = false;
  } catch (const std::exception& error) {
    // What is committed stays committed; the feed hears it as soon as the database can be read.
    log(LogLevel::warning, "commit_unheard", {{"error", error.what()}});
    database_.reset();
    unheard_ = true;
  }
  grown_.clear();
}

void Tx::append(std::string_view journal, journal::Event event) {
  CHECK(journals_ != nullptr, "append in a read");
  journals_->append(journal, std::move(event), now_);
}

}  // namespace imprimatur::store
