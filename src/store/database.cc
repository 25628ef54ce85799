#include "store/database.h"

#include "base/check.h"
#include "base/log.h"
#include "store/broken.h"

#include <charconv>
#include <deque>
#include <libpq-fe.h>
#include <map>
#include <unordered_map>

#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

namespace imprimatur::store {
namespace {

// Statements a connection keeps prepared. The lists with optional filters have a few dozen forms; more than
// this would be a leak.
constexpr std::size_t kMaxPrepared = 400;
constexpr int kBusyMilliseconds = 5000;
constexpr int kCacheKibibytes = 8 * 1024;  // of pages, a connection at most
constexpr int kMinPostgresql = 150000;
constexpr std::int64_t kStreamedAtOnce = 1000;  // rows
constexpr Duration kPatience = seconds(600);

// "a = ? AND b = ?" to "a = :p1 AND b = :p2". No literal in this program's SQL holds a question mark.
std::string with_named_placeholders(std::string_view sql) {
  std::string out;
  out.reserve(sql.size() + 32);
  int number = 0;
  for (const char c : sql) {
    if (c == '?') {
      out += ":p" + std::to_string(++number);
    } else {
      out += c;
    }
  }
  return out;
}

[[noreturn]] void rethrow_sqlite(const soci::sqlite3_soci_error& error, Access access) {
  switch (error.result() & 0xff) {
    case SQLITE_CONSTRAINT: throw ConstraintBroken(error.get_error_message());
    case SQLITE_BUSY:
    case SQLITE_LOCKED: throw DatabaseBusy(error.get_error_message());
    case SQLITE_IOERR:
    case SQLITE_CORRUPT:
    case SQLITE_FULL:
    case SQLITE_CANTOPEN:
    case SQLITE_NOTADB:
    case SQLITE_NOMEM:
    case SQLITE_PROTOCOL: throw DatabaseGone(error.get_error_message());
    // A directory that became read-only; in a read it is a defect: reads do not write.
    case SQLITE_READONLY:
      if (access == Access::read_write) throw DatabaseGone(error.get_error_message());
      throw std::runtime_error(error.get_error_message());
    default: throw std::runtime_error(error.get_error_message());  // a defect in the SQL or the schema
  }
}

[[noreturn]] void rethrow_postgresql(const soci::postgresql_soci_error& error, Access access,
                                     bool connected) {
  const std::string state = error.sqlstate();
  const std::string_view kind = std::string_view(state).substr(0, 2);
  if (kind == "23") throw ConstraintBroken(error.get_error_message());
  if (kind == "40" || state == "55P03" || state == "57014") throw DatabaseBusy(error.get_error_message());
  // Connection, resources, operator intervention, system errors; a lost connection often has no state at all.
  if (!connected || kind == "08" || kind == "53" || kind == "57" || kind == "58" ||
      (state == "25006" && access == Access::read_write)) {  // a standby
    throw DatabaseGone(error.get_error_message());
  }
  throw std::runtime_error(error.get_error_message());
}

// SOCI reads `key=value` out of a connect string; a path that looks like one has to be quoted.
std::string sqlite_target(const std::string& path) {
  if (path.find('=') == std::string::npos) return path;
  if (path.find('"') != std::string::npos) throw DatabaseGone("a data directory's name may not hold '\"'");
  return "dbname=\"" + path + "\"";
}

// SOCI does not export the type information with which the sanitizer checks a cast to one of its backends.
#define UNCHECKED_CAST __attribute__((no_sanitize("vptr")))

void set_default(std::map<std::string, std::string>& options, const char* key, const char* value) {
  options.emplace(key, value);
}

// SOCI takes "key=value" pairs, not URLs. A server that went away without a word is noticed within seconds.
std::string postgresql_target(const std::string& url) {
  char* problem = nullptr;
  PQconninfoOption* parsed = PQconninfoParse(url.c_str(), &problem);
  if (parsed == nullptr) {
    const std::string why = problem == nullptr ? "" : problem;
    PQfreemem(problem);
    throw DatabaseGone("not a PostgreSQL URL: " + why);
  }
  std::map<std::string, std::string> options;
  for (const PQconninfoOption* option = parsed; option->keyword != nullptr; ++option) {
    if (option->val != nullptr) options.emplace(option->keyword, option->val);
  }
  PQconninfoFree(parsed);
  set_default(options, "application_name", "imprimatur");
  set_default(options, "connect_timeout", "5");
  set_default(options, "keepalives_idle", "5");
  set_default(options, "keepalives_interval", "2");
  set_default(options, "keepalives_count", "3");
  set_default(options, "tcp_user_timeout", "10000");
  std::string out;
  for (const auto& [key, value] : options) {
    out += (out.empty() ? "" : " ") + key + "='";
    for (const char c : value) {
      if (c == '\'' || c == '\\') out += '\\';
      out += c;
    }
    out += "'";
  }
  return out;
}

// Values that a statement was prepared with stay where they are: they are bound once and filled in each time.
struct Slot {
  bool is_text = false;
  std::string text;
  long long number = 0;
};

}  // namespace

struct Database::Session {
  struct Statement {
    explicit Statement(soci::session& session) : prepared(session) {}
    soci::statement prepared;
    std::deque<Slot> slots;
    std::vector<std::string> columns;
    std::vector<soci::indicator> nulls;
    bool running = false;
  };
  struct Hash : std::hash<std::string_view> {
    using is_transparent = void;
  };

