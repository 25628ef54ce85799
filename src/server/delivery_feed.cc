#include "server/delivery_feed.h"

#include "base/json.h"
#include "base/log.h"
#include "journal/verifier.h"
#include "registry/layering.h"
#include "store/broken.h"
#include "store/identity_rows.h"
#include "store/registry_rows.h"

#include <algorithm>
#include <map>
#include <set>

#include <boost/json.hpp>

namespace imprimatur::server {
namespace {

using delivery::Change;
using delivery::ServedArtifact;
using store::Deliverable;

constexpr std::size_t kChangesAtOnce = 1000;
constexpr int kAttempts = 3;
constexpr std::size_t kNamedWithheld = 100;  // in the log

delivery::ServedProject served_project(store::Tx& tx, const Project& project) {
  delivery::ServedProject out{project.id, project.name, {}};
  for (const auto& [environment, name] : store::environment_names(tx, project.id)) {
    out.environments.push_back({environment, name});
  }
  return out;
}

delivery::ServedKey served_key(const ApiKey& key) {
  return {key.id, key.account, key.project, key.environment, key.scopes, key.expires_at, key.hash};
}

using Doubtful = std::set<std::string>;

bool withheld(const Doubtful& doubtful, std::string_view kind, const std::string& id) {
  return doubtful.contains(std::string(journal::kEverything)) ||
         doubtful.contains(journal::row_key(kind, id));
}

// An environment is served whole or not at all, so a project that is in doubt stands for its environments.
Doubtful with_environments(store::Tx& tx, Doubtful doubtful) {
  if (doubtful.empty()) return doubtful;
  for (const Project& project : store::all_projects(tx)) {
    if (!withheld(doubtful, "project", project.id.text)) continue;
    for (const auto& [environment, name] : store::environment_names(tx, project.id)) {
      doubtful.insert(journal::row_key("environment", environment.text));
    }
  }
  return doubtful;
}

// Adds one release to the artifact it belongs to. Releases come in the order in which they were made, so the
// last one of a version is the latest by which it was live.
void add_release(ServedArtifact& served, const Deliverable& row) {
  if (row.live) served.live = row.version;
  for (delivery::ServedVersion& version : served.versions) {
    if (version.number != row.version) continue;
    version.release = row.release;
    version.rolled_back = row.rolled_back;
    return;
  }
  served.versions.push_back({row.version, row.release, row.digest, row.content, row.rolled_back, {}});
}

bool includes(const ServedArtifact& served) {
  return std::any_of(served.versions.begin(), served.versions.end(),
                     [](const auto& version) { return may_include(version.content); });
}

// Puts in place what the versions include. One for which that cannot be done is left as it is, and delivery
// leaves it out.
void put_together(ServedArtifact& served, registry::ProjectLayers& layers) {
  for (delivery::ServedVersion& version : served.versions) {
    if (!may_include(version.content)) continue;
    auto effective = layers.effective(version.content);
    if (effective.ok()) {
      version.effective = *std::move(effective);
    } else {
      log(LogLevel::error, "layers_broken", {{"release", version.release.text}});
    }
  }
}

ServedArtifact served_artifact(store::Tx& tx, const Artifact& artifact, const EnvironmentId& environment,
                               const Doubtful& doubtful) {
  ServedArtifact served{environment, artifact.name, 0, {}, {}};
  if (withheld(doubtful, "artifact", artifact.id.text) || withheld(doubtful, "environment", environment.text))
    return served;
  for (const Deliverable& row : store::deliverables(tx, artifact.id, environment)) add_release(served, row);
  if (includes(served)) {
    registry::ProjectLayers layers(tx, artifact.project);
    put_together(served, layers);
  }
  for (const Label& label : store::labels(tx, artifact.id)) {
    served.labels.push_back({label.name, label.version});
  }
  return served;
}

// What a group of entries touched, each thing once.
struct Touched {
  std::set<std::string> projects;
  std::set<KeyId> keys;
  std::set<PrincipalId> accounts;
  std::set<std::pair<ArtifactId, EnvironmentId>> served;
  std::set<ArtifactId> labelled;
  bool empty() const {
    return projects.empty() && keys.empty() && accounts.empty() && served.empty() && labelled.empty();
  }
};

void touch(Touched& touched, const journal::Entry& entry) {
  const std::string& action = entry.event.action;
  const auto detail = [&](std::string_view name) {
    const auto details = parse_json(entry.event.details);
    const auto* value =
        details.ok() && details->is_object() ? details->get_object().if_contains(name) : nullptr;
    if (value == nullptr || !value->is_string())
      throw store::DataBroken("an event without a detail that it must have");
    return std::string(value->get_string());
  };
  if (action == "project.created" || action == "environment.changed") {
    touched.projects.insert(entry.journal);
  } else if (action == "key.created" || action == "key.revoked") {
    touched.keys.insert({detail("key")});
  } else if (action == "service_account.changed") {
    touched.accounts.insert({detail("serviceAccount")});
  } else if (action == "release.created" || action == "release.rolled_back" || action == "version.retired") {
    touched.served.insert({{detail("artifact")}, {detail("environment")}});
  } else if (action == "label.moved") {
    touched.labelled.insert({detail("artifact")});
  }
}

Result<std::vector<Change>> changes_of(store::Tx& tx, Touched touched, const Doubtful& doubtful) {
  std::vector<Change> out;
  for (const std::string& id : touched.projects) {
    if (const auto project = store::project(tx, {id})) out.emplace_back(served_project(tx, *project));
  }
  for (const PrincipalId& id : touched.accounts) {
    const auto account = store::service_account(tx, id);
    if (!account) continue;
    for (const ApiKey& key : store::keys(tx, account->project)) {
      if (key.account == id) touched.keys.insert(key.id);
    }
  }
  for (const KeyId& id : touched.keys) {
    const auto key = store::key(tx, id);
    if (!key) continue;
    const auto account = store::service_account(tx, key->account);
    if (key->revoked_at || !account || account->disabled || withheld(doubtful, "key", id.text)) {
      out.emplace_back(delivery::RevokedKey{key->id});
    } else {
      out.emplace_back(served_key(*key));
    }
  }
  for (const ArtifactId& id : touched.labelled) {
    const auto artifact = store::artifact(tx, id);
    if (!artifact) continue;
    for (const auto& [environment, name] : store::environment_names(tx, artifact->project)) {
      touched.served.insert({id, environment});
    }
  }
  for (const auto& [id, environment] : touched.served) {
    if (const auto artifact = store::artifact(tx, id)) {
      out.emplace_back(served_artifact(tx, *artifact, environment, doubtful));
    }
  }
  return out;
}

// What can be said without reading: the keys that were touched are not to be used.
std::vector<Change> without(const Touched& touched) {
  std::vector<Change> out;
  for (const KeyId& id : touched.keys) out.emplace_back(delivery::RevokedKey{id});
  for (const PrincipalId& id : touched.accounts) out.emplace_back(delivery::DisabledAccount{id});
  return out;
}

// Groups the ordered stream of releases by artifact and environment, and tells them some at a time.
class Loader {
 public:
  Loader(store::Tx& tx, const delivery::Delivery::Tell& tell, const Doubtful& doubtful)
      : tx_(tx), tell_(tell), doubtful_(doubtful) {
    store::each_label(tx, [&](const Label& label) {
      labels_[label.artifact].push_back({label.name, label.version});
    });
  }

