// Projects themselves; members and keys are in the files of those names.
#include "identity/projects.h"

#include "domain/name.h"
#include "domain/words.h"
#include "identity/events.h"
#include "identity/paging.h"
#include "identity/standing.h"
#include "store/registry_rows.h"

namespace imprimatur::identity {
namespace {

constexpr std::string_view kProjectOutcome = "project:";

}  // namespace

Projects::Projects(store::Store& store, const Clock& clock, const Seals& seals)
    : store_(store), clock_(clock), seals_(seals) {}

std::string Projects::make_id(std::string_view prefix) const {
  return new_id(prefix, clock_.now().micros / 1000);
}

// The journal of a project has its id for a name, and must be named before the transaction begins. Whether
// the caller may know the project is decided inside it.
Result<ProjectId> Projects::id_of(std::string_view name) {
  return store_.read([&](store::Tx& tx) -> Result<ProjectId> {
    const auto project = store::project_by_name(tx, name);
    if (!project) return not_found("There is no such project, or you are not a member of it.");
    return project->id;
  });
}

std::vector<Environment> first_environments(const ProjectId& project, Time now) {
  const auto made = [&](std::string name, std::int64_t order, Protection protection) {
    protection.version = 1;
    return Environment{.id = {new_id("env", now.micros / 1000)},
                       .project = project,
                       .name = std::move(name),
                       .order = order,
                       .protection = std::move(protection),
                       .changed_at = now};
  };
  return {made("development", 1, {}), made("staging", 2, {.checks = {"scan"}}),
          made(std::string(kStandardEnvironment), 3, {.approvals = {.count = 1}, .checks = {"scan"}})};
}

Result<Project> Projects::create(const Command& command, std::string_view name,
                                 std::string_view description) {
  const Principal& who = command.principal;
  if (!who.interactive()) return forbidden("Only a person in a session can create a project.");
  auto checked = checked_short_name(name);
  if (!checked.ok()) return invalid_field("name", checked.error().detail);
  if (description.size() > kMaxDescriptionBytes)
    return invalid_field("description",
                         "must have at most " + std::to_string(kMaxDescriptionBytes) + " bytes");
  const ProjectId id{make_id("prj")};
  return store_.write({std::string(journal::kOrganisation), id.text}, [&](store::Tx& tx) -> Result<Project> {
    TRY(store::still_valid(tx, who));
    if (const auto outcome = TRY(store::replayed(tx, command))) {
      auto project = store::project(tx, ProjectId{store::reference_in(*outcome, kProjectOutcome)});
      if (!project) throw store::DataBroken("a project that is gone");
      return *std::move(project);
    }
    if (!require_organisation_admin(tx, who).ok() &&
        store::count_projects_by(tx, who.id) >= kMaxProjectsCreated) {
      return conflict(
          "You created " + std::to_string(kMaxProjectsCreated) +
          " projects, which is as many as one person may; ask an organisation admin for the next.");
    }
    if (store::project_by_name(tx, *checked)) return conflict("There is already a project of this name.");
    const Project project{.id = id,
                          .name = *checked,
                          .description = std::string(description),
                          .created_by = who.id,
                          .created_at = tx.now()};
    store::insert_project(tx, project);
    tx.append(journal::kOrganisation, project_registered(project));
    tx.append(id.text, project_created(project));
    const Membership creator{.person = who.id, .role = Role::admin, .verdicts_since = tx.now()};
    store::put_member(tx, id, creator);
    tx.append(id.text, member_changed(who.id, creator, std::nullopt));
    for (const Environment& environment : first_environments(id, tx.now())) {
      store::insert_environment(tx, environment);
      tx.append(id.text, environment_created(who.id, environment));
    }
    store::remember(tx, command, std::string(kProjectOutcome) + id.text);
    return project;
  });
}

Result<ProjectView> Projects::find(const Principal& principal, std::string_view name) {
  return store_.read([&](store::Tx& tx) -> Result<ProjectView> {
    const Insider inside = TRY(insider(tx, principal, name));
    ProjectView view{inside.project, std::nullopt};
    if (inside.membership) view.role = inside.membership->role;
    return view;
  });
}

Result<store::Page<ProjectView>> Projects::of(const Principal& principal, const PageRequest& page) {
  return store_.read([&](store::Tx& tx) -> Result<store::Page<ProjectView>> {
    TRY(store::still_valid(tx, principal));
    std::vector<ProjectView> all;
    if (principal.kind == PrincipalKind::person) {
      for (store::Standing& standing : store::standings(tx, principal.id))
        all.push_back({std::move(standing.project), standing.role});
    } else {
      auto project = store::project(tx, principal.key_project);
      if (!project) throw store::DataBroken("a key without a project");
      all.push_back({*std::move(project), std::nullopt});
    }
    return page_of(std::move(all), page, [](const ProjectView& view) { return view.project.name; });
  });
}

}  // namespace imprimatur::identity
