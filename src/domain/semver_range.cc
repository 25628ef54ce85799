// Ranges as npm's `semver` reads them, desugared into comparisons.
#include "base/check.h"
#include "base/trim.h"
#include "domain/semver.h"

#include <algorithm>
#include <optional>

namespace imprimatur {
namespace {

constexpr std::size_t kMaxRangeBytes = 256;

// "1.2" with what is left out, or an x, as nothing. What follows an x must be an x.
struct Partial {
  std::optional<std::int64_t> major, minor, patch;
  std::vector<std::string> prerelease;
  Semver floor() const { return {major.value_or(0), minor.value_or(0), patch.value_or(0), prerelease, {}}; }
};

bool is_x(std::string_view text) { return text == "x" || text == "X" || text == "*"; }

// Below every prerelease of the number, so that "<2.0.0-0" lets none of them in.
Semver below(std::int64_t major, std::int64_t minor, std::int64_t patch) {
  return {major, minor, patch, {"0"}, {}};
}

Error not_a_range(std::string_view text) {
  return invalid("\"" + std::string(text.substr(0, kMaxRangeBytes)) +
                 "\" is not a version range; write it like ^1.2, ~1.2.3, >=1.0 <2, 1.x or 1.2.3");
}

Result<Partial> parse_partial(std::string_view text) {
  const Error bad = not_a_range(text);
  std::string numbers[3];
  std::size_t at = 0, count = 0;
  bool seen_x = false;
  Partial out;
  for (;;) {
    const std::size_t end = std::min(text.find_first_of(".-+", at), text.size());
    const std::string_view part = text.substr(at, end - at);
    if (count == 3) return bad;
    std::optional<std::int64_t>& slot = count == 0 ? out.major : count == 1 ? out.minor : out.patch;
    if (is_x(part)) {
      seen_x = true;
    } else {
      const auto whole = parse_semver(std::string(part) + ".0.0");
      if (!whole.ok() || seen_x) return bad;
      slot = whole->major;
    }
    ++count;
    at = end;
    if (end == text.size() || text[end] != '.') break;
    ++at;
  }
  if (at < text.size()) {  // prerelease or build: only behind a full number
    if (!out.patch) return bad;
    const auto whole = parse_semver(text);
    if (!whole.ok()) return bad;
    out.prerelease = whole->prerelease;
  }
  return out;
}

struct Comparison {
  int sign;
  Semver version;
};

// Everything below the next step of `partial`; nothing when any version will do.
std::optional<Semver> end_of(const Partial& partial) {
  if (!partial.major) return std::nullopt;
  if (!partial.minor) return below(*partial.major + 1, 0, 0);
  if (!partial.patch) return below(*partial.major, *partial.minor + 1, 0);
  return std::nullopt;
}

const Comparison kAny{1, {0, 0, 0, {}, {}}};
const Comparison kNone{-2, {0, 0, 0, {"0"}, {}}};

std::vector<Comparison> caret(const Partial& partial) {
  if (!partial.major) return {kAny};
  const std::int64_t major = *partial.major, minor = partial.minor.value_or(0),
                     patch = partial.patch.value_or(0);
  const Comparison from{1, partial.floor()};
  if (major > 0 || !partial.minor) return {from, {-2, below(major + 1, 0, 0)}};
  if (minor > 0 || !partial.patch) return {from, {-2, below(0, minor + 1, 0)}};
  return {from, {-2, below(0, 0, patch + 1)}};
}

std::vector<Comparison> tilde(const Partial& partial) {
  if (!partial.major) return {kAny};
  const Comparison from{1, partial.floor()};
  if (!partial.minor) return {from, {-2, below(*partial.major + 1, 0, 0)}};
  return {from, {-2, below(*partial.major, *partial.minor + 1, 0)}};
}

std::vector<Comparison> equal(const Partial& partial) {
  if (!partial.major) return {kAny};
  if (partial.patch) return {{0, partial.floor()}};
  return {{1, partial.floor()}, {-2, *end_of(partial)}};
}

std::vector<Comparison> ordered(std::string_view sign, const Partial& partial) {
  const bool strict = sign == "<" || sign == ">";
  if (!partial.major) return {strict ? kNone : kAny};
  if (partial.patch) {
    const int size = strict ? 2 : 1;
    return {{sign[0] == '<' ? -size : size, partial.floor()}};
  }
  const Semver floor = partial.floor(), end = *end_of(partial);
  if (sign == ">=") return {{1, floor}};
  if (sign == "<") return {{-2, below(floor.major, floor.minor, 0)}};
  if (sign == ">") return {{1, {end.major, end.minor, 0, {}, {}}}};
  return {{-2, end}};
}

Result<std::vector<Comparison>> parse_simple(std::string_view sign, std::string_view version) {
  const Partial partial = TRY(parse_partial(version));
  if (sign == "^") return caret(partial);
  if (sign == "~") return tilde(partial);
  if (sign.empty() || sign == "=") return equal(partial);
  return ordered(sign, partial);
}

std::vector<Comparison> hyphen(const Partial& from, const Partial& to) {
  std::vector<Comparison> out{from.major ? Comparison{1, from.floor()} : kAny};
  if (!to.major) return out;
  const auto end = end_of(to);
  out.push_back(end ? Comparison{-2, *end} : Comparison{-1, to.floor()});
  return out;
}

// One alternative: a hyphen range, or comparisons that must all hold.
Result<std::vector<Comparison>> parse_alternative(std::string_view text) {
  if (const std::size_t dash = text.find(" - "); dash != std::string_view::npos) {
    const Partial from = TRY(parse_partial(trimmed(text.substr(0, dash))));
    const Partial to = TRY(parse_partial(trimmed(text.substr(dash + 3))));
    return hyphen(from, to);
  }
  std::vector<Comparison> out;
  std::string_view rest = trimmed(text);
  if (rest.empty()) out.push_back(kAny);
  while (!rest.empty()) {
    std::size_t sign_end = 0;
    if (rest.starts_with(">=") || rest.starts_with("<=")) {
      sign_end = 2;
    } else if (std::string_view("<>=^~").find(rest[0]) != std::string_view::npos) {
      sign_end = 1;
    }
    const std::string_view sign = rest.substr(0, sign_end);
    rest = trimmed(rest.substr(sign_end));
    const std::size_t end = std::min(rest.find_first_of(" \t"), rest.size());
    for (Comparison& one : TRY(parse_simple(sign, rest.substr(0, end)))) out.push_back(std::move(one));
    rest = trimmed(rest.substr(end));
  }
  return out;
}

}  // namespace

Result<SemverRange> SemverRange::parse(std::string_view text) {
  if (text.size() > kMaxRangeBytes) return not_a_range(text);
  SemverRange range;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find("||", begin), text.size());
    std::vector<Bound> all;
    for (Comparison& one : TRY(parse_alternative(text.substr(begin, end - begin)))) {
      all.push_back({one.sign, std::move(one.version)});
    }
    range.any_of_.push_back(std::move(all));
    begin = end + 2;
  }
  return range;
}

bool SemverRange::contains(const Semver& version) const {
  const auto holds = [&](const Bound& bound) {
    const auto order = compare(version, bound.version);
    switch (bound.sign) {
      case -2: return order < 0;
      case -1: return order <= 0;
      case 0: return order == 0;
      case 1: return order >= 0;
      case 2: return order > 0;
    }
    CHECK(false, "unknown sign");
  };
  // Somebody who asks for 1.2 has not asked for the beta of 1.3: a prerelease matches only where the range
  // names a prerelease of the very same number.
  const auto invited = [&](const Bound& bound) {
    return !bound.version.prerelease.empty() && bound.version.major == version.major &&
           bound.version.minor == version.minor && bound.version.patch == version.patch;
  };
  return std::any_of(any_of_.begin(), any_of_.end(), [&](const std::vector<Bound>& all) {
    return std::all_of(all.begin(), all.end(), holds) &&
           (version.prerelease.empty() || std::any_of(all.begin(), all.end(), invited));
  });
}

}  // namespace imprimatur
