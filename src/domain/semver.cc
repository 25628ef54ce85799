#include "domain/semver.h"

#include "base/check.h"

#include <algorithm>
#include <charconv>

namespace imprimatur {
namespace {

constexpr std::size_t kMaxSemverBytes = 128;
constexpr std::int64_t kMaxNumber = 9'007'199'254'740'991;  // 2^53 - 1, so that every reader can hold it

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool is_identifier(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
}

std::optional<std::int64_t> number(std::string_view text) {
  if (!all_digits(text) || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value > kMaxNumber) return std::nullopt;
  return value;
}

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> out;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(by, begin), text.size());
    out.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

Error not_semver(std::string_view text) {
  return invalid("\"" + std::string(text.substr(0, kMaxSemverBytes)) +
                 "\" is not a semantic version; write it like 1.2.3 or 1.2.3-beta.1");
}

std::strong_ordering compare_identifiers(std::string_view a, std::string_view b) {
  const bool number_a = all_digits(a), number_b = all_digits(b);
  if (number_a != number_b) return number_a ? std::strong_ordering::less : std::strong_ordering::greater;
  // Without leading zeros the longer number is the greater one.
  if (number_a && a.size() != b.size()) return a.size() <=> b.size();
  return a.compare(b) <=> 0;
}

}  // namespace

Result<Semver> parse_semver(std::string_view text) {
  const Error bad = not_semver(text);
  if (text.size() > kMaxSemverBytes) return bad;
  Semver out;
  std::string_view rest = text;
  if (const std::size_t plus = rest.find('+'); plus != std::string_view::npos) {
    for (const std::string_view part : split(rest.substr(plus + 1), '.')) {
      if (!is_identifier(part)) return bad;
    }
    out.build = rest.substr(plus + 1);
    rest = rest.substr(0, plus);
  }
  if (const std::size_t dash = rest.find('-'); dash != std::string_view::npos) {
    for (const std::string_view part : split(rest.substr(dash + 1), '.')) {
      if (!is_identifier(part) || (all_digits(part) && part.size() > 1 && part[0] == '0')) return bad;
      out.prerelease.emplace_back(part);
    }
    rest = rest.substr(0, dash);
  }
  const auto core = split(rest, '.');
  if (core.size() != 3) return bad;
  const auto major = number(core[0]), minor = number(core[1]), patch = number(core[2]);
  if (!major || !minor || !patch) return bad;
  out.major = *major;
  out.minor = *minor;
  out.patch = *patch;
  return out;
}

Result<Semver> requested_semver(std::string_view text) {
  Semver out = TRY(parse_semver(text));
  if (std::max({out.major, out.minor, out.patch}) > kMaxRequestedNumber) {
    return invalid("\"" + std::string(text) + "\" holds a number above " +
                   std::to_string(kMaxRequestedNumber) + ", which leaves too little room for what follows");
  }
  return out;
}

std::string to_text(const Semver& version) {
  std::string out = std::to_string(version.major) + "." + std::to_string(version.minor) + "." +
                    std::to_string(version.patch);
  char separator = '-';
  for (const std::string& part : version.prerelease) {
    out += separator + part;
    separator = '.';
  }
  if (!version.build.empty()) out += "+" + version.build;
  return out;
}

std::strong_ordering compare(const Semver& a, const Semver& b) {
  if (const auto order = a.major <=> b.major; order != 0) return order;
  if (const auto order = a.minor <=> b.minor; order != 0) return order;
  if (const auto order = a.patch <=> b.patch; order != 0) return order;
  // A version without a prerelease stands behind all of its own.
  if (a.prerelease.empty() || b.prerelease.empty()) return a.prerelease.empty() <=> b.prerelease.empty();
  const std::size_t both = std::min(a.prerelease.size(), b.prerelease.size());
  for (std::size_t i = 0; i < both; ++i) {
    if (const auto order = compare_identifiers(a.prerelease[i], b.prerelease[i]); order != 0) return order;
  }
  return a.prerelease.size() <=> b.prerelease.size();
}

