#include "journal/envelope.h"

#include "base/json.h"
#include "journal/verifier.h"

#include <boost/json.hpp>

namespace imprimatur::journal {
namespace {

namespace json = boost::json;

Result<std::string> text_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr || !value->is_string()) return invalid_field(std::string(name), "must be a string");
  return std::string(value->get_string());
}

Result<std::string> bytes_of(const json::object& object, std::string_view name) {
  auto bytes = from_base64(TRY(text_of(object, name)));
  if (!bytes) return invalid_field(std::string(name), "must be base64");
  return *std::move(bytes);
}

}  // namespace

std::string pre_authentication_encoding(std::string_view type, std::string_view payload) {
  std::string out = "DSSEv1 " + std::to_string(type.size()) + " ";
  out.append(type).append(" ").append(std::to_string(payload.size())).append(" ");
  return out.append(payload);
}

std::string Envelope::to_json() const {
  const json::object by = {{"keyid", key}, {"sig", to_base64(signature)}};
  const json::object whole = {
      {"payload", to_base64(payload)}, {"payloadType", type}, {"signatures", json::array{by}}};
  return canonical_json(whole).value();
}

Envelope enveloped(const Signer& signer, std::string_view type, std::string payload) {
  std::string signature = signer.sign(pre_authentication_encoding(type, payload));
  return {std::string(type), std::move(payload), key_digest(signer.public_key()), std::move(signature)};
}

Result<Envelope> envelope_from_json(std::string_view text) {
  const json::value parsed = TRY(parse_json(text, {.bytes = kMaxEnvelopeBytes}));
  if (!parsed.is_object()) return invalid("an envelope is an object");
  const json::object& object = parsed.get_object();
  Envelope out;
  out.type = TRY(text_of(object, "payloadType"));
  out.payload = TRY(bytes_of(object, "payload"));
  const json::value* signatures = object.if_contains("signatures");
  if (signatures == nullptr || !signatures->is_array() || signatures->get_array().size() != 1 ||
      !signatures->get_array()[0].is_object()) {
    return invalid_field("signatures", "must be a list of one signature");
  }
  const json::object& by = signatures->get_array()[0].get_object();
  out.key = TRY(text_of(by, "keyid"));
  out.signature = TRY(bytes_of(by, "sig"));
  return out;
}

bool signed_by(const Envelope& envelope, std::string_view public_key) {
  return verify_signature(public_key, pre_authentication_encoding(envelope.type, envelope.payload),
                          envelope.signature);
}

}  // namespace imprimatur::journal
