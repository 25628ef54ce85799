#include "cli/data_directory.h"

#include "journal/signing.h"
#include "store/journal_rows.h"
#include "store/schema.h"

#include <filesystem>
#include <fstream>

namespace imprimatur::cli {
namespace {

std::string file_of(const std::string& directory) { return directory + "/imprimatur.db"; }

Status is_there(const std::string& directory) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(file_of(directory), ignored)) return Ok{};
  return invalid(directory + " is no data directory: it holds no imprimatur.db");
}

}  // namespace

bool is_database(const std::string& path) {
  constexpr std::string_view kMagic("SQLite format 3", 16);  // with its zero byte
  std::ifstream file(path, std::ios::binary);
  std::string begin(kMagic.size(), ' ');
  file.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  return begin == kMagic;
}

Result<std::unique_ptr<store::Database>> open_for_reading(const std::string& directory) {
  TRY(is_there(directory));
  try {
    store::ConnectionOptions options;
    options.target = file_of(directory);
    options.access = store::Access::read_only;
    auto database = std::make_unique<store::Database>(std::move(options));
    database->begin_read();
    if (store::present_schema(*database) != store::newest_schema()) {
      return unprocessable(directory + " was written by another version of this program");
    }
    return database;
  } catch (const std::exception& error) {
    Error unreadable = unavailable(file_of(directory) + " cannot be read as a database of this program");
    unreadable.reasons = {error.what()};
    return unreadable;
  }
}

Result<std::unique_ptr<store::Store>> open_for_writing(const Program& program, const Console& console,
                                                       const Clock& clock, const std::string& directory) {
  TRY(is_there(directory));
  const std::string seed = TRY(program.signing_seed(directory));
  store::StoreOptions options;
  options.directory = directory;
  auto store = TRY(store::Store::open(options, clock, seed));
  ProgressBar bar(console, "Checking the journal");
  const auto checked = TRY(store->read([&](store::Tx& tx) -> Result<store::Verification> {
    return store::verify(tx, [&](std::uint64_t done, std::uint64_t total) { bar.show(done, total); },
                         {.checkpoints = {}, .key = journal::key_digest(journal::Signer(seed).public_key())});
  }));
  if (!checked.ok()) {
    const store::Fault& fault = checked.faults.front();
    return unprocessable(
        "the journal is broken, nothing was written; run `imprimatur verify " + directory + "`",
        {"journal " + fault.journal + ", entry " + std::to_string(fault.seq) + ": " + fault.what});
  }
  store->open_writes();
  return store;
}

}  // namespace imprimatur::cli
