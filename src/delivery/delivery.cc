#include "delivery/delivery.h"

#include "base/log.h"
#include "domain/content.h"
#include "domain/layers.h"
#include "domain/words.h"

#include <algorithm>

namespace imprimatur::delivery {
namespace {

std::shared_ptr<const Snapshot> empty_snapshot() {
  auto snapshot = std::make_shared<Snapshot>();
  snapshot->directory = std::make_shared<Directory>();
  return snapshot;
}

// Applies changes to a snapshot that nobody else sees yet. Answers that `known` holds are shared.
class Builder {
 public:
  Builder(Snapshot& next, const Snapshot& known, std::atomic<std::uint64_t>& altered)
      : next_(next), known_(known), altered_(altered) {}

  Status operator()(const ServedProject& project) {
    Directory& directory = writable_directory();
    Directory::Project& known = directory.projects[project.id.text];
    known.name = project.name;
    known.environments.clear();
    for (const auto& environment : project.environments) {
      const auto next_index = static_cast<EnvironmentIndex>(directory.environment_names.size());
      const auto [at, fresh] = directory.environments.emplace(environment.id.text, next_index);
      if (fresh) {
        directory.environment_names.push_back(environment.name);
        directory.environment_projects.push_back(project.id.text);
      } else if (directory.environment_names[at->second] != environment.name) {
        return invalid("an environment cannot change its name: the answers in it hold it");
      }
      known.environments.emplace_back(environment.name, at->second);
    }
    resolve_keys_of(project.id);
    return Ok{};
  }

  Status operator()(const ServedArtifact& artifact) {
    const auto environment = next_.directory->environments.find(artifact.environment.text);
    if (environment == next_.directory->environments.end()) {
      return invalid("an environment that delivery was not told of: " + artifact.environment.text);
    }
    const EnvironmentIndex index = environment->second;
    const auto same = [&](const Entry& each) {
      return each.environment == index && each.name() == artifact.name;
    };
    const std::uint64_t hash = hash_of(index, artifact.name);
    auto entry = std::make_shared<Entry>();
    entry->environment = index;
    entry->labels = artifact.labels;
    const Entry* const before = known_.entry(index, artifact.name);
    std::vector<std::shared_ptr<const Answer>> rolled_back;
    bool live_altered = false;
    for (const ServedVersion& version : artifact.versions) {
      auto made = TRY(answer(version, before, next_.directory->environment_names[index]));
      if (made == nullptr) {
        live_altered = live_altered || version.number == artifact.live;
        continue;
      }
      if (made->name() != artifact.name) {
        return invalid("version " + std::to_string(version.number) + " belongs to another name");
      }
      if (version.number == artifact.live) {
        entry->live = std::move(made);
      } else {
        (version.rolled_back ? rolled_back : entry->retained).push_back(std::move(made));
      }
    }
    if (artifact.live != 0 && entry->live == nullptr && !live_altered)
      return invalid("the live version is not among those served");
    entry->rolled_back = static_cast<std::uint32_t>(rolled_back.size());
    entry->retained.insert(entry->retained.end(), rolled_back.begin(), rolled_back.end());
    if (entry->live == nullptr && entry->retained.empty()) {
      next_.entries = next_.entries.without(hash, same);
      return Ok{};
    }
    entry->retained.shrink_to_fit();
    next_.entries = next_.entries.with(hash, std::move(entry), same);
    return Ok{};
  }

  Status operator()(const ServedKey& record) {
    auto key = std::make_shared<Key>();
    key->id = record.id;
    key->account = record.account;
    key->project = record.project;
    key->scopes = record.scopes;
    key->hash = record.hash;
    if (record.expires_at) key->expires_at = *record.expires_at;
    if (!record.environment.empty()) {
      const auto environment = next_.directory->environments.find(record.environment.text);
      key->unreachable = environment == next_.directory->environments.end();
      if (!key->unreachable) key->bound = environment->second;
    }
    resolve(*key);
    put(std::move(key));
    return Ok{};
  }

  Status operator()(const RevokedKey& revoked) {
    drop_keys([&](const Key& each) { return each.id == revoked.id; });
    return Ok{};
  }

  Status operator()(const DisabledAccount& disabled) {
    drop_keys([&](const Key& each) { return each.account == disabled.account; });
    return Ok{};
  }

