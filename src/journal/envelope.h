// DSSE: a signed statement in one JSON file, of which the signature covers type and bytes.
#pragma once

#include "base/result.h"
#include "journal/signing.h"

#include <string>
#include <string_view>

namespace imprimatur::journal {

inline constexpr std::string_view kInTotoPayload = "application/vnd.in-toto+json";
inline constexpr std::size_t kMaxEnvelopeBytes = 64 * 1024 * 1024;

// "DSSEv1 <length> <type> <length> <payload>": what is signed.
std::string pre_authentication_encoding(std::string_view type, std::string_view payload);

struct Envelope {
  std::string type;
  std::string payload;
  std::string key;        // digest of the public key that signed
  std::string signature;  // 64 bytes
  // Canonical JSON: {"payload","payloadType","signatures":[{"keyid","sig"}]}.
  std::string to_json() const;
};
Envelope enveloped(const Signer& signer, std::string_view type, std::string payload);
// With one signature, as this program writes it.
Result<Envelope> envelope_from_json(std::string_view text);
// Whether this key signed it.
bool signed_by(const Envelope& envelope, std::string_view public_key);

}  // namespace imprimatur::journal