  Session(const soci::backend_factory& factory, const std::string& target) : connection(factory, target) {}

  std::unique_ptr<Statement> prepare(Dialect dialect, std::string_view sql,
                                     std::span<const Argument> arguments) {
    auto made = std::make_unique<Statement>(connection);
    soci::statement& prepared = made->prepared;
    prepared.alloc();
    prepared.prepare(with_named_placeholders(sql));
    made->columns.resize(column_count(dialect, prepared));
    made->nulls.resize(made->columns.size());
    for (const Argument& argument : arguments) {
      Slot& slot = made->slots.emplace_back();
      slot.is_text = argument.is_text();
      if (slot.is_text) {
        prepared.exchange(soci::use(slot.text));
      } else {
        prepared.exchange(soci::use(slot.number));
      }
    }
    for (std::size_t i = 0; i < made->columns.size(); ++i) {
      prepared.exchange(soci::into(made->columns[i], made->nulls[i]));
    }
    prepared.define_and_bind();
    return made;
  }

  // SOCI describes a result only by running it, so the driver below it is asked.
  UNCHECKED_CAST std::size_t column_count(Dialect dialect, soci::statement& prepared) {
    switch (dialect) {
      case Dialect::sqlite: {
        auto* backend = static_cast<soci::sqlite3_statement_backend*>(prepared.get_backend());
        return static_cast<std::size_t>(sqlite_api::sqlite3_column_count(backend->stmt_));
      }
      case Dialect::postgresql: {
        auto* backend = static_cast<soci::postgresql_statement_backend*>(prepared.get_backend());
        PGresult* described = PQdescribePrepared(backend->session_.conn_, backend->statementName_.c_str());
        const int count = PQnfields(described);
        PQclear(described);
        return static_cast<std::size_t>(count);
      }
    }
    CHECK(false, "no such dialect");
  }

  UNCHECKED_CAST bool connected(Dialect dialect) {
    if (dialect == Dialect::sqlite) return true;
    auto* backend = static_cast<soci::postgresql_session_backend*>(connection.get_backend());
    return PQstatus(backend->conn_) == CONNECTION_OK;
  }

  // PostgreSQL's detail line quotes the row.
  UNCHECKED_CAST void hide_details() {
    auto* backend = static_cast<soci::postgresql_session_backend*>(connection.get_backend());
    PQsetErrorVerbosity(backend->conn_, PQERRORS_TERSE);
  }

