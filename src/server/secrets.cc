#include "server/secrets.h"

#include "base/hash.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace imprimatur::server {
namespace {

constexpr std::string_view kTag = "imprimatur-secret-v1\n";
constexpr std::size_t kSecretBytes = 32;

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int get() const { return descriptor_; }

 private:
  int descriptor_;
};

Error failed(const std::string& what, const std::string& path) {
  return unavailable("cannot " + what + " " + path + ": " + std::strerror(errno));
}

}  // namespace

// Written beside its place and linked there, so that a half-written secret never counts.
Status make_secrets(const std::string& path) {
  const std::filesystem::path directory = std::filesystem::path(path).parent_path();
  std::error_code ignored;
  if (!directory.empty() && std::filesystem::create_directories(directory, ignored)) {
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all, ignored);
  }
  const std::string fresh = path + "." + to_hex(random_bytes(8));
  const std::string text = std::string(kTag) + to_hex(random_bytes(2 * kSecretBytes)) + "\n";
  {
    const File file(::open(fresh.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600));
    if (file.get() < 0) return failed("make the secret file", path);
    if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::fsync(file.get()) != 0) {
      const Error error = failed("write the secret file", path);
      ::unlink(fresh.c_str());
      return error;
    }
  }
  const int linked = ::link(fresh.c_str(), path.c_str());
  const int why = errno;
  ::unlink(fresh.c_str());
  errno = why;
  if (linked != 0 && why != EEXIST) return failed("make the secret file", path);
  const File holder(::open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (holder.get() >= 0) ::fsync(holder.get());
  return Ok{};
}

Result<Secrets> load_secrets(const std::string& path) {
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return failed("read the secret file", path);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return failed("read the secret file", path);
  if ((status.st_mode & 077) != 0) {
    return invalid("the secret file " + path + " can be read by others; chmod 600 it");
  }
  char buffer[512];
  const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
  if (got < 0) return failed("read the secret file", path);
  std::string_view text(buffer, static_cast<std::size_t>(got));
  const auto bytes = text.starts_with(kTag) && text.ends_with('\n')
                         ? from_hex(text.substr(kTag.size(), text.size() - kTag.size() - 1))
                         : std::nullopt;
  if (!bytes || bytes->size() != 2 * kSecretBytes) {
    return invalid("the secret file " + path +
                   " is damaged; restore it from the backup of this installation");
  }
  return Secrets{bytes->substr(0, kSecretBytes), bytes->substr(kSecretBytes)};
}

}  // namespace imprimatur::server
