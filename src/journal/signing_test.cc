#include "journal/signing.h"

#include <gtest/gtest.h>

namespace imprimatur::journal {
namespace {

// RFC 8032 section 7.1, test 2.
TEST(Signing, KnownVector) {
  const Signer signer(*from_hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
  EXPECT_EQ(to_hex(signer.public_key()), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  EXPECT_EQ(to_hex(signer.sign("\x72")),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
}

TEST(Signing, EveryFlippedBitIsRefused) {
  const Signer signer(std::string(kSeedBytes, 'k'));
  const std::string message = head_bytes("org", 3, sha256("root"), sha256("last"));
  const std::string signature = signer.sign(message);
  ASSERT_TRUE(verify_signature(signer.public_key(), message, signature));
  const auto flip = [](std::string bytes, std::size_t bit) {
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << (bit % 8)));
    return bytes;
  };
  for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
    EXPECT_FALSE(verify_signature(signer.public_key(), message, flip(signature, bit)));
  }
  for (std::size_t bit = 0; bit < message.size() * 8; ++bit) {
    EXPECT_FALSE(verify_signature(signer.public_key(), flip(message, bit), signature));
  }
  EXPECT_FALSE(verify_signature(Signer(std::string(kSeedBytes, 'x')).public_key(), message, signature));
  EXPECT_FALSE(verify_signature("", message, signature));
  EXPECT_FALSE(verify_signature(signer.public_key(), message, signature + "x"));
}

TEST(Signing, HeadBytesArePinned) {
  EXPECT_EQ(head_bytes("prj_1", 42, Hash256{}, sha256("")),
            "imprimatur-head-v1\nprj_1\n42\n"
            "0000000000000000000000000000000000000000000000000000000000000000\n"
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\n");
}

}  // namespace
}  // namespace imprimatur::journal
