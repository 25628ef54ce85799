#include "delivery/snapshot.h"

#include "domain/semver.h"

#include <algorithm>
#include <charconv>
#include <functional>

namespace imprimatur::delivery {
namespace {

constexpr std::string_view kLatest = "latest";

Found found(const Entry& entry, std::size_t index, Reason reason) {
  return {.answer = &entry.versions[index], .reason = reason};
}

Found by_number(const Entry& entry, std::int64_t number, Reason reason) {
  for (std::size_t i = 0; i < entry.versions.size(); ++i) {
    if (entry.versions[i]->number() == number) return found(entry, i, reason);
  }
  return {.miss = Miss::no_such_version};
}

Found by_range(const Entry& entry, std::string_view text) {
  const auto range = SemverRange::parse(text);
  if (!range.ok()) return {.miss = Miss::bad_version};
  std::optional<std::size_t> best;
  Semver best_version;
  for (std::size_t i = 0; i < entry.versions.size(); ++i) {
    auto version = parse_semver(entry.versions[i]->semver());
    if (!version.ok() || !range->contains(*version)) continue;
    if (best && compare(*version, best_version) < 0) continue;  // equal: the later number
    best = i;
    best_version = std::move(version).value();
  }
  if (!best) return {.miss = Miss::no_such_version};
  return found(entry, *best, Reason::version);
}

}  // namespace

bool Key::may(Scope scope) const { return std::find(scopes.begin(), scopes.end(), scope) != scopes.end(); }

std::optional<EnvironmentIndex> Directory::find(std::string_view project_id,
                                                std::string_view environment) const {
  const auto project = projects.find(project_id);
  if (project == projects.end()) return std::nullopt;
  for (const auto& [name, index] : project->second.environments) {
    if (name == environment) return index;
  }
  return std::nullopt;
}

const Key* Snapshot::key(std::string_view hash) const {
  const auto* item =
      keys.find(std::hash<std::string_view>()(hash), [&](const Key& each) { return each.hash == hash; });
  return item == nullptr ? nullptr : item->get();
}

const Entry* Snapshot::entry(EnvironmentIndex environment, std::string_view name) const {
  const auto* item = entries.find(hash_of(environment, name), [&](const Entry& each) {
    return each.environment == environment && each.versions.front()->name() == name;
  });
  return item == nullptr ? nullptr : item->get();
}

Found Snapshot::find(EnvironmentIndex environment, std::string_view name, const Selection& selection) const {
  const Entry* const here = entry(environment, name);
  const auto live = [&](const Entry& each, Reason reason) {
    return each.live < 0 ? Found{} : found(each, static_cast<std::size_t>(each.live), reason);
  };
  if (!selection.version.empty()) {
    std::int64_t number = 0;
    const char* const end = selection.version.data() + selection.version.size();
    const auto parsed = std::from_chars(selection.version.data(), end, number);
    if (parsed.ptr == end) {
      if (parsed.ec != std::errc() || here == nullptr) return {.miss = Miss::no_such_version};
      return by_number(*here, number, Reason::version);
    }
    if (here == nullptr) {
      return {.miss = SemverRange::parse(selection.version).ok() ? Miss::no_such_version : Miss::bad_version};
    }
    return by_range(*here, selection.version);
  }
  if (here == nullptr) return {};
  if (selection.label.empty()) return live(*here, Reason::live);
  if (selection.label == kLatest) return found(*here, here->versions.size() - 1, Reason::label);
  const auto other = directory->find(directory->environment_projects[environment], selection.label);
  if (other) {
    const Entry* const there = *other == environment ? here : entry(*other, name);
    if (there == nullptr || there->live < 0) return {.miss = Miss::no_such_version};
    return by_number(*here, there->versions[static_cast<std::size_t>(there->live)]->number(), Reason::label);
  }
  for (const ServedLabel& label : here->labels) {
    if (label.name == selection.label) return by_number(*here, label.version, Reason::label);
  }
  return {.miss = Miss::no_such_version};
}

std::uint64_t hash_of(EnvironmentIndex environment, std::string_view name) {
  std::uint64_t hash = std::hash<std::string_view>()(name) ^ (environment * 0x9E3779B97F4A7C15u);
  hash ^= hash >> 32;
  return hash * 0xD6E8FEB86659FD93u ^ (hash >> 29);
}

std::uint64_t hash_of(const Entry& entry) {
  return hash_of(entry.environment, entry.versions.front()->name());
}

std::uint64_t hash_of(const Key& key) { return std::hash<std::string_view>()(key.hash); }

}  // namespace imprimatur::delivery
