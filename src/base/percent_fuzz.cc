// Whatever decodes must survive encoding and decoding again, and hold no control character.
#include "base/check.h"
#include "base/percent.h"
#include "base/utf8.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace imprimatur;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const Plus plus : {Plus::literal, Plus::space}) {
    const auto decoded = percent_decode(text, plus);
    if (!decoded) continue;
    CHECK(!first_invalid_utf8(*decoded));
    for (const char c : *decoded) CHECK(static_cast<unsigned char>(c) >= 0x20 && c != 0x7F);
    CHECK(percent_decode(percent_encode(*decoded), plus) == decoded);
  }
  const auto target = parse_target(text);
  if (target.ok()) {
    CHECK(!target->segments.empty());
    for (const auto& segment : target->segments) CHECK(segment != "." && segment != "..");
  }
  return 0;
}