  void add(Change change) {
    pending_.push_back(std::move(change));
    if (pending_.size() >= kChangesAtOnce) flush();
  }
  void add(const Deliverable& row) {
    if (row.artifact != artifact_ || row.environment != served_.environment) {
      close();
      artifact_ = row.artifact;
      served_ = {row.environment, row.name, 0, {}, {}};
    }
    add_release(served_, row);
  }
  Status finish() {
    close();
    put_together_later();
    flush();
    return status_;
  }

 private:
  void close() {
    if (served_.versions.empty()) return;
    ServedArtifact whole = std::exchange(served_, {});
    if (withheld(doubtful_, "artifact", artifact_.text) ||
        withheld(doubtful_, "environment", whole.environment.text))
      return;
    const auto labels = labels_.find(artifact_);
    if (labels != labels_.end()) whole.labels = labels->second;
    if (includes(whole)) {
      later_.emplace_back(artifact_, std::move(whole));
    } else {
      add(Change(std::move(whole)));
    }
  }
  // What includes others, once the one statement that reads all is through.
  void put_together_later() {
    std::map<ProjectId, registry::ProjectLayers> layers;
    for (auto& [id, whole] : later_) {
      const Artifact artifact = store::present(store::artifact(tx_, id), "an artifact that is served");
      put_together(whole, layers.try_emplace(artifact.project, tx_, artifact.project).first->second);
      add(Change(std::move(whole)));
    }
  }
  void flush() {
    if (pending_.empty() || !status_.ok()) return;
    status_ = tell_(std::exchange(pending_, {}));
  }

