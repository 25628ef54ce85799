// The directory that holds an embedded store: one process at a time.
#pragma once

#include "base/result.h"

#include <string>

namespace imprimatur::store {

std::string database_file_in(const std::string& directory);

class DataDirectory {
 public:
  // Makes the directory where it is missing, readable by its owner only, and takes its lock; the lock goes
  // when this does, or the process. Unavailable when another process holds it.
  static Result<DataDirectory> open(const std::string& path);
  ~DataDirectory();
  DataDirectory(DataDirectory&& other) noexcept;
  DataDirectory& operator=(DataDirectory&&) = delete;

 private:
  DataDirectory(std::string path, int lock) : path_(std::move(path)), lock_(lock) {}
  std::string path_;
  int lock_ = -1;
};

}  // namespace imprimatur::store
