// Importing many prompts as drafts, a transaction a batch.
#include "domain/name.h"
#include "registry/drafting.h"
#include "registry/gating.h"
#include "registry/layering.h"
#include "registry/outcome.h"
#include "registry/writing.h"

#include <set>

namespace imprimatur::registry {
namespace {

using Kind = ImportOutcome::Status;

// What a file says, and what was saved of it: a file has no lock, and not always a semver.
bool same_in_a_file(const Content& saved, Content file) {
  file.semver = saved.semver;
  file.lock = saved.lock;
  return saved == file;
}

// All of the content; the semver only where the file gives one.
ContentPatch whole_patch(const Content& content, const std::optional<std::string>& semver) {
  ContentPatch patch;
  if (content.type == ContentType::text) {
    patch.text = content.text;
  } else {
    patch.messages = content.messages;
  }
  patch.variables = content.variables;
  patch.model = content.model;
  patch.config = content.config;
  patch.tools = content.tools;
  patch.output_schema = content.output_schema;
  patch.layers = content.layers;
  patch.semver = semver;
  return patch;
}

// An item that was checked by itself.
struct Candidate {
  NewArtifact wanted;
  std::string skeleton;
  Content content;
};

Result<Candidate> candidate(NewArtifact wanted) {
  wanted.name = TRY(checked_name(wanted.name));
  wanted.tags = TRY(checked_tags(std::move(wanted.tags)));
  wanted.message = TRY(checked_message("message", std::move(wanted.message)));
  std::string skeleton = skeleton_of(wanted.name);
  Content content = TRY(first_content(wanted));
  return Candidate{std::move(wanted), std::move(skeleton), std::move(content)};
}

// The items in the order in which they can be planned: what includes others of the batch behind them, later
// items of a name behind earlier ones. Those that include each other come as they may; they are refused
// later.
class LayersFirst {
 public:
  explicit LayersFirst(const std::vector<Result<Candidate>>& items) : items_(items), seen_(items.size()) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (items[i].ok()) by_name_[items[i]->wanted.name].push_back(i);
    }
    for (std::size_t i = 0; i < items.size(); ++i) visit(i);
  }
  const std::vector<std::size_t>& order() const { return order_; }

 private:
  void visit(std::size_t index) {
    if (seen_[index]) return;
    seen_[index] = true;
    if (items_[index].ok()) {
      for (const LayerRef& layer : items_[index]->content.layers) visit_named(layer.name, items_.size());
      visit_named(items_[index]->wanted.name, index);
    }
    order_.push_back(index);
  }
  void visit_named(const std::string& name, std::size_t before) {
    const auto named = by_name_.find(name);
    if (named == by_name_.end()) return;
    for (const std::size_t index : named->second) {
      if (index < before) visit(index);
    }
  }

  const std::vector<Result<Candidate>>& items_;
  std::vector<bool> seen_;
  std::map<std::string, std::vector<std::size_t>> by_name_;
  std::vector<std::size_t> order_;
};

// A prompt as it stands when an item's turn comes, with what the items before it do.
struct Standing {
  Artifact artifact;  // without id where an item of this batch creates it
  Resolved latest;
};

// What is to become of an item, decided against the latest version `base` (0: no prompt of this name).
struct Plan {
  std::int64_t base = 0;
  Result<ImportOutcome> outcome = ImportOutcome{};
  std::optional<Resolved> next;  // the version to write
  std::optional<Prepared> ready;
};

class Planner {
 public:
  Planner(store::Tx& tx, const ProjectId& project, OnConflict on_conflict)
      : tx_(tx), project_(project), on_conflict_(on_conflict), layers_(tx, project) {}

  Plan plan(const Candidate& item) {
    Plan out;
    const auto found = standing(item.skeleton);
    if (!found.ok()) {
      out.outcome = found.error();
      return out;
    }
    Standing* before = *found;
    if (before != nullptr) out.base = before->artifact.latest_version;
    out.outcome = before == nullptr ? first(item, out.next) : again(item, *before, out.next);
    if (!out.next) return out;
    if (before == nullptr) before = &standing_[item.skeleton];
    Artifact& artifact = before->artifact;
    artifact.name = item.wanted.name;
    artifact.kind = item.wanted.kind;
    artifact.type = item.wanted.type;
    artifact.latest_version = out.base + 1;
    if (!item.wanted.tags.empty()) artifact.tags = item.wanted.tags;
    before->latest = *out.next;
    planned_[artifact.name][artifact.latest_version] = out.next->content;
    return out;
  }

