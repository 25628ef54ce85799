// Session tokens and API keys: how they are made, what of them is stored, and how they are recognised.
#pragma once

#include "base/hash.h"

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>

namespace imprimatur::identity {

// 256 random bits in base64url behind a prefix that says what it is; a key ends with a checksum, so that a
// mistyped one is refused without looking it up and a scanner can tell one from noise.
inline constexpr std::string_view kSessionPrefix = "ims_";
inline constexpr std::string_view kKeyPrefix = "imp_";
inline constexpr std::size_t kSecretBytes = 32;
inline constexpr std::size_t kSecretCharacters = 43;
inline constexpr std::size_t kChecksumBytes = 3;
inline constexpr std::size_t kChecksumCharacters = 4;

std::string new_session_token();
std::string new_api_key();
bool looks_like_session_token(std::string_view text);
bool looks_like_api_key(std::string_view text);  // checksum included
// What a person may see of a key: "imp_…x9f2".
std::string hint_of_key(std::string_view key);

// Keyed hashes under the server's secret, each use with its own label, so that a stolen database holds
// nothing that signs in, and guesses of e-mails cannot be checked against it.
class Seals {
 public:
  // Precondition: at least 32 bytes.
  explicit Seals(std::string server_secret);

  std::string of_session(std::string_view token) const { return seal("session", token); }
  std::string of_key(std::string_view key) const { return seal("key", key); }
  std::string of_account(std::string_view email) const { return seal("account", email); }
  // Of the parts of a request, so that a repetition is recognised without keeping what it held.
  std::string of_request(std::initializer_list<std::string_view> parts) const;
  std::string of_old_password(std::string_view person) const { return seal("old-password", person); }
  // The CSRF token of a session follows from its token: whoever cannot read the cookie cannot make it.
  std::string csrf_of(std::string_view session_token) const { return seal("csrf", session_token); }
  bool csrf_fits(std::string_view session_token, std::string_view csrf) const;

 private:
  std::string seal(std::string_view label, std::string_view text) const;  // lower-case hex
  std::string secret_;
};

}  // namespace imprimatur::identity
