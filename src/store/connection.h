// How a connection to a database is opened, and how it fails.
#pragma once

#include "base/clock.h"

#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace imprimatur::store {

enum class Dialect { sqlite, postgresql };

// The connection or the disk failed. During a commit nothing is known about its outcome.
struct DatabaseGone : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// The database asks to try again: a deadlock, a serialisation failure, a lock that did not come free in time.
struct DatabaseBusy : std::runtime_error {
  using std::runtime_error::runtime_error;
};
// A row that the schema refuses: a key that is taken, a reference to nothing, evidence that may not change.
struct ConstraintBroken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Hears of every statement before it runs and after it succeeded, on every connection; what it throws fails
// the statement. This is how tests make a database fail at a chosen moment.
enum class Moment { before, after };
using Interceptor = std::function<void(Moment, std::string_view sql)>;

enum class Access { read_only, read_write };

struct ConnectionOptions {
  Dialect dialect = Dialect::sqlite;
  std::string target;  // a file, or a postgresql:// URL
  Access access = Access::read_write;
  Duration statement_timeout = seconds(30);
  Interceptor interceptor;
};

}  // namespace imprimatur::store
