// Whatever parses has one canonical form, which parses to the same form again.
#include "base/check.h"
#include "base/json.h"
#include "base/utf8.h"

#include <cstddef>
#include <cstdint>

#include <boost/json.hpp>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace imprimatur;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = parse_json(text, {.bytes = 1 << 20, .depth = 64, .values = 50'000});
  if (!parsed.ok()) {
    CHECK(!parsed.error().detail.empty());
    return 0;
  }
  const auto canonical = canonical_json(*parsed);
  if (!canonical.ok()) return 0;
  CHECK(!first_invalid_utf8(*canonical));
  const auto again = parse_json(*canonical);
  CHECK(again.ok());
  const auto twice = canonical_json(*again);
  CHECK(twice.ok() && *twice == *canonical);
  return 0;
}
