#include "delivery/snapshot.h"

#include "domain/semver.h"
#include "domain/words.h"

#include <algorithm>
#include <charconv>
#include <functional>

namespace imprimatur::delivery {
namespace {

Found found(const std::shared_ptr<const Answer>& answer, Reason reason) {
  return {.answer = &answer, .reason = reason};
}

enum class Among { every_version, standing };

// The live one first. One that was rolled back does not stand: somebody decided against it, so only who names
// it is given it.
template <class Visit>
void for_each_version(const Entry& entry, Among among, Visit visit) {
  if (entry.live != nullptr) visit(entry.live);
  const std::size_t count = entry.retained.size() - (among == Among::standing ? entry.rolled_back : 0);
  for (std::size_t i = 0; i < count; ++i) visit(entry.retained[i]);
}

Found by_number(const Entry& entry, std::int64_t number, Reason reason) {
  Found out{.miss = Miss::no_such_version};
  for_each_version(entry, Among::every_version, [&](const auto& answer) {
    if (answer->number() == number) out = found(answer, reason);
  });
  return out;
}

Found latest(const Entry& entry) {
  const std::shared_ptr<const Answer>* best = nullptr;
  for_each_version(entry, Among::standing, [&](const auto& answer) {
    if (best == nullptr || answer->number() > (*best)->number()) best = &answer;
  });
  if (best == nullptr) return {.miss = Miss::no_such_version};
  return found(*best, Reason::label);
}

Found by_range(const Entry& entry, std::string_view text) {
  const auto range = SemverRange::parse(text);
  if (!range.ok()) return {.miss = Miss::bad_version};
  const std::shared_ptr<const Answer>* best = nullptr;
  Semver best_version;
  const Among among = parse_semver(text).ok() ? Among::every_version : Among::standing;
  for_each_version(entry, among, [&](const auto& answer) {
    auto version = parse_semver(answer->semver());
    if (!version.ok() || !range->contains(*version)) return;
    if (best != nullptr) {
      const auto order = compare(*version, best_version);
      if (order < 0 || (order == 0 && answer->number() < (*best)->number())) return;
    }
    best = &answer;
    best_version = std::move(version).value();
  });
  if (best == nullptr) return {.miss = Miss::no_such_version};
  return found(*best, Reason::version);
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
    return each.environment == environment && each.name() == name;
  });
  return item == nullptr ? nullptr : item->get();
}

Found Snapshot::find(EnvironmentIndex environment, std::string_view name, const Selection& selection) const {
  const Entry* const here = entry(environment, name);
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
  if (selection.label.empty()) return here->live == nullptr ? Found{} : found(here->live, Reason::live);
  if (selection.label == kLatest) return latest(*here);
  const auto other = directory->find(directory->environment_projects[environment], selection.label);
  if (other) {
    const Entry* const there = *other == environment ? here : entry(*other, name);
    if (there == nullptr || there->live == nullptr) return {.miss = Miss::no_such_version};
    return by_number(*here, there->live->number(), Reason::label);
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

}  // namespace imprimatur::delivery
