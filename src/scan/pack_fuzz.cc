// Any bytes as a rule pack: refused with a message, or compiled.
#include "base/check.h"
#include "scan/ruleset.h"

#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace imprimatur::scan;
  const std::vector<PackSource> packs = {
      {"fuzz.yaml", std::string(reinterpret_cast<const char*>(data), size)}};
  const auto rules = Ruleset::compile(packs);
  CHECK(rules.ok() || !rules.error().detail.empty());
  return 0;
}
