#include "store/store.h"

#include "base/check.h"
#include "store/commit_feed.h"
#include "store/data_directory.h"
#include "store/readers.h"
#include "store/schema.h"
#include "store/skeletons.h"
#include "store/writer.h"

#include <filesystem>

namespace imprimatur::store {

class Store::Parts {
 public:
  Parts(const StoreOptions& options, const ConnectionOptions& connection, std::optional<DataDirectory> held,
        std::unique_ptr<Database> database, const Clock& clock, std::string_view signing_seed)
      : directory(std::move(held)),
        readers(read_only(connection, options.read_timeout), options.readers, options.read_timeout, clock),
        feed(read_only(connection, options.read_timeout), options.poll_interval, *database),
        writer(options, connection, std::move(database), clock, signing_seed, feed) {}

  static ConnectionOptions read_only(ConnectionOptions connection, Duration timeout) {
    connection.access = Access::read_only;
    connection.statement_timeout = timeout;
    return connection;
  }

  // Destroyed from the bottom: the writer finishes first, the directory's lock goes last.
  std::optional<DataDirectory> directory;
  Readers readers;
  CommitFeed feed;
  Writer writer;
  bool shared = false;  // other processes may write
};

namespace {

ConnectionOptions connection_of(const StoreOptions& options) {
  CHECK(options.directory.empty() != options.url.empty(), "either a directory or a URL");
  ConnectionOptions connection;
  connection.statement_timeout = options.write_timeout;
  connection.interceptor = options.interceptor;
  connection.dialect = options.url.empty() ? Dialect::sqlite : Dialect::postgresql;
  connection.target = options.url.empty() ? database_file_in(options.directory) : options.url;
  return connection;
}

// What opening a database may throw, as an error.
template <class F>
auto opening(F&& work) -> std::invoke_result_t<F> {
  try {
    return work();
  } catch (const DatabaseGone& error) {
    return unavailable(std::string("cannot open the database: ") + error.what());
  } catch (const DatabaseBusy& error) {
    return unavailable(std::string("the database is busy: ") + error.what());
  }
}

}  // namespace

Result<std::unique_ptr<Store>> Store::open(const StoreOptions& options, const Clock& clock,
                                           std::string_view signing_seed) {
  const ConnectionOptions connection = connection_of(options);
  std::optional<DataDirectory> directory;
  if (options.url.empty()) directory.emplace(TRY(DataDirectory::open(options.directory)));
  return opening([&]() -> Result<std::unique_ptr<Store>> {
    auto database = std::make_unique<Database>(connection);
    Status migrated = migrate(*database);
    if (!migrated.ok()) return std::move(migrated).error();
    keep_skeletons(*database);
    auto parts = std::make_unique<Parts>(options, connection, std::move(directory), std::move(database),
                                         clock, signing_seed);
    parts->shared = connection.dialect == Dialect::postgresql;
    return std::unique_ptr<Store>(new Store(std::move(parts)));
  });
}

Result<bool> Store::present(const StoreOptions& options) {
  ConnectionOptions connection = connection_of(options);
  connection.access = Access::read_only;
  std::error_code ignored;
  if (options.url.empty() && !std::filesystem::exists(connection.target, ignored)) return false;
  return opening([&]() -> Result<bool> {
    Database database(connection);
    return has_schema(database);
  });
}

Store::Store(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Store::~Store() = default;

void Store::on_commit(CommitListener listener) {
  parts_->feed.listen(std::move(listener));
  if (parts_->shared) parts_->feed.follow();
}

void Store::refuse_writes(std::string why) { parts_->writer.refuse(std::move(why)); }
std::optional<std::string> Store::why_refused() const { return parts_->writer.why_refused(); }
void Store::open_writes() { parts_->writer.open(); }

Status Store::read_erased(const std::function<void(Tx&)>& work) { return parts_->readers.run(work); }

Status Store::write_erased(std::vector<std::string> journals, const std::function<bool(Tx&)>& work) {
  return parts_->writer.run(std::move(journals), work);
}

}  // namespace imprimatur::store