  soci::session connection;
  std::unordered_map<std::string, std::unique_ptr<Statement>, Hash, std::equal_to<>> statements;
};

namespace {

// Runs `work`, and gives what SOCI throws its meaning.
template <class F>
auto translated(Access access, bool connected_before, const std::function<bool()>& connected, F&& work) {
  try {
    return work();
  } catch (const soci::sqlite3_soci_error& error) {
    rethrow_sqlite(error, access);
  } catch (const soci::postgresql_soci_error& error) {
    rethrow_postgresql(error, access, connected_before && connected());
  } catch (const soci::soci_error& error) {
    if (!connected()) throw DatabaseGone(error.get_error_message());
    throw std::runtime_error(error.get_error_message());
  }
}

}  // namespace

const std::string& Row::text(std::size_t column) const {
  CHECK(column < columns_.size(), "a column that was not selected");
  return columns_[column];
}

std::int64_t Row::integer(std::size_t column) const {
  const std::string& text = this->text(column);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw DataBroken("an integer column holds no integer");
  }
  return number;
}

Database::Database(ConnectionOptions options) : options_(std::move(options)) {
  try {
    switch (options_.dialect) {
      case Dialect::sqlite:
        session_ = std::make_unique<Session>(soci::sqlite3, sqlite_target(options_.target));
        break;
      case Dialect::postgresql:
        session_ = std::make_unique<Session>(soci::postgresql, postgresql_target(options_.target));
        break;
    }
  } catch (const soci::soci_error& error) {
    throw DatabaseGone(error.get_error_message());
  }
  configure();
}

Database::~Database() {
  // A statement that is finalised after its connection would touch freed memory.
  session_->statements.clear();
}

void Database::configure() {
  const auto setting = [this](std::string_view sql) {
    return one(sql, [](const Row& row) { return row.text(0); }).value_or(std::string());
  };
  switch (options_.dialect) {
    case Dialect::sqlite: {
      script("PRAGMA busy_timeout = " + std::to_string(kBusyMilliseconds));
      script("PRAGMA foreign_keys = ON");
      script("PRAGMA synchronous = FULL");
      script("PRAGMA trusted_schema = OFF");
      script("PRAGMA temp_store = MEMORY");
      script("PRAGMA cache_size = -" + std::to_string(kCacheKibibytes));
      if (options_.access == Access::read_only) {
        script("PRAGMA query_only = ON");
      } else if (setting("PRAGMA journal_mode = WAL") != "wal") {
        throw DatabaseGone("this file system cannot hold a write-ahead log; choose another data directory");
      }
      if (setting("PRAGMA synchronous") != "2" || setting("PRAGMA foreign_keys") != "1") {
        throw DatabaseGone("SQLite refused full synchronisation or foreign keys");
      }
      break;
    }
    case Dialect::postgresql: {
      session_->hide_details();
      const std::string timeout = std::to_string(options_.statement_timeout.micros / 1000);
      script("SET client_min_messages = warning");
      script("SET client_encoding = 'UTF8'");
      script("SET synchronous_commit = on");
      script("SET statement_timeout = " + timeout);
      script("SET idle_in_transaction_session_timeout = " + timeout);
      if (setting("SHOW server_encoding") != "UTF8")
        throw DatabaseGone("the database's encoding is not UTF8");
      if (std::stoi(setting("SHOW server_version_num")) < kMinPostgresql) {
        throw DatabaseGone("PostgreSQL 15 or later is needed");
      }
      if (options_.access == Access::read_write && setting("SHOW fsync") != "on") {
        log(LogLevel::warning, "database_not_durable", {{"setting", "fsync"}});
      }
      break;
    }
  }
}

