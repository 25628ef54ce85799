// Digests, keyed hashes, encodings of bytes, and randomness.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace imprimatur {

using Hash256 = std::array<std::uint8_t, 32>;

Hash256 sha256(std::string_view bytes);
Hash256 hmac_sha256(std::string_view key, std::string_view bytes);

// Incremental SHA-256 for input that does not stand in one piece.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  Sha256& add(std::string_view bytes);
  Hash256 finish();

 private:
  void* context_;
};

std::string_view bytes_of(const Hash256& hash);
std::string to_hex(std::string_view bytes);
std::string to_hex(const Hash256& hash);
std::optional<std::string> from_hex(std::string_view text);
std::optional<Hash256> hash_from_hex(std::string_view text);

std::string to_base64(std::string_view bytes);
std::optional<std::string> from_base64(std::string_view text);
// URL-safe alphabet, no padding.
std::string to_base64url(std::string_view bytes);
std::optional<std::string> from_base64url(std::string_view text);

// Equal in constant time for equal lengths.
bool equal_secrets(std::string_view a, std::string_view b);

// From the operating system's generator. Aborts when it fails.
std::string random_bytes(std::size_t count);

// 128 bits, time-ordered (RFC 9562 version 7), 26 characters of Crockford base 32 in lower case behind
// `prefix` and '_': "rev_01j9...". Ids sort by the millisecond they were made in.
std::string new_id(std::string_view prefix, std::int64_t unix_millis);

}  // namespace imprimatur
