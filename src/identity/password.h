// Passwords of people: Argon2id, in turns, so that a flood of sign-ins costs bounded memory.
#pragma once

#include "base/result.h"
#include "base/sync.h"

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace imprimatur::identity {

inline constexpr std::size_t kMinPasswordCharacters = 8;
inline constexpr std::size_t kMaxPasswordBytes = 1024;
inline constexpr int kConcurrentHashes = 2;  // each holds PasswordCost::memory_bytes while it runs
// More are refused at once as unavailable: who waits holds a worker, and sign-ins hold at most half of them.
inline constexpr int kWaitingHashes = 2;

struct PasswordCost {
  std::uint64_t operations = 0;
  std::size_t memory_bytes = 0;
};
// libsodium's "interactive": 2 passes over 64 MiB.
PasswordCost interactive_cost();
// The least that Argon2id takes. For tests and for nothing else.
PasswordCost least_cost();

// A new password's rule: its length. Nothing about its characters (NIST SP 800-63B).
Status check_new_password(std::string_view field, std::string_view password);

// Safe from any thread.
class PasswordHasher {
 public:
  explicit PasswordHasher(PasswordCost cost = interactive_cost());
  PasswordHasher(const PasswordHasher&) = delete;
  PasswordHasher& operator=(const PasswordHasher&) = delete;

  // The right to hash, held while it lives. Whoever decides on a sign-in keeps it until the decision is
  // stored, so at most kConcurrentHashes attempts can pass a throttle that the next one would have closed.
  class Turn {
   public:
    explicit Turn(PasswordHasher& hasher) : hasher_(&hasher) {}
    Turn(Turn&& other) noexcept : hasher_(std::exchange(other.hasher_, nullptr)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (hasher_) hasher_->leave();
    }

   private:
    PasswordHasher* hasher_;
  };
  Result<Turn> turn();

  std::string hash(const Turn& turn, std::string_view password) const;
  bool verify(const Turn& turn, std::string_view password, const std::string& encoded) const;
  // The work of verify() for an account that is not there, so that time tells nothing. Always false.
  bool verify_nobody(const Turn& turn, std::string_view password) const;

  // How often each was done; tests compare them instead of times.
  std::uint64_t verified() const { return verified_.load(); }
  std::uint64_t verified_nobody() const { return verified_nobody_.load(); }

 private:
  struct Queue {
    int running = 0;
    int waiting = 0;
  };
  void leave();

  PasswordCost cost_;
  std::string nobody_;  // the hash of a random password
  Sync<Queue> queue_;
  std::condition_variable free_;
  mutable std::atomic<std::uint64_t> verified_{0}, verified_nobody_{0};
};

}  // namespace imprimatur::identity
