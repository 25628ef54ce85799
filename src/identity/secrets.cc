#include "identity/secrets.h"

#include "base/check.h"

namespace imprimatur::identity {
namespace {

bool all_base64url(std::string_view text) {
  for (const char c : text) {
    const bool fits =
        (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (!fits) return false;
  }
  return true;
}

std::string checksum_of(std::string_view body) {
  return to_base64url(bytes_of(sha256(body)).substr(0, kChecksumBytes));
}

}  // namespace

std::string new_session_token() {
  return std::string(kSessionPrefix) + to_base64url(random_bytes(kSecretBytes));
}

std::string new_api_key() {
  std::string key = std::string(kKeyPrefix) + to_base64url(random_bytes(kSecretBytes));
  return key + checksum_of(key);
}

bool looks_like_session_token(std::string_view text) {
  return text.size() == kSessionPrefix.size() + kSecretCharacters && text.starts_with(kSessionPrefix) &&
         all_base64url(text);
}

bool looks_like_api_key(std::string_view text) {
  const std::size_t body = kKeyPrefix.size() + kSecretCharacters;
  return text.size() == body + kChecksumCharacters && text.starts_with(kKeyPrefix) && all_base64url(text) &&
         checksum_of(text.substr(0, body)) == text.substr(body);
}

std::string hint_of_key(std::string_view key) {
  return std::string(kKeyPrefix) + "…" + std::string(key.substr(key.size() - kChecksumCharacters));
}

Seals::Seals(std::string server_secret) : secret_(std::move(server_secret)) {
  CHECK(secret_.size() >= 32, "a server secret of less than 32 bytes");
}

bool Seals::csrf_fits(std::string_view session_token, std::string_view csrf) const {
  return equal_secrets(csrf_of(session_token), csrf);
}

std::string Seals::of_request(std::initializer_list<std::string_view> parts) const {
  std::string text;
  for (const std::string_view part : parts) text += std::to_string(part.size()) + ":" + std::string(part);
  return seal("request", text);
}

std::string Seals::seal(std::string_view label, std::string_view text) const {
  std::string labelled = "imprimatur-" + std::string(label) + "-v1\n";
  labelled += text;
  return to_hex(hmac_sha256(secret_, labelled));
}

}  // namespace imprimatur::identity
