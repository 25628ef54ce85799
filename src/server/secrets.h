// The installation's key material: a file that only its owner reads.
#pragma once

#include "base/result.h"

#include <string>

namespace imprimatur::server {

struct Secrets {
  std::string signing_seed;   // 32 bytes: Ed25519 seed of the journals' heads
  std::string server_secret;  // 32 bytes: keyed hashes of credentials
};

// Refuses a file that is absent, one that others may read, and one of another form.
Result<Secrets> load_secrets(const std::string& path);
// Makes the file with mode 0600, and its directory with 0700. Of two processes that do so at once one wins.
Status make_secrets(const std::string& path);

}  // namespace imprimatur::server