 private:
  // Null when there is none of this name.
  Result<Standing*> standing(const std::string& skeleton) {
    const auto known = standing_.find(skeleton);
    if (known != standing_.end()) return &known->second;
    auto artifact = store::artifact_by_skeleton(tx_, project_, skeleton);
    if (!artifact) return static_cast<Standing*>(nullptr);
    const Version latest =
        store::present(store::version(tx_, artifact->id, artifact->latest_version), "a latest version");
    Content content = content_of(latest);
    Content effective = TRY(layers_.effective(content));
    Standing made{*std::move(artifact), {std::move(content), std::move(effective)}};
    return &standing_.emplace(skeleton, std::move(made)).first->second;
  }

  // What is stored, and what the items planned so far will be.
  LayerSource source() {
    const LayerSource stored = layers_.source();
    LayerSource out;
    out.candidates = [this,
                      stored](const std::string& name) -> Result<std::optional<std::vector<LayerCandidate>>> {
      auto found = TRY(stored.candidates(name));
      const auto planned = planned_.find(name);
      if (planned == planned_.end()) return found;
      if (!found) found.emplace();
      for (const auto& [number, content] : planned->second) found->push_back({number, content.semver});
      return found;
    };
    out.load = [this, stored](const std::string& name, std::int64_t number) -> Result<std::string> {
      const auto planned = planned_.find(name);
      if (planned != planned_.end()) {
        const auto content = planned->second.find(number);
        if (content != planned->second.end()) return canonical_content(content->second);
      }
      return stored.load(name, number);
    };
    return out;
  }

  Result<ImportOutcome> first(const Candidate& item, std::optional<Resolved>& next) {
    next = TRY(resolve(item.content, source()));
    return ImportOutcome{Kind::created, {}, 0, ""};
  }

  Result<ImportOutcome> again(const Candidate& item, const Standing& before, std::optional<Resolved>& next) {
    const Artifact& artifact = before.artifact;
    const auto& semver = item.wanted.content.semver;
    if (artifact.name != item.wanted.name) return name_taken(item.wanted.name, artifact);
    const bool same_tags = item.wanted.tags.empty() || item.wanted.tags == artifact.tags;
    if (same_tags && same_in_a_file(before.latest.content, item.content) &&
        (!semver || *semver == before.latest.content.semver)) {
      return ImportOutcome{Kind::unchanged, artifact.id, artifact.latest_version, ""};
    }
    if (on_conflict_ != OnConflict::new_version)
      return conflict("a prompt of this name has other content or tags");
    if (artifact.type != item.wanted.type || artifact.kind != item.wanted.kind) {
      return conflict("a prompt of this name has another type");
    }
    next = TRY(next_content(before.latest, whole_patch(item.content, semver), source()));
    return ImportOutcome{Kind::new_version, artifact.id, artifact.latest_version + 1, ""};
  }

  store::Tx& tx_;
  const ProjectId& project_;
  OnConflict on_conflict_;
  ProjectLayers layers_;
  std::map<std::string, Standing> standing_;                        // by skeleton
  std::map<std::string, std::map<std::int64_t, Content>> planned_;  // by name and number
};

// The outcomes, or, where a single refusal holds up all, the first refusal.
Result<std::vector<ImportOutcome>> outcomes_of(const std::vector<Plan>& plans, OnConflict on_conflict) {
  std::vector<ImportOutcome> out;
  for (const Plan& plan : plans) {
    if (plan.outcome.ok()) {
      out.push_back(*plan.outcome);
      continue;
    }
    Error error = plan.outcome.error();
    if (on_conflict == OnConflict::fail) {
      error.fields.push_back({"items[" + std::to_string(out.size()) + "]", error.detail});
      return error;
    }
    out.push_back({Kind::skipped, {}, 0, error.detail});
  }
  return out;
}

// Whether every prompt is still as it was planned for.
bool current(store::Tx& tx, const ProjectId& project, const std::vector<Result<Candidate>>& items,
             const std::vector<Plan>& plans) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < plans.size(); ++i) {
    // A later item of the same name builds on the first.
    if (!items[i].ok() || !seen.insert(items[i]->skeleton).second) continue;
    const auto artifact = store::artifact_by_skeleton(tx, project, items[i]->skeleton);
    if ((artifact ? artifact->latest_version : 0) != plans[i].base) return false;
  }
  return true;
}

bool holds(const std::vector<std::string>& tags, const std::string& tag) {
  return std::find(tags.begin(), tags.end(), tag) != tags.end();
}

