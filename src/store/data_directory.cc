#include "store/data_directory.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace imprimatur::store {
namespace {

constexpr mode_t kOwnerOnlyDirectory = 0700, kOwnerOnlyFile = 0600;

Error failed(const std::string& what, const std::string& path) {
  return unavailable(what + " " + path + ": " + std::strerror(errno));
}

}  // namespace

std::string database_file_in(const std::string& directory) { return directory + "/imprimatur.db"; }

Result<DataDirectory> DataDirectory::open(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::absolute(path).parent_path();
  std::error_code ignored;
  std::filesystem::create_directories(parent, ignored);  // what fails here shows in mkdir
  if (::mkdir(path.c_str(), kOwnerOnlyDirectory) != 0 && errno != EEXIST) return failed("cannot make", path);
  const std::string lock_file = path + "/imprimatur.lock";
  const int lock = ::open(lock_file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kOwnerOnlyFile);
  if (lock < 0) return failed("cannot open", lock_file);
  DataDirectory directory(path, lock);
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return failed("cannot lock", lock_file);
    return unavailable("another process is using the data directory " + path +
                       "; stop it, or talk to it over HTTP");
  }
  // SQLite gives its log and index the permissions of the database file.
  const int file = ::open(database_file_in(path).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kOwnerOnlyFile);
  if (file < 0) return failed("cannot open", database_file_in(path));
  ::close(file);
  return directory;
}

DataDirectory::~DataDirectory() {
  if (lock_ >= 0) ::close(lock_);
}

DataDirectory::DataDirectory(DataDirectory&& other) noexcept
    : path_(std::move(other.path_)), lock_(std::exchange(other.lock_, -1)) {}

}  // namespace imprimatur::store