std::string_view name_of(Bump bump) {
  switch (bump) {
    case Bump::none: return "none";
    case Bump::patch: return "patch";
    case Bump::minor: return "minor";
    case Bump::major: return "major";
  }
  CHECK(false, "unknown bump");
}

namespace {

Bump variables_bump(const std::vector<Variable>& before, const std::vector<Variable>& after) {
  Bump bump = Bump::none;
  const auto named = [](const std::vector<Variable>& all, const std::string& name) -> const Variable* {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const Variable& v) { return v.name == name; });
    return found == all.end() ? nullptr : &*found;
  };
  for (const Variable& old : before) {
    const Variable* kept = named(after, old.name);
    if (kept == nullptr || kept->type != old.type || (kept->required && !old.required)) return Bump::major;
    if (kept->required != old.required) bump = std::max(bump, Bump::minor);
  }
  for (const Variable& added : after) {
    if (named(before, added.name) != nullptr) continue;
    if (added.required) return Bump::major;
    bump = std::max(bump, Bump::minor);
  }
  if (before != after) bump = std::max(bump, Bump::patch);
  return bump;
}

// The step that was taken from `before` to `after`. A step within the prereleases of one number, or to that
// number itself, is worth what the number is worth: 2.0.0-beta.2 to 2.0.0 is still part of a major step.
Bump step(const Semver& before, const Semver& after) {
  if (after.major != before.major) return Bump::major;
  if (after.minor != before.minor) return Bump::minor;
  if (after.patch != before.patch || before.prerelease.empty()) return Bump::patch;
  if (before.patch != 0) return Bump::patch;
  return before.minor != 0 ? Bump::minor : Bump::major;
}

}  // namespace

Bump required_bump(const Content& before, const Content& after) {
  if (before.kind != after.kind || before.type != after.type) return Bump::major;
  Bump bump = variables_bump(before.variables, after.variables);
  const bool said_otherwise = before.text != after.text || before.messages != after.messages ||
                              before.tools != after.tools || before.output_schema != after.output_schema ||
                              before.layers != after.layers || before.lock != after.lock;
  if (said_otherwise) bump = std::max(bump, Bump::minor);
  const bool metadata =
      before.model != after.model || before.config != after.config || before.name != after.name;
  if (metadata) bump = std::max(bump, Bump::patch);
  return bump;
}

Semver bumped(const Semver& version, Bump bump) {
  // What a prerelease announces is its own next step, when it is large enough.
  const bool announced = !version.prerelease.empty();
  Semver out{version.major, version.minor, version.patch, {}, {}};
  switch (bump) {
    case Bump::none: return version;
    case Bump::patch:
      if (!announced) ++out.patch;
      return out;
    case Bump::minor:
      if (!announced || out.patch != 0) ++out.minor;
      out.patch = 0;
      return out;
    case Bump::major:
      if (!announced || out.minor != 0 || out.patch != 0) ++out.major;
      out.minor = out.patch = 0;
      return out;
  }
  CHECK(false, "unknown bump");
}

Result<std::string> next_semver(const Content& before, const Content& after, std::string_view wanted,
                                Bump at_least) {
  const Semver old = TRY(parse_semver(before.semver));
  const Bump needed = std::max(required_bump(before, after), at_least);
  const Semver suggested = bumped(old, std::max(needed, Bump::patch));
  if (wanted.empty()) {
    TRY(parse_semver(to_text(suggested)));  // a number may have left its range
    return to_text(suggested);
  }
  const Semver chosen = TRY(requested_semver(wanted));
  const std::string hint = "; " + to_text(suggested) + " would do";
  if (compare(chosen, old) <= 0) {
    const std::string why = "semver " + std::string(wanted) + " is not above " + before.semver + hint;
    return unprocessable(why, {why});
  }
  if (step(old, chosen) < needed) {
    const std::string why = "this change is " + std::string(name_of(needed)) + ", and " +
                            std::string(wanted) + " is a smaller step from " + before.semver + hint;
    return unprocessable(why, {why});
  }
  return std::string(wanted);
}

}  // namespace imprimatur
