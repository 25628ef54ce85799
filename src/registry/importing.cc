// Importing many prompts as drafts, a transaction a batch.
#include "domain/name.h"
#include "registry/drafting.h"
#include "registry/writing.h"

namespace imprimatur::registry {
namespace {

// Everything of the digest but the name's and semver's own part, to tell whether an import changes anything.
bool same_apart_from_semver(const Content& a, Content b) {
  b.semver = a.semver;
  return a == b;
}

ContentPatch whole_patch(const Content& content) {
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
  return patch;
}

// An item that was checked and scanned, or why it cannot be taken.
struct Candidate {
  NewArtifact wanted;
  std::string skeleton;
  Prepared ready;
};

Result<Candidate> candidate(NewArtifact wanted, const scan::Ruleset& rules) {
  wanted.name = TRY(checked_name(wanted.name));
  wanted.tags = TRY(checked_tags(std::move(wanted.tags)));
  wanted.message = TRY(checked_message("message", std::move(wanted.message)));
  std::string skeleton = skeleton_of(wanted.name);
  Prepared ready = prepared(TRY(first_content(wanted)), rules);
  return Candidate{std::move(wanted), std::move(skeleton), std::move(ready)};
}

class Batch {
 public:
  Batch(store::Tx& tx, const Caller& caller, const scan::Ruleset& rules, OnConflict on_conflict, bool dry_run)
      : tx_(tx), caller_(caller), rules_(rules), on_conflict_(on_conflict), dry_run_(dry_run) {}

  Result<ImportOutcome> take(const Candidate& item) {
    auto existing = store::artifact_by_skeleton(tx_, caller_.project().id, item.skeleton);
    if (existing) return take_again(item, *existing);
    if (dry_run_) return ImportOutcome{ImportOutcome::Status::created, {}, 0, ""};
    Artifact artifact = write_artifact(tx_, caller_, item.wanted, item.skeleton, item.wanted.tags);
    write_version(tx_, caller_, artifact, item.ready, item.wanted.message, Origin::imported);
    return ImportOutcome{ImportOutcome::Status::created, artifact.id, 1, ""};
  }

 private:
  Result<ImportOutcome> take_again(const Candidate& item, Artifact& existing) {
    if (existing.name != item.wanted.name) return name_taken(item.wanted.name, existing);
    const Version latest = TRY(version_or_404(tx_, existing.id, existing.latest_version));
    const Content before = TRY(content_from_canonical(latest.content));
    if (same_apart_from_semver(before, item.ready.content)) {
      return ImportOutcome{ImportOutcome::Status::unchanged, existing.id, latest.number, ""};
    }
    if (on_conflict_ != OnConflict::new_version) return conflict("a prompt of this name has other content");
    if (existing.type != item.wanted.type || existing.kind != item.wanted.kind) {
      return conflict("a prompt of this name has another type");
    }
    const Prepared next = prepared(TRY(next_content(before, whole_patch(item.ready.content))), rules_);
    if (dry_run_)
      return ImportOutcome{ImportOutcome::Status::new_version, existing.id, latest.number + 1, ""};
    write_version(tx_, caller_, existing, next, item.wanted.message, Origin::imported);
    return ImportOutcome{ImportOutcome::Status::new_version, existing.id, existing.latest_version, ""};
  }

  store::Tx& tx_;
  const Caller& caller_;
  const scan::Ruleset& rules_;
  OnConflict on_conflict_;
  bool dry_run_;
};

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
  for (NewArtifact& wanted : items) candidates.push_back(candidate(std::move(wanted), rules_));
  const auto take_all = [&](store::Tx& tx) -> Result<std::vector<ImportOutcome>> {
    const Caller caller = TRY(Caller::in(tx, command.principal, id));
    TRY(caller.require(Permission::save));
    Batch batch(tx, caller, rules_, on_conflict, dry_run);
    std::vector<ImportOutcome> out;
    for (const Result<Candidate>& item : candidates) {
      auto taken = item.ok() ? batch.take(*item) : Result<ImportOutcome>(item.error());
      if (!taken.ok() && on_conflict == OnConflict::fail) {
        Error error = std::move(taken).error();
        error.fields.push_back({"items[" + std::to_string(out.size()) + "]", error.detail});
        return error;
      }
      if (!taken.ok()) taken = ImportOutcome{ImportOutcome::Status::skipped, {}, 0, taken.error().detail};
      out.push_back(std::move(taken).value());
    }
    return out;
  };
  return dry_run ? store_.read(take_all) : store_.write({id.text}, take_all);
}

}  // namespace imprimatur::registry
