#include "identity/password.h"

#include "base/hash.h"

#include <algorithm>
#include <array>
#include <new>

#include <sodium.h>

namespace imprimatur::identity {
namespace {

std::string encoded_hash(const PasswordCost& cost, std::string_view password) {
  std::array<char, crypto_pwhash_STRBYTES> encoded{};
  const int failed = crypto_pwhash_str_alg(encoded.data(), password.data(), password.size(), cost.operations,
                                           cost.memory_bytes, crypto_pwhash_ALG_ARGON2ID13);
  if (failed != 0) throw std::bad_alloc();
  return std::string(encoded.data());
}

std::size_t characters_in(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::count_if(utf8.begin(), utf8.end(), [](unsigned char byte) { return (byte & 0xC0) != 0x80; }));
}

}  // namespace

PasswordCost interactive_cost() {
  return {crypto_pwhash_OPSLIMIT_INTERACTIVE, crypto_pwhash_MEMLIMIT_INTERACTIVE};
}

PasswordCost least_cost() { return {crypto_pwhash_OPSLIMIT_MIN, crypto_pwhash_MEMLIMIT_MIN}; }

Status check_new_password(std::string_view field, std::string_view password) {
  if (characters_in(password) < kMinPasswordCharacters)
    return invalid_field(std::string(field),
                         "must have at least " + std::to_string(kMinPasswordCharacters) + " characters");
  if (password.size() > kMaxPasswordBytes)
    return invalid_field(std::string(field),
                         "must have at most " + std::to_string(kMaxPasswordBytes) + " bytes");
  return Ok{};
}

PasswordHasher::PasswordHasher(PasswordCost cost) : cost_(cost) {
  CHECK(sodium_init() >= 0, "libsodium does not start");
  nobody_ = encoded_hash(cost_, random_bytes(32));
}

Result<PasswordHasher::Turn> PasswordHasher::turn() {
  auto queue = queue_.lock();
  if (queue->running >= kConcurrentHashes) {
    if (queue->waiting >= kWaitingHashes)
      return unavailable("Too many sign-ins at once; try again in a moment.");
    ++queue->waiting;
    free_.wait(queue.raw(), [&] { return queue->running < kConcurrentHashes; });
    --queue->waiting;
  }
  ++queue->running;
  return Turn(*this);
}

void PasswordHasher::leave() {
  {
    auto queue = queue_.lock();
    --queue->running;
  }
  free_.notify_one();
}

std::string PasswordHasher::hash(const Turn&, std::string_view password) const {
  return encoded_hash(cost_, password);
}

bool PasswordHasher::verify(const Turn&, std::string_view password, const std::string& encoded) const {
  verified_.fetch_add(1);
  return crypto_pwhash_str_verify(encoded.c_str(), password.data(), password.size()) == 0;
}

bool PasswordHasher::verify_nobody(const Turn&, std::string_view password) const {
  verified_nobody_.fetch_add(1);
  const int differs = crypto_pwhash_str_verify(nobody_.c_str(), password.data(), password.size());
  return differs == 0 && false;  // whatever it says: nobody signs in here
}

}  // namespace imprimatur::identity