  store::Tx& tx_;
  const delivery::Delivery::Tell& tell_;
  const Doubtful& doubtful_;
  std::map<ArtifactId, std::vector<delivery::ServedLabel>> labels_;
  std::vector<Change> pending_;
  ArtifactId artifact_;
  ServedArtifact served_;
  std::vector<std::pair<ArtifactId, ServedArtifact>> later_;
  Status status_ = Ok{};
};

}  // namespace

DeliveryFeed::DeliveryFeed(store::Store& store, delivery::Delivery& delivery)
    : store_(store), delivery_(delivery) {}

Status DeliveryFeed::load() {
  auto known = doubtful_.lock();
  return delivery_.replace([&](const delivery::Delivery::Tell& tell) {
    return store_.read([&](store::Tx& tx) -> Status {
      const Doubtful doubtful = with_environments(tx, *known);
      Loader loader(tx, tell, doubtful);
      for (const Project& project : store::all_projects(tx)) loader.add(served_project(tx, project));
      store::each_usable_key(tx, [&](const ApiKey& key) {
        if (!withheld(doubtful, "key", key.id.text)) loader.add(served_key(key));
      });
      store::each_deliverable(tx, [&](const Deliverable& row) { loader.add(row); });
      return loader.finish();
    });
  });
}

void DeliveryFeed::on_entries(const std::vector<journal::Entry>& entries) {
  Touched touched;
  for (const journal::Entry& entry : entries) {
    try {
      touch(touched, entry);
    } catch (const store::DataBroken& error) {
      behind_ = true;  // what it touched is not known, so everything is read again
      log(LogLevel::error, "delivery_behind", {{"why", error.what()}});
    }
  }
  if (touched.empty()) return;
  auto known = doubtful_.lock();
  std::string why;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    try {
      const auto changes =
          store_.read([&](store::Tx& tx) { return changes_of(tx, touched, with_environments(tx, *known)); });
      const Status told = changes.ok() ? delivery_.apply(*changes) : Status(changes.error());
      if (told.ok()) return;
      why = told.error().detail;
    } catch (const std::exception& error) {
      why = error.what();
    }
  }
  // Whom a key serves is not known now, so it serves nobody until catch_up() has read it.
  const Status dropped = delivery_.apply(without(touched));
  CHECK(dropped.ok(), "keys that could not be dropped");
  behind_ = true;
  log(LogLevel::error, "delivery_behind", {{"why", why}});
}

Status DeliveryFeed::withhold(std::set<std::string> doubtful) {
  std::size_t named = 0;
  for (const std::string& what : doubtful) {
    if (++named > kNamedWithheld) break;
    log(LogLevel::error, "withheld", {{"what", what}});
  }
  log(LogLevel::error, "withheld_in_all", {{"count", std::to_string(doubtful.size())}});
  *doubtful_.lock() = std::move(doubtful);
  Status done = load();
  if (!done.ok()) behind_ = true;
  return done;
}

void DeliveryFeed::catch_up() {
  if (!behind_.exchange(false)) return;
  std::string why;
  try {
    const Status done = load();
    if (done.ok()) return;
    why = done.error().detail;
  } catch (const std::exception& error) {
    why = error.what();
  }
  behind_ = true;
  log(LogLevel::error, "delivery_behind", {{"why", why}});
}

}  // namespace imprimatur::server
