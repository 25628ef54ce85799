// The evidence of one release, and who had an environment when.
#include "evidence/evidence.h"
#include "evidence/statement.h"
#include "registry/caller.h"
#include "store/cursor.h"
#include "store/identity_rows.h"

namespace imprimatur::evidence {

Result<ReleaseEvidence> Evidence::release(const Principal& who, const ReleaseId& id) {
  Stated stated = TRY(store_.read([&](store::Tx& tx) -> Result<Stated> {
    const Error unknown = not_found("There is no such release, or you may not see it.");
    const auto found = store::release(tx, id);
    if (!found) return unknown;
    auto scene = registry::artifact_for(tx, who, found->artifact);
    if (!scene.ok() && scene.error().code == ErrorCode::not_found) return unknown;
    if (!scene.ok()) return std::move(scene).error();
    TRY(scene->caller.require(Permission::read_audit));
    TRY(scene->caller.require_environment(
        registry::environment_by_id(tx, found->project, found->environment)));
    const store::Head head = TRY(own_head(tx, found->project.text));
    const journal::Note note = signed_note({origin(head.journal), head.size, head.frontier.root()});
    return release_statement(tx, *scene, *found, head, note);
  }));
  return ReleaseEvidence{std::move(stated.object), std::move(stated.names),
                         journal::enveloped(signer_, journal::kInTotoPayload, std::move(stated.text))};
}

Result<History> Evidence::history(const Principal& who, const ArtifactId& id, std::string_view environment,
                                  std::optional<Time> at, const PageRequest& page) {
  return store_.read([&](store::Tx& tx) -> Result<History> {
    const registry::ArtifactScene scene = TRY(registry::artifact_for(tx, who, id));
    TRY(scene.caller.require(Permission::read_audit));
    const Environment target = TRY(registry::environment_for(tx, scene.caller, environment));
    History out{scene.artifact.name, target.name, scene.caller.may(Permission::read_drafts), {}};
    Page<Release> found;
    if (at) {
      TRY(store::number_after(page, store::kNewest));  // the page must be one, though it says nothing here
      if (auto live = store::release_at(tx, id, target.id, *at)) found.items.push_back(*std::move(live));
    } else {
      found = TRY(store::releases(tx, id, target.id, page));
    }
    out.page.next_cursor = std::move(found.next_cursor);
    for (Release& release : found.items) {
      const auto version = store::version_bare(tx, id, release.version);
      std::string by = store::display_of(tx, release.by);
      out.page.items.push_back({std::move(release), version ? version->semver : "", std::move(by)});
    }
    return out;
  });
}

}  // namespace imprimatur::evidence
