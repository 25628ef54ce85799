#include "journal/commitment.h"

#include "base/check.h"
#include "base/hash.h"

namespace imprimatur::journal {
namespace {

constexpr std::size_t kSaltBytes = 16;

}  // namespace

std::string new_salt() { return to_hex(random_bytes(kSaltBytes)); }

std::string commitment(std::string_view salt, std::string_view text) {
  CHECK(!salt.empty(), "a commitment without a salt");
  return "sha256:" +
         to_hex(Sha256().add("imprimatur-commitment-v1\n").add(salt).add("\n").add(text).finish());
}

// Neither an e-mail nor a display name holds a line feed.
std::string person_text(std::string_view email, std::string_view display_name) {
  return std::string(email).append("\n").append(display_name);
}

}  // namespace imprimatur::journal
