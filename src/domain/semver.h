// Semantic versions 2.0.0: order, ranges, and the bump that a change asks for.
#pragma once

#include "base/result.h"
#include "domain/content.h"

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur {

struct Semver {
  std::int64_t major = 0, minor = 0, patch = 0;
  std::vector<std::string> prerelease;
  std::string build;  // does not take part in the order
};

Result<Semver> parse_semver(std::string_view text);
// What somebody asks for: each number leaves room for more steps than will ever be taken.
inline constexpr std::int64_t kMaxRequestedNumber = 999'999;
Result<Semver> requested_semver(std::string_view text);
std::string to_text(const Semver& version);
std::strong_ordering compare(const Semver& a, const Semver& b);

// Ranges as npm writes them: exact, ^, ~, >= <= > <, x-ranges, "a - b", space for and, "||" for or.
class SemverRange {
 public:
  static Result<SemverRange> parse(std::string_view text);
  bool contains(const Semver& version) const;

 private:
  struct Bound {
    int sign = 0;  // -2 <, -1 <=, 0 =, 1 >=, 2 >
    Semver version;
  };
  std::vector<std::vector<Bound>> any_of_;
};

enum class Bump { none, patch, minor, major };
std::string_view name_of(Bump bump);

// major: a variable removed, newly required or retyped, or the type changed; minor: a variable added that is
// optional, or text, messages, tools, output schema, layers or lock changed; patch: metadata (model, config,
// descriptions, defaults); none: nothing that the digest covers besides semver.
Bump required_bump(const Content& before, const Content& after);
Semver bumped(const Semver& version, Bump bump);

// The semver of a new version: `wanted` when given (refused when it is a smaller step than required_bump
// asks, or than `at_least`, or not above `before`), else the suggested one (a patch when nothing changed).
Result<std::string> next_semver(const Content& before, const Content& after, std::string_view wanted,
                                Bump at_least = Bump::none);

}  // namespace imprimatur
