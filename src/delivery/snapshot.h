// Everything the runtime can reach, as one immutable value. What is not in here does not exist for an
// application.
#pragma once

#include "base/clock.h"
#include "delivery/answer.h"
#include "delivery/trie.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace imprimatur::delivery {

// Counts up in the order in which environments were told; stays as long as the process.
using EnvironmentIndex = std::uint32_t;

struct Entry {
  EnvironmentIndex environment = 0;
  std::uint32_t rolled_back = 0;                        // how many at the end of `retained` were rolled back
  std::shared_ptr<const Answer> live;                   // null: nothing is live
  std::vector<std::shared_ptr<const Answer>> retained;  // were live and are not retired
  std::vector<ServedLabel> labels;
  // An entry without any version does not exist.
  std::string_view name() const { return (live != nullptr ? live : retained.front())->name(); }
};

struct Key {
  KeyId id;
  PrincipalId account;
  ProjectId project;
  std::optional<EnvironmentIndex> bound;     // set when the key may read this environment only
  std::optional<EnvironmentIndex> standard;  // read when a request names none; missing: the project has none
  bool unreachable = false;                  // bound to an environment that is not there
  std::vector<Scope> scopes;
  Time expires_at{INT64_MAX};
  std::string hash;
  bool may(Scope scope) const;
};

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};

struct Directory {
  struct Project {
    std::string name;
    std::vector<std::pair<std::string, EnvironmentIndex>> environments;
  };
  template <class T>
  using ById = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;
  ById<Project> projects;
  ById<EnvironmentIndex> environments;
  std::vector<std::string> environment_names;     // by index
  std::vector<std::string> environment_projects;  // by index, ids
  std::optional<EnvironmentIndex> find(std::string_view project_id, std::string_view environment) const;
};

// At most one of the two is given; both empty: what is live.
struct Selection {
  std::string_view version;  // a number or a semver range
  std::string_view label;
};

enum class Miss {
  nothing_live,     // nor anything there ever
  no_such_version,  // nothing reachable fits
  bad_version,      // neither a number nor a range
};

struct Found {
  const std::shared_ptr<const Answer>* answer = nullptr;  // null: see `miss`; lives as long as the snapshot
  Reason reason = Reason::live;
  Miss miss = Miss::nothing_live;
};

struct Snapshot {
  Trie<Entry> entries;
  Trie<Key> keys;
  std::shared_ptr<const Directory> directory;
  std::uint64_t sequence = 1;  // counts up with every snapshot
  // Counts up when keys or the directory change, not with releases: what was looked up in them holds until
  // then.
  std::uint64_t access_version = 1;

  const Key* key(std::string_view hash) const;
  const Entry* entry(EnvironmentIndex environment, std::string_view name) const;
  // `name` without a version behind '@'.
  Found find(EnvironmentIndex environment, std::string_view name, const Selection& selection = {}) const;
};

std::uint64_t hash_of(EnvironmentIndex environment, std::string_view name);

}  // namespace imprimatur::delivery
