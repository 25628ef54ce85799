#include "base/hash.h"

#include "base/check.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

namespace imprimatur {
namespace {

const unsigned char* data_of(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kCrockford = "0123456789abcdefghjkmnpqrstvwxyz";

// Looked up once: EVP_sha256() would be looked up anew by every digest.
const EVP_MD* sha256_method() {
  static const EVP_MD* const method = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  CHECK(method != nullptr);
  return method;
}

std::string encode64(std::string_view bytes, std::string_view alphabet, bool pad) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  std::uint32_t window = 0;
  int bits = 0;
  for (const char c : bytes) {
    window = (window << 8) | static_cast<std::uint8_t>(c);
    bits += 8;
    for (; bits >= 6; bits -= 6) out.push_back(alphabet[(window >> (bits - 6)) & 63]);
  }
  if (bits > 0) out.push_back(alphabet[(window << (6 - bits)) & 63]);
  while (pad && out.size() % 4 != 0) out.push_back('=');
  return out;
}

// Strict: the one spelling that encode64 gives, nothing else.
std::optional<std::string> decode64(std::string_view text, std::string_view alphabet, bool pad) {
  std::string_view body = text;
  if (pad) {
    if (text.size() % 4 != 0) return std::nullopt;
    while (!body.empty() && body.back() == '=' && text.size() - body.size() < 2) body.remove_suffix(1);
  }
  std::string out;
  out.reserve(body.size() * 3 / 4);
  std::uint32_t window = 0;
  int bits = 0;
  for (const char c : body) {
    const std::size_t value = alphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    window = (window << 6) | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out.push_back(static_cast<char>((window >> bits) & 255));
    }
  }
  if (encode64(out, alphabet, pad) != text) return std::nullopt;
  return out;
}

}  // namespace

Hash256 sha256(std::string_view bytes) {
  Hash256 out;
  CHECK(EVP_Digest(bytes.data(), bytes.size(), out.data(), nullptr, sha256_method(), nullptr) == 1);
  return out;
}

Hash256 hmac_sha256(std::string_view key, std::string_view bytes) {
  Hash256 out;
  unsigned int size = 0;
  CHECK(HMAC(sha256_method(), key.data(), static_cast<int>(key.size()), data_of(bytes), bytes.size(),
             out.data(), &size) != nullptr);
  return out;
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  CHECK(EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), sha256_method(), nullptr) == 1);
}

Sha256::~Sha256() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_)); }

Sha256& Sha256::add(std::string_view bytes) {
  CHECK(EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), bytes.data(), bytes.size()) == 1);
  return *this;
}

Hash256 Sha256::finish() {
  Hash256 out;
  unsigned int size = 0;
  CHECK(EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), out.data(), &size) == 1);
  return out;
}

std::string_view bytes_of(const Hash256& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out(bytes.size() * 2, '0');
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    out[2 * i] = kDigits[static_cast<std::uint8_t>(bytes[i]) >> 4];
    out[2 * i + 1] = kDigits[static_cast<std::uint8_t>(bytes[i]) & 15];
  }
  return out;
}

std::string to_hex(const Hash256& hash) { return to_hex(bytes_of(hash)); }

std::optional<std::string> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]), low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    out.push_back(static_cast<char>(high * 16 + low));
  }
  return out;
}

std::optional<Hash256> hash_from_hex(std::string_view text) {
  const auto bytes = from_hex(text);
  Hash256 out;
  if (!bytes || bytes->size() != out.size()) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return out;
}

std::string to_base64(std::string_view bytes) { return encode64(bytes, kBase64, true); }

std::optional<std::string> from_base64(std::string_view text) { return decode64(text, kBase64, true); }

std::string to_base64url(std::string_view bytes) { return encode64(bytes, kBase64Url, false); }

std::optional<std::string> from_base64url(std::string_view text) { return decode64(text, kBase64Url, false); }

bool equal_secrets(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string random_bytes(std::size_t count) {
  std::string out(count, '\0');
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(out.data()), static_cast<int>(count)) == 1);
  return out;
}

std::string new_id(std::string_view prefix, std::int64_t unix_millis) {
  std::string bytes = random_bytes(16);
  for (int i = 0; i < 6; ++i)
    bytes[static_cast<std::size_t>(i)] = static_cast<char>(unix_millis >> (40 - 8 * i));
  bytes[6] = static_cast<char>((bytes[6] & 0x0F) | 0x70);
  bytes[8] = static_cast<char>((bytes[8] & 0x3F) | 0x80);
  std::string out(prefix);
  out.push_back('_');
  std::uint32_t window = 0;
  int bits = 2;  // 130 bits in 26 characters: two leading zeros
  for (const char c : bytes) {
    window = (window << 8) | static_cast<std::uint8_t>(c);
    bits += 8;
    for (; bits >= 5; bits -= 5) out.push_back(kCrockford[(window >> (bits - 5)) & 31]);
  }
  return out;
}

}  // namespace imprimatur
