// Ed25519 signatures of journal heads.
#pragma once

#include "base/hash.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace imprimatur::journal {

inline constexpr std::size_t kSeedBytes = 32;
inline constexpr std::size_t kPublicKeyBytes = 32;
inline constexpr std::size_t kSignatureBytes = 64;

// Holds a signing key; its memory is wiped at the end. Safe from any thread.
class Signer {
 public:
  // Precondition: kSeedBytes bytes.
  explicit Signer(std::string_view seed);
  ~Signer();
  Signer(const Signer&) = delete;
  Signer& operator=(const Signer&) = delete;

  std::string sign(std::string_view message) const;
  const std::string& public_key() const { return public_key_; }

 private:
  std::string secret_key_;
  std::string public_key_;
};

// False for a key or a signature of the wrong length too.
bool verify_signature(std::string_view public_key, std::string_view message, std::string_view signature);

// What the signature of a head covers:
// "imprimatur-head-v1\n<journal>\n<size>\n<root hex>\n<last hash hex>\n".
std::string head_bytes(std::string_view journal, std::uint64_t size, const Hash256& root,
                       const Hash256& last_hash);

}  // namespace imprimatur::journal
