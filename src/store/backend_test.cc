#include "store/backend_test.h"

#include "journal/signing.h"
#include "store/database.h"
#include "store/journal_rows.h"

#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace imprimatur::store {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kBinaries = "/usr/lib/postgresql/15/bin";

std::string fresh_directory(std::string_view what, const fs::path& place = fs::temp_directory_path()) {
  std::string path = place / ("imprimatur-" + std::string(what) + "-XXXXXX");
  CHECK(::mkdtemp(path.data()) != nullptr, "a temporary directory");
  return path;
}

// Where a user without rights may go: a private TMPDIR of root's is no such place.
fs::path open_to_others() {
  for (const fs::path& place : {fs::temp_directory_path(), fs::path("/tmp"), fs::path("/var/tmp")}) {
    bool open = true;
    for (fs::path at = fs::absolute(place); open && at != at.root_path(); at = at.parent_path()) {
      open =
          fs::is_directory(at) && (fs::status(at).permissions() & fs::perms::others_exec) != fs::perms::none;
    }
    if (open) return place;
  }
  CHECK(false, "no temporary directory that others may enter; PostgreSQL does not run as root");
}

// A PostgreSQL server on a socket in a directory of its own. It refuses to run as root, so root becomes
// nobody.
class Server {
 public:
  Server() {
    if (installed_backends().size() == 1) return;
    const bool root = ::geteuid() == 0;
    directory_ = fresh_directory("postgresql", root ? open_to_others() : fs::temp_directory_path());
    if (root) {
      const passwd* nobody = ::getpwnam("nobody");
      CHECK(nobody != nullptr, "an unprivileged user");
      user_ = nobody->pw_uid;
      group_ = nobody->pw_gid;
      CHECK(::chown(directory_.c_str(), user_, group_) == 0, "chown");
    }
    const std::string data = directory_ + "/data";
    const pid_t initdb = spawn({std::string(kBinaries) + "/initdb", "-D", data, "-U", "imprimatur", "-A",
                                "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"});
    int status = 0;
    CHECK(::waitpid(initdb, &status, 0) == initdb && status == 0, "initdb");
    server_ = spawn({std::string(kBinaries) + "/postgres", "-D", data, "-k", directory_, "-c",
                     "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=200", "-c",
                     "shared_buffers=32MB"});
    for (int i = 0; i < 600 && !answers(); ++i) ::usleep(50'000);
    CHECK(answers(), "PostgreSQL did not start");
  }
  ~Server() {
    if (server_ > 0) {
      ::kill(server_, SIGINT);
      ::waitpid(server_, nullptr, 0);
    }
    std::error_code ignored;
    if (!directory_.empty()) fs::remove_all(directory_, ignored);
  }
  bool present() const { return !directory_.empty(); }
  std::string url(const std::string& database) const {
    return "postgresql:///" + database + "?host=" + directory_ + "&user=imprimatur";
  }
  void run(const std::string& sql) const {
    Database database(
        {.dialect = Dialect::postgresql, .target = url("postgres"), .access = Access::read_only});
    database.script(sql);
  }

 private:
  bool answers() const {
    try {
      run("SELECT 1");
      return true;
    } catch (const DatabaseGone&) {
      return false;
    }
  }
  pid_t spawn(const std::vector<std::string>& arguments) const {
    std::vector<char*> argv;
    for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    const std::string log = directory_ + "/log";
    const pid_t child = ::fork();
    CHECK(child >= 0, "fork");
    if (child > 0) return child;
    if (user_ != 0 && (::setgroups(0, nullptr) != 0 || ::setgid(group_) != 0 || ::setuid(user_) != 0))
      ::_exit(126);
    ::prctl(PR_SET_PDEATHSIG, SIGINT);  // the server does not outlive a test program that was killed
    if (::chdir(directory_.c_str()) != 0) ::_exit(126);
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  std::string directory_;
  uid_t user_ = 0;
  gid_t group_ = 0;
  pid_t server_ = -1;
};

// Started by the first test that needs it, stopped when the program ends.
Server& server() {
  static Server one;
  return one;
}

}  // namespace

std::string_view name_of(Backend backend) {
  switch (backend) {
    case Backend::sqlite: return "sqlite";
    case Backend::postgresql: return "postgresql";
    case Backend::failing: return "failing";
  }
  CHECK(false, "no such backend");
}

std::vector<Backend> installed_backends() {
  if (!fs::exists(std::string(kBinaries) + "/postgres")) return {Backend::sqlite};
  return {Backend::sqlite, Backend::postgresql};
}

Interceptor Faults::interceptor() {
  return [this](Moment moment, std::string_view sql) {
    const std::thread::id here = std::this_thread::get_id();
    if (here != home_ && moment == Moment::before && sql == "BEGIN IMMEDIATE") writer_ = here;
    if (here == writer_) hear(moment, sql);
  };
}

void Faults::refuse(int n) {
  refuse_at_ = n;
  refused_ = false;
  mode_ = Mode::refusing;
}

void Faults::hear(Moment moment, std::string_view sql) {
  const bool before = moment == Moment::before;
  if (before && sql == "BEGIN IMMEDIATE") {
    in_group_ = true;
    seen_ = 0;
    place_ = spared_ ? place_ : place_ + 1;
  }
  const bool edge = sql == "SAVEPOINT command" || sql == "RELEASE SAVEPOINT command" ||
                    sql == "ROLLBACK TO SAVEPOINT command";
  if (edge) {
    in_command_ = sql == "SAVEPOINT command";
    if (in_command_) statements_ = 0;
  } else if (in_command_ && before) {
    statements_ += 1;
    if (mode_ == Mode::refusing && statements_ == refuse_at_) {
      refused_ = true;
      throw ConstraintBroken("the test refused this statement");
    }
  }
  if (in_group_ && mode_ == Mode::losing && !spared_) lose(moment, sql);
  if (!before && (sql == "COMMIT" || sql == "ROLLBACK")) {
    if (!spared_) place_ = 0;  // there were fewer statements
    in_group_ = spared_ = false;
  }
}

void Faults::lose(Moment moment, std::string_view sql) {
  if (moment == Moment::before) seen_ += 1;
  if (seen_ != place_ || sql == "ROLLBACK") return;
  const int kind = place_ % 3;
  if (moment != (kind == 1 ? Moment::after : Moment::before)) return;
  spared_ = true;
  in_group_ = in_command_ = false;
  if (kind == 2) throw DatabaseBusy("the test's database is busy");
  throw DatabaseGone("the test cut the connection");
}

Ground::Ground(Backend backend) : backend_(backend) {
  static int number = 0;
  switch (backend_) {
    case Backend::failing: faults_ = std::make_unique<Faults>(); [[fallthrough]];
    case Backend::sqlite: place_ = fresh_directory("store"); return;
    case Backend::postgresql:
      available_ = server().present();
      place_ = "test_" + std::to_string(++number);
      if (available_) server().run("CREATE DATABASE " + place_ + " TEMPLATE template0");
      return;
  }
}

Ground::~Ground() {
  switch (backend_) {
    case Backend::failing:
    case Backend::sqlite: {
      std::error_code ignored;
      fs::remove_all(place_, ignored);
      return;
    }
    case Backend::postgresql:
      if (available_) server().run("DROP DATABASE " + place_ + " WITH (FORCE)");
      return;
  }
}

StoreOptions Ground::options() const {
  StoreOptions options;
  switch (backend_) {
    case Backend::failing: options.interceptor = faults_->interceptor(); [[fallthrough]];
    case Backend::sqlite: options.directory = place_; break;
    case Backend::postgresql: options.url = server().url(place_); break;
  }
  return options;
}

std::string Ground::target() const {
  return backend_ == Backend::postgresql ? server().url(place_) : place_ + "/imprimatur.db";
}

std::string Ground::contents() const {
  Database database({.dialect = Dialect::sqlite, .target = target(), .access = Access::read_only});
  const auto text = [](const Row& row) { return row.text(0); };
  std::string out;
  for (const std::string& table : database.all(
           "SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'writers' ORDER BY name", text)) {
    std::string row;
    for (const std::string& column :
         database.all("SELECT name FROM pragma_table_info('" + table + "')", text)) {
      row += (row.empty() ? "quote(" : " || ',' || quote(") + column + ")";
    }
    out += table + "\n";
    for (const std::string& line : database.all("SELECT " + row + " FROM " + table, text)) out += line + "\n";
  }
  return out;
}

void Ground::cut() const {
  server().run("ALTER DATABASE " + place_ + " ALLOW_CONNECTIONS false");
  server().run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '" + place_ + "'");
}

void Ground::mend() const { server().run("ALTER DATABASE " + place_ + " ALLOW_CONNECTIONS true"); }

std::uint64_t expect_intact(Store& store) {
  std::uint64_t total = 0;
  const Status done = store.read([&](Tx& tx) -> Status {
    std::uint64_t entries_in_table = 0;
    tx.database().each("SELECT count(*) FROM entries",
                       [&](const Row& row) { entries_in_table = row.integer(0); });
    for (const Head& head : heads(tx)) {
      Hash256 previous{};
      Time last;
      journal::Frontier frontier;
      const auto all = entries(tx, head.journal, 1, 1'000'000);
      EXPECT_EQ(all.size(), head.size) << head.journal;
      for (const journal::Entry& entry : all) {
        EXPECT_EQ(entry.seq, frontier.size + 1);
        EXPECT_EQ(entry.previous, previous);
        EXPECT_EQ(entry.hash, journal::hash_of(entry));
        EXPECT_GE(entry.time, last);
        previous = entry.hash;
        last = entry.time;
        frontier.append(journal::leaf_of(entry));
      }
      EXPECT_EQ(head.last_hash, previous);
      EXPECT_EQ(head.frontier.root(), frontier.root());
      EXPECT_TRUE(journal::verify_signature(
          head.public_key, journal::head_bytes(head.journal, head.size, frontier.root(), previous),
          head.signature));
      total += head.size;
    }
    EXPECT_EQ(total, entries_in_table);
    return Ok{};
  });
  EXPECT_TRUE(done.ok());
  return total;
}

Status OpenStoreTest::change(const std::function<void(Tx&)>& work) {
  const auto write = [&](bool keep) {
    return store_->write({"org"}, [&](Tx& tx) -> Status {
      work(tx);
      tx.append("org", {"test.changed", "organisation", "{}", {"system"}});
      if (!keep) return conflict("only tried");
      return Ok{};
    });
  };
  Faults* faults = ground_.faults();
  if (faults == nullptr) return write(true);
  const std::string before = ground_.contents();
  faults->rest();
  EXPECT_FALSE(write(false).ok());
  EXPECT_EQ(ground_.contents(), before) << "the command was taken back";
  const int statements = faults->statements();
  EXPECT_GT(statements, 0);
  for (int n = 1; n <= statements; ++n) {
    faults->refuse(n);
    const Status done = write(true);
    EXPECT_TRUE(faults->refused()) << n << " of " << statements;
    EXPECT_TRUE(!done.ok() && done.error().code == ErrorCode::conflict);
    EXPECT_EQ(ground_.contents(), before) << "statement " << n << " of " << statements << " was refused";
  }
  faults->resume();
  const Status done = write(true);
  expect_intact(*store_);
  return done;
}

StoreTest::StoreTest() : ground_(GetParam()) {}

void StoreTest::SetUp() {
  if (!ground_.available()) GTEST_SKIP() << "PostgreSQL 15 is not installed";
}

std::unique_ptr<Store> StoreTest::open() { return open(ground_.options()); }

std::unique_ptr<Store> StoreTest::open(const StoreOptions& options) {
  Result<std::unique_ptr<Store>> opened = Store::open(options, clock_, kSeed);
  return std::move(opened).value();
}

}  // namespace imprimatur::store