 private:
  // What is there already is shared, not made again. Null for content that is not what was approved: nothing
  // serves it.
  Result<std::shared_ptr<const Answer>> answer(const ServedVersion& version, const Entry* before,
                                               std::string_view environment) {
    std::shared_ptr<const Answer> known;
    const auto consider = [&](const std::shared_ptr<const Answer>& each) {
      if (each->number() == version.number && each->digest() == version.digest) known = each;
    };
    if (before != nullptr && before->live != nullptr) consider(before->live);
    if (before != nullptr) std::for_each(before->retained.begin(), before->retained.end(), consider);
    if (known == nullptr) {
      if (digest_of_canonical(version.content) == version.digest && complete(version)) {
        return Answer::make(version, environment);
      }
      altered_.fetch_add(1, std::memory_order_relaxed);
      log(LogLevel::error, "content_altered",
          {{"release", version.release.text}, {"digest", version.digest}});
      return std::shared_ptr<const Answer>();
    }
    return known->release() == version.release.text ? known : known->with_release(version.release);
  }

  // What includes something is served with it in place, or not at all.
  static bool complete(const ServedVersion& version) {
    if (!version.effective.empty() || !may_include(version.content)) return true;
    const auto lock = lock_from_canonical(version.content);
    return lock.ok() && lock->empty();
  }

  Directory& writable_directory() {
    if (directory_ == nullptr) {
      directory_ = std::make_shared<Directory>(*next_.directory);
      next_.directory = directory_;
    }
    ++next_.access_version;
    return *directory_;
  }

  void resolve(Key& key) const {
    key.standard = key.bound;
    if (!key.bound && !key.unreachable)
      key.standard = next_.directory->find(key.project.text, kStandardEnvironment);
  }

  // A key's standard environment may have come with its project's change.
  void resolve_keys_of(const ProjectId& project) {
    std::vector<std::shared_ptr<Key>> changed;
    next_.keys.for_each([&](const Key& each) {
      if (each.project != project) return;
      auto key = std::make_shared<Key>(each);
      resolve(*key);
      if (key->standard != each.standard) changed.push_back(std::move(key));
    });
    for (auto& key : changed) put(std::move(key));
  }

  template <class Which>
  void drop_keys(Which which) {
    std::vector<std::string> hashes;
    next_.keys.for_each([&](const Key& each) {
      if (which(each)) hashes.push_back(each.hash);
    });
    for (const std::string& hash : hashes) {
      const auto same = [&](const Key& each) { return each.hash == hash; };
      next_.keys = next_.keys.without(std::hash<std::string_view>()(hash), same);
    }
    ++next_.access_version;
  }

  void put(std::shared_ptr<const Key> key) {
    const std::uint64_t hash = std::hash<std::string_view>()(key->hash);
    const std::string text = key->hash;
    next_.keys = next_.keys.with(hash, std::move(key), [&](const Key& each) { return each.hash == text; });
    ++next_.access_version;
  }

  Snapshot& next_;
  const Snapshot& known_;
  std::atomic<std::uint64_t>& altered_;
  std::shared_ptr<Directory> directory_;  // this builder's own copy
};

}  // namespace

Delivery::Delivery(KeyHash key_hash)
    : key_hash_(std::move(key_hash)), newest_(empty_snapshot()), snapshots_(*newest_.lock()) {}

Status Delivery::apply(const std::vector<Change>& changes) {
  auto newest = newest_.lock();
  auto next = std::make_shared<Snapshot>(**newest);
  ++next->sequence;
  Builder builder(*next, *next, altered_contents_);
  for (const Change& change : changes) TRY(std::visit(builder, change));
  *newest = next;
  snapshots_.publish(std::move(next));
  return Ok{};
}

Status Delivery::replace(const std::function<Status(const Tell&)>& tell_all) {
  auto newest = newest_.lock();
  const Snapshot& before = **newest;
  auto next = std::make_shared<Snapshot>();
  next->sequence = before.sequence + 1;
  next->access_version = before.access_version + 1;
  // Environments keep their indexes, by which readers hold answers; a project that is not told has none.
  auto directory = std::make_shared<Directory>(*before.directory);
  directory->projects.clear();
  next->directory = std::move(directory);
  Builder builder(*next, before, altered_contents_);
  TRY(tell_all([&](const std::vector<Change>& changes) -> Status {
    for (const Change& change : changes) {
      if (const Status done = std::visit(builder, change); !done.ok()) {
        altered_contents_.fetch_add(1, std::memory_order_relaxed);
        log(LogLevel::error, "left_out", {{"why", done.error().detail}});
      }
    }
    return Ok{};
  }));
  *newest = next;
  snapshots_.publish(std::move(next));
  return Ok{};
}

LastUses& Delivery::new_last_uses() {
  auto all = last_uses_.lock();
  return *all->emplace_back(std::make_unique<LastUses>());
}

std::unordered_map<KeyId, Time> Delivery::take_last_uses() {
  std::unordered_map<KeyId, Time> latest;
  auto all = last_uses_.lock();
  for (const auto& each : *all) {
    for (const auto& [key, time] : each->take()) {
      Time& known = latest[key];
      known = std::max(known, time);
    }
  }
  return latest;
}

}  // namespace imprimatur::delivery
