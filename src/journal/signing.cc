#include "journal/signing.h"

#include "base/check.h"

#include <sodium.h>

namespace imprimatur::journal {
namespace {

static_assert(kSeedBytes == crypto_sign_SEEDBYTES);
static_assert(kPublicKeyBytes == crypto_sign_PUBLICKEYBYTES);
static_assert(kSignatureBytes == crypto_sign_BYTES);

unsigned char* raw(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }
const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

Signer::Signer(std::string_view seed)
    : secret_key_(crypto_sign_SECRETKEYBYTES, '\0'), public_key_(kPublicKeyBytes, '\0') {
  CHECK(seed.size() == kSeedBytes, "a signing seed has 32 bytes");
  CHECK(sodium_init() >= 0, "libsodium does not start");
  CHECK(crypto_sign_seed_keypair(raw(public_key_), raw(secret_key_), raw(seed)) == 0);
}

Signer::~Signer() { sodium_memzero(secret_key_.data(), secret_key_.size()); }

std::string Signer::sign(std::string_view message) const {
  std::string signature(kSignatureBytes, '\0');
  CHECK(crypto_sign_detached(raw(signature), nullptr, raw(message), message.size(),
                             raw(std::string_view(secret_key_))) == 0);
  return signature;
}

bool verify_signature(std::string_view public_key, std::string_view message, std::string_view signature) {
  if (public_key.size() != kPublicKeyBytes || signature.size() != kSignatureBytes) return false;
  CHECK(sodium_init() >= 0, "libsodium does not start");
  return crypto_sign_verify_detached(raw(signature), raw(message), message.size(), raw(public_key)) == 0;
}

std::string head_bytes(std::string_view journal, std::uint64_t size, const Hash256& root,
                       const Hash256& last_hash) {
  std::string out = "imprimatur-head-v1\n";
  out.append(journal).append("\n").append(std::to_string(size)).append("\n");
  return out.append(to_hex(root)).append("\n").append(to_hex(last_hash)).append("\n");
}

}  // namespace imprimatur::journal