std::int64_t Database::run(std::string_view sql, std::span<const Argument> arguments,
                           const std::function<void(const Row&)>* visit, Keep keep) {
  if (options_.interceptor) options_.interceptor(Moment::before, sql);
  std::unique_ptr<Session::Statement> own;  // when the kept one is in the middle of its rows
  Session::Statement* statement = nullptr;
  const auto connected = [this] { return session_->connected(options_.dialect); };
  const bool connected_before = connected();
  if (!connected_before) throw DatabaseGone("the connection to the database is closed");
  auto found = session_->statements.find(sql);
  if (found != session_->statements.end() && !found->second->running) {
    statement = found->second.get();
  } else {
    own = translated(options_.access, connected_before, connected,
                     [&] { return session_->prepare(options_.dialect, sql, arguments); });
    statement = own.get();
    if (keep == Keep::prepared && found == session_->statements.end() &&
        session_->statements.size() < kMaxPrepared) {
      session_->statements.emplace(std::string(sql), std::move(own));
    }
  }
  CHECK(statement->slots.size() == arguments.size(), "a statement with another number of arguments");
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    Slot& slot = statement->slots[i];
    CHECK(slot.is_text == arguments[i].is_text(), "an argument that changed its type");
    if (slot.is_text) {
      slot.text.assign(arguments[i].text());
    } else {
      slot.number = arguments[i].number();
    }
  }
  statement->running = true;
  std::int64_t changed = 0;
  try {
    translated(options_.access, connected_before, connected, [&] {
      const Row row{statement->columns};
      bool more = statement->prepared.execute(true);
      if (statement->columns.empty()) {
        changed = statement->prepared.get_affected_rows();
      } else {
        for (; more; more = statement->prepared.fetch()) {
          if (visit) (*visit)(row);
        }
      }
    });
  } catch (...) {
    // Its cursor may be open, and a connection that lost one statement soon loses them all.
    if (!own) session_->statements.erase(session_->statements.find(sql));
    throw;
  }
  statement->running = false;
  if (options_.interceptor) options_.interceptor(Moment::after, sql);
  return changed;
}

void Database::run_streamed(std::string_view sql, std::span<const Argument> arguments,
                            const std::function<void(const Row&)>& visit) {
  switch (options_.dialect) {
    case Dialect::sqlite: run(sql, arguments, &visit); return;  // which gives its rows one by one anyway
    case Dialect::postgresql: {
      // A name of its own each time: what is prepared for one cursor does not fit another.
      const std::string cursor = "streamed_" + std::to_string(++cursors_);
      run("DECLARE " + cursor + " NO SCROLL CURSOR FOR " + std::string(sql), arguments, nullptr,
          Keep::nothing);
      std::int64_t rows = 0;
      const std::function<void(const Row&)> counted = [&](const Row& row) {
        ++rows;
        visit(row);
      };
      const std::string fetch = "FETCH " + std::to_string(kStreamedAtOnce) + " FROM " + cursor;
      do {
        rows = 0;
        run(fetch, {}, &counted, Keep::nothing);
      } while (rows == kStreamedAtOnce);
      run("CLOSE " + cursor, {}, nullptr, Keep::nothing);
      return;
    }
  }
}

void Database::be_patient() {
  switch (options_.dialect) {
    case Dialect::sqlite: return;  // has no limit
    case Dialect::postgresql: {
      const std::string limit = std::to_string(kPatience.micros / 1000);
      script("SET LOCAL statement_timeout = " + limit);
      script("SET LOCAL idle_in_transaction_session_timeout = " + limit);
      return;
    }
  }
}

void Database::script(const std::string& sql) {
  if (options_.interceptor) options_.interceptor(Moment::before, sql);
  const auto connected = [this] { return session_->connected(options_.dialect); };
  translated(options_.access, connected(), connected, [&] { session_->connection.once << sql; });
  if (options_.interceptor) options_.interceptor(Moment::after, sql);
}

void Database::begin_read() {
  switch (options_.dialect) {
    case Dialect::sqlite: control("BEGIN"); return;
    case Dialect::postgresql: control("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); return;
  }
}

void Database::begin_write() {
  switch (options_.dialect) {
    case Dialect::sqlite: control("BEGIN IMMEDIATE"); return;
    case Dialect::postgresql: control("BEGIN ISOLATION LEVEL READ COMMITTED"); return;
  }
}

void Database::commit() { control("COMMIT"); }

void Database::rollback() noexcept {
  try {
    control("ROLLBACK");
  } catch (const std::exception& error) {
    log(LogLevel::warning, "rollback_failed", {{"error", error.what()}});
  }
}

void Database::savepoint() { control("SAVEPOINT command"); }
void Database::release_savepoint() { control("RELEASE SAVEPOINT command"); }

void Database::rollback_to_savepoint() {
  control("ROLLBACK TO SAVEPOINT command");
  control("RELEASE SAVEPOINT command");
}

std::string_view Database::for_update() const {
  return options_.dialect == Dialect::postgresql ? " FOR UPDATE" : "";
}

}  // namespace imprimatur::store
