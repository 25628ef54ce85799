// One connection with its prepared statements, and the few places where SQLite and PostgreSQL differ. Used by
// one thread at a time. SQL is written once, with '?' for each argument.
#pragma once

#include "store/connection.h"
#include "store/row.h"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace imprimatur::store {

class Database {
 public:
  // Throws DatabaseGone when it cannot connect, or when the database would not keep what it commits.
  explicit Database(ConnectionOptions options);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Dialect dialect() const { return options_.dialect; }

  // Changes governed rows, which takes an event in the same command. Returns the number of rows changed.
  template <class... A>
  std::int64_t exec(std::string_view sql, const A&... arguments) {
    governed_changes_ += 1;
    return touch(sql, arguments...);
  }

  // Changes rows that are no evidence: sessions, throttling, last use, what derives from other rows.
  template <class... A>
  std::int64_t touch(std::string_view sql, const A&... arguments) {
    changes_ += 1;
    const std::array<Argument, sizeof...(A)> values{Argument(arguments)...};
    return run(sql, values, nullptr);
  }

  // Calls take(const Row&) for each row.
  template <class F, class... A>
  void each(std::string_view sql, F&& take, const A&... arguments) {
    const std::array<Argument, sizeof...(A)> values{Argument(arguments)...};
    each_of(sql, std::forward<F>(take), values);
  }
  template <class F>
  void each_of(std::string_view sql, F&& take, std::span<const Argument> arguments) {
    const std::function<void(const Row&)> visit = [&](const Row& row) { take(row); };
    run(sql, arguments, &visit);
  }

  // The same in a transaction for results of any length: never all rows in memory, and the statement timeout
  // holds for each part.
  template <class F, class... A>
  void stream(std::string_view sql, F&& take, const A&... arguments) {
    const std::array<Argument, sizeof...(A)> values{Argument(arguments)...};
    const std::function<void(const Row&)> visit = [&](const Row& row) { take(row); };
    run_streamed(sql, values, visit);
  }
  // From here to the end of the transaction: time for statements that read all of a large table.
  void be_patient();

  // make(const Row&) of the first row, if there is one.
  template <class F, class... A>
  auto one(std::string_view sql, F&& make, const A&... arguments)
      -> std::optional<std::invoke_result_t<F, const Row&>> {
    std::optional<std::invoke_result_t<F, const Row&>> found;
    each(
        sql,
        [&](const Row& row) {
          if (!found) found.emplace(make(row));
        },
        arguments...);
    return found;
  }
  template <class F, class... A>
  auto all(std::string_view sql, F&& make, const A&... arguments)
      -> std::vector<std::invoke_result_t<F, const Row&>> {
    std::vector<std::invoke_result_t<F, const Row&>> found;
    each(
        sql, [&](const Row& row) { found.push_back(make(row)); }, arguments...);
    return found;
  }

  // One statement without arguments that is not kept prepared: schema and settings.
  void script(const std::string& sql);

  void begin_read();   // a snapshot that nothing changes
  void begin_write();  // SQLite: takes the writer's lock at once
  void commit();
  void rollback() noexcept;  // best effort: a broken connection has rolled back anyway
  void savepoint();
  void release_savepoint();
  void rollback_to_savepoint();

  // " FOR UPDATE" where rows are locked one by one; empty where the whole database is.
  std::string_view for_update() const;

  // Statements so far that were meant to change governed rows, and any rows.
  std::uint64_t governed_changes() const { return governed_changes_; }
  std::uint64_t changes() const { return changes_; }

 private:
  struct Session;
  enum class Keep { prepared, nothing };
  std::int64_t run(std::string_view sql, std::span<const Argument> arguments,
                   const std::function<void(const Row&)>* visit, Keep keep = Keep::prepared);
  void run_streamed(std::string_view sql, std::span<const Argument> arguments,
                    const std::function<void(const Row&)>& visit);
  void configure();
  void control(std::string_view sql) { run(sql, {}, nullptr); }

  ConnectionOptions options_;
  std::unique_ptr<Session> session_;
  std::uint64_t governed_changes_ = 0;
  std::uint64_t changes_ = 0;
  std::uint64_t cursors_ = 0;  // so far
};

}  // namespace imprimatur::store