// Precondition: current. Tags that a tier names stay, whatever a file says.
void write_planned(store::Tx& tx, const Caller& caller, const std::vector<Result<Candidate>>& items,
                   const std::vector<Plan>& plans, std::vector<ImportOutcome>& outcomes) {
  for (std::size_t i = 0; i < plans.size(); ++i) {
    if (!plans[i].outcome.ok()) continue;
    const Candidate& item = *items[i];
    auto artifact = store::artifact_by_skeleton(tx, caller.project().id, item.skeleton);
    if (plans[i].next) {
      if (!artifact) artifact = write_artifact(tx, caller, item.wanted, item.skeleton, item.wanted.tags);
      if (!item.wanted.tags.empty()) {
        const auto delicate = delicate_tags(tx, *artifact);
        artifact->tags = item.wanted.tags;
        for (const std::string& tag : delicate) {
          if (!holds(artifact->tags, tag)) artifact->tags.push_back(tag);
        }
      }
      write_version(tx, caller, *artifact, *plans[i].ready, item.wanted.message, Origin::imported);
      outcomes[i].version = artifact->latest_version;
    }
    outcomes[i].artifact = artifact->id;
  }
}

}  // namespace

std::string_view name_of(ImportOutcome::Status status) {
  switch (status) {
    case ImportOutcome::Status::created: return "created";
    case ImportOutcome::Status::new_version: return "newVersion";
    case ImportOutcome::Status::unchanged: return "unchanged";
    case ImportOutcome::Status::skipped: return "skipped";
  }
  CHECK(false, "unknown import status");
}

Result<std::vector<ImportOutcome>> Registry::import(const Command& command, std::string_view project,
                                                    std::vector<NewArtifact> items, OnConflict on_conflict,
                                                    bool dry_run) {
  if (items.empty() || items.size() > kMaxBatch) {
    return invalid_field("items", "1 to " + std::to_string(kMaxBatch) + " items a call");
  }
  const ProjectId id = TRY(store_.read([&](store::Tx& tx) -> Result<ProjectId> {
    const Caller caller = TRY(Caller::in_named(tx, command.principal, project));
    TRY(caller.require(Permission::save));
    return caller.project().id;
  }));
  std::vector<Result<Candidate>> candidates;
  for (NewArtifact& wanted : items) candidates.push_back(candidate(std::move(wanted)));
  const LayersFirst layers_first(candidates);
  const std::vector<std::size_t>& order = layers_first.order();
  std::vector<Plan> plans;
  const auto make_plans = [&](store::Tx& tx) -> imprimatur::Status {
    const Caller caller = TRY(Caller::in(tx, command.principal, id));
    TRY(caller.require(Permission::save));
    Planner planner(tx, id, on_conflict);
    std::vector<Plan> fresh(candidates.size());
    for (const std::size_t i : order) {
      const Result<Candidate>& item = candidates[i];
      fresh[i] = item.ok() ? planner.plan(*item) : Plan{.outcome = item.error()};
    }
    // What was scanned for an earlier attempt is not scanned again.
    for (std::size_t i = 0; i < plans.size(); ++i) {
      if (fresh[i].next && plans[i].next && fresh[i].next->content == plans[i].next->content)
        fresh[i].ready = std::move(plans[i].ready);
    }
    plans = std::move(fresh);
    return Ok{};
  };
  // Content is prepared outside the write, against the latest versions; somebody may save in between.
  constexpr int kAttempts = 5;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    TRY(store_.read(make_plans));
    if (dry_run) return outcomes_of(plans, on_conflict);
    for (Plan& plan : plans) {
      if (plan.next && !plan.ready) plan.ready = prepared(*plan.next, rules_);
    }
    using Taken = std::optional<std::vector<ImportOutcome>>;
    const auto taken = TRY(store_.write({id.text}, [&](store::Tx& tx) -> Result<Taken> {
      const Caller caller = TRY(Caller::in(tx, command.principal, id));
      TRY(caller.require(Permission::save));
      if (const auto seen = TRY(store::replayed(tx, command))) return Taken(imported_from(*seen));
      if (!current(tx, id, candidates, plans)) return Taken();
      auto outcomes = TRY(outcomes_of(plans, on_conflict));
      write_planned(tx, caller, candidates, plans, outcomes);
      store::remember(tx, command, outcome_of(outcomes));
      return Taken(std::move(outcomes));
    }));
    if (taken) return *taken;
  }
  return conflict("Others keep saving these prompts at the same moment; try again.");
}

}  // namespace imprimatur::registry
