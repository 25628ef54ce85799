#include "journal/envelope.h"

#include "journal/verifier.h"

#include <gtest/gtest.h>

namespace imprimatur::journal {
namespace {

const Signer& signer() {
  static const Signer held(std::string(kSeedBytes, 's'));
  return held;
}

// The example of the DSSE specification.
TEST(Envelope, TheEncodingIsTheOneOfTheSpecification) {
  EXPECT_EQ(pre_authentication_encoding("http://example.com/HelloWorld", "hello world"),
            "DSSEv1 29 http://example.com/HelloWorld 11 hello world");
}

TEST(Envelope, SurvivesItsText) {
  const Envelope made = enveloped(signer(), kInTotoPayload, R"({"a":"\u00e4"})");
  EXPECT_TRUE(made.to_json().starts_with(R"({"payload":"eyJhIjoiXHUwMGU0In0=","payloadType":"application/)"));
  const Envelope read = envelope_from_json(made.to_json()).value();
  EXPECT_EQ(read.type, kInTotoPayload);
  EXPECT_EQ(read.payload, made.payload);
  EXPECT_EQ(read.key, key_digest(signer().public_key()));
  EXPECT_TRUE(signed_by(read, signer().public_key()));
}

TEST(Envelope, TypeAndBytesAreSigned) {
  const Envelope good = enveloped(signer(), kInTotoPayload, "{}");
  const auto altered = [&](auto change) {
    Envelope envelope = good;
    change(envelope);
    return signed_by(envelope, signer().public_key());
  };
  EXPECT_TRUE(altered([](Envelope&) {}));
  EXPECT_FALSE(altered([](Envelope& e) { e.payload += " "; }));
  EXPECT_FALSE(altered([](Envelope& e) { e.type += "x"; }));
  EXPECT_FALSE(altered([](Envelope& e) { e.signature[5] = static_cast<char>(e.signature[5] ^ 1); }));
  EXPECT_FALSE(altered([](Envelope& e) { e.signature.clear(); }));
  EXPECT_FALSE(signed_by(good, Signer(std::string(kSeedBytes, 'x')).public_key()));
}

TEST(Envelope, WhatIsNoneIsRefused) {
  const std::string good = enveloped(signer(), kInTotoPayload, "{}").to_json();
  ASSERT_TRUE(envelope_from_json(good).ok());
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    text.replace(text.find(from), from.size(), to);
    return text;
  };
  for (const std::string& bad :
       {std::string("[]"), std::string("{}"), with("\"payload\"", "\"pay\""), with("e30=", "e3!"),
        with("\"signatures\":[", "\"signatures\":[{\"keyid\":\"\",\"sig\":\"\"},"), with("\"sig\"", "\"s\""),
        with("\"signatures\"", "\"s\"")}) {
    EXPECT_FALSE(envelope_from_json(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace imprimatur::journal
