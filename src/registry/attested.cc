// Reading what stands beside verdicts, and the owner rules.
#include "registry/caller.h"
#include "registry/displays.h"
#include "registry/queries.h"
#include "registry/tenure.h"
#include "store/cursor.h"
#include "store/identity_rows.h"
#include "store/requirement_rows.h"

namespace imprimatur::registry {

Result<Queries::Attested<CheckReport>> Queries::checks(const Principal& who, const VersionRef& ref,
                                                       const PageRequest& request) {
  return store_.read([&](store::Tx& tx) -> Result<Attested<CheckReport>> {
    const ArtifactScene scene = TRY(artifact_for(tx, who, ref.artifact));
    TRY(scene.caller.require(Permission::read_drafts));
    TRY(version_or_404(tx, ref.artifact, ref.number));
    Attested<CheckReport> out{TRY(store::checks(tx, ref.artifact, ref.number, request)), {}};
    for (const CheckReport& report : out.page.items) add_display(tx, out.displays, report.by);
    return out;
  });
}

Result<Queries::Attested<CheckReport>> Queries::check(const Principal& who, const VersionRef& ref,
                                                      std::string_view id) {
  return store_.read([&](store::Tx& tx) -> Result<Attested<CheckReport>> {
    const ArtifactScene scene = TRY(artifact_for(tx, who, ref.artifact));
    auto found = store::check(tx, ref.artifact, ref.number, id);
    if (!found || found->by != scene.caller.actor()) return not_found("There is no such check.");
    Attested<CheckReport> out;
    add_display(tx, out.displays, found->by);
    out.page.items.push_back(*std::move(found));
    return out;
  });
}

Result<Queries::Attested<AcceptedFinding>> Queries::accepted(const Principal& who, const VersionRef& ref,
                                                             const PageRequest& request) {
  return store_.read([&](store::Tx& tx) -> Result<Attested<AcceptedFinding>> {
    const ArtifactScene scene = TRY(artifact_for(tx, who, ref.artifact));
    TRY(scene.caller.require(Permission::read_drafts));
    TRY(version_or_404(tx, ref.artifact, ref.number));
    const std::int64_t after = TRY(store::number_after(request, 0));
    struct Placed {
      AcceptedFinding accepted;
      std::int64_t place;
    };
    std::vector<Placed> rows;
    std::int64_t place = 0;
    for (AcceptedFinding& accepted : store::acceptances(tx, ref.artifact, ref.number)) {
      if (++place > after) rows.push_back({std::move(accepted), place});
    }
    auto placed = store::paged(std::move(rows), request, [](const Placed& one) { return one.place; });
    Attested<AcceptedFinding> out{{{}, std::move(placed.next_cursor)}, {}};
    for (Placed& one : placed.items) out.page.items.push_back(std::move(one.accepted));
    for (const AcceptedFinding& accepted : out.page.items) add_display(tx, out.displays, accepted.by);
    return out;
  });
}

Result<Queries::Attested<AcceptedFinding>> Queries::accepted_one(const Principal& who, const VersionRef& ref,
                                                                 std::string_view id) {
  return store_.read([&](store::Tx& tx) -> Result<Attested<AcceptedFinding>> {
    const ArtifactScene scene = TRY(artifact_for(tx, who, ref.artifact));
    for (AcceptedFinding& accepted : store::acceptances(tx, ref.artifact, ref.number)) {
      if (accepted.id != id || accepted.by != scene.caller.actor()) continue;
      Attested<AcceptedFinding> out;
      add_display(tx, out.displays, accepted.by);
      out.page.items.push_back(std::move(accepted));
      return out;
    }
    return not_found("There is no such acceptance.");
  });
}

Result<OwnersView> Queries::owners(const Principal& who, std::string_view project) {
  return store_.read([&](store::Tx& tx) -> Result<OwnersView> {
    const Caller caller = TRY(Caller::in_named(tx, who, project));
    TRY(caller.require(Permission::read_drafts));
    OwnersView view;
    view.rules = store::owner_rules(tx, caller.project().id);
    view.proposal = store::owner_proposal(tx, caller.project().id);
    if (view.proposal && !admin_since(tx, caller.project().id, view.proposal->by, view.proposal->at)) {
      view.proposal.reset();
    }
    for (const Team& team : store::teams(tx, caller.project().id)) view.teams[team.id] = team.name;
    const auto name_people = [&](const OwnerRules& rules) {
      for (const OwnerRule& rule : rules.rules) {
        for (const PrincipalId& person : rule.people) {
          const auto user = store::user(tx, person);
          view.emails[person] = user ? user->email : person.text;
        }
      }
    };
    name_people(view.rules);
    if (view.proposal) {
      name_people(view.proposal->rules);
      add_display(tx, view.displays, view.proposal->by);
    }
    return view;
  });
}

}  // namespace imprimatur::registry
