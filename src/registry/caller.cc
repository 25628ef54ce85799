#include "registry/caller.h"

#include "domain/words.h"
#include "registry/registry.h"
#include "store/credential.h"
#include "store/identity_rows.h"
#include "store/registry_rows.h"

namespace imprimatur::registry {
namespace {

constexpr std::string_view kOffline = "system";

}  // namespace

Principal offline_principal() {
  Principal principal;
  principal.id = {std::string(kOffline)};
  return principal;
}

Caller::Caller(Principal principal, Project project, std::optional<Membership> membership)
    : principal_(std::move(principal)), project_(std::move(project)), membership_(std::move(membership)) {}

Result<Caller> Caller::in(store::Tx& tx, const Principal& principal, const ProjectId& id) {
  const auto project = store::project(tx, id);
  if (!project) return store::unknown_project();
  if (principal.id.text == kOffline) return Caller(principal, *project, std::nullopt);
  TRY(store::still_valid(tx, principal));
  if (principal.kind == PrincipalKind::service_account) {
    if (principal.key_project != id) return store::unknown_project();
    return Caller(principal, *project, std::nullopt);
  }
  auto membership = store::membership(tx, id, principal.id);
  if (!membership) return store::unknown_project();
  return Caller(principal, *project, std::move(membership));
}

Result<Caller> Caller::in_named(store::Tx& tx, const Principal& principal, std::string_view name) {
  // Where the caller's key belongs to one project, the project may be left out.
  if (name.empty() && !principal.key_project.empty()) return in(tx, principal, principal.key_project);
  if (name.empty()) return invalid_field("project", "name the project");
  const auto project = store::project_by_name(tx, name);
  if (!project) return store::unknown_project();
  return in(tx, principal, project->id);
}

bool Caller::offline() const { return principal_.id.text == kOffline; }

bool Caller::may(Permission permission) const {
  if (offline()) return permission == Permission::save || permission == Permission::scan;
  return access(principal_, standing(), permission).allowed;
}

Status Caller::require(Permission permission) const {
  if (offline()) {
    if (may(permission)) return Ok{};
    return forbidden("The command line on a data directory imports drafts and nothing else.");
  }
  return imprimatur::require(principal_, standing(), permission);
}

std::vector<Permission> Caller::permissions() const { return permissions_of(principal_, standing()); }

bool Caller::reaches(const EnvironmentId& environment) const {
  return principal_.key_environment.empty() || principal_.key_environment == environment;
}

Status Caller::require_environment(const Environment& environment) const {
  if (reaches(environment.id)) return Ok{};
  return forbidden("The API key is bound to another environment.",
                   {"the key may act in one environment only, and " + environment.name + " is not it"});
}

Result<ArtifactScene> artifact_for(store::Tx& tx, const Principal& principal, const ArtifactId& id) {
  const Error unknown = not_found("There is no such prompt, or you may not see it.");
  auto found = store::artifact(tx, id);
  if (!found) return unknown;
  auto caller = Caller::in(tx, principal, found->project);
  if (!caller.ok() && caller.error().code == ErrorCode::not_found) return unknown;
  if (!caller.ok()) return std::move(caller).error();
  return ArtifactScene{*std::move(found), *std::move(caller)};
}

Result<ReviewScene> review_for(store::Tx& tx, const Principal& principal, const ReviewId& id) {
  const Error unknown = not_found("There is no such review, or you may not see it.");
  auto found = store::review(tx, id);
  if (!found) return unknown;
  auto caller = Caller::in(tx, principal, found->project);
  if (!caller.ok() && caller.error().code == ErrorCode::not_found) return unknown;
  if (!caller.ok()) return std::move(caller).error();
  Environment environment = environment_by_id(tx, found->project, found->environment);
  TRY(caller->require_environment(environment));
  return ReviewScene{*std::move(found), std::move(environment), *std::move(caller)};
}

Result<std::string> audited_journal(store::Tx& tx, const Principal& principal, std::string_view project) {
  if (project.empty() && principal.key_project.empty()) {
    if (principal.organisation_admin && principal.interactive()) return std::string(journal::kOrganisation);
    return forbidden("The organisation's journal is for its admins.",
                     {"name a project that you are a member of"});
  }
  const Caller caller = TRY(Caller::in_named(tx, principal, project));
  TRY(caller.require(Permission::read_audit));
  return caller.project().id.text;
}

Result<Version> version_or_404(store::Tx& tx, const ArtifactId& id, std::int64_t number) {
  auto found = store::version(tx, id, number);
  if (!found) return not_found("There is no such version, or you may not see it.");
  return *std::move(found);
}

Result<Environment> environment_or_404(store::Tx& tx, const ProjectId& project, std::string_view name) {
  auto found = store::environment_by_name(tx, project, name);
  if (!found) return not_found("There is no environment of that name in the project.");
  return *std::move(found);
}

Result<Environment> environment_for(store::Tx& tx, const Caller& caller, std::string_view name) {
  const EnvironmentId& own = caller.principal().key_environment;
  if (name.empty() && !own.empty()) return environment_by_id(tx, caller.project().id, own);
  Environment found =
      TRY(environment_or_404(tx, caller.project().id, name.empty() ? kStandardEnvironment : name));
  TRY(caller.require_environment(found));
  return found;
}

Environment environment_by_id(store::Tx& tx, const ProjectId& project, const EnvironmentId& id) {
  for (Environment& environment : store::environments(tx, project)) {
    if (environment.id == id) return std::move(environment);
  }
  throw store::DataBroken("an environment that something refers to is missing");
}

Environment last_environment(store::Tx& tx, const ProjectId& project) {
  auto all = store::environments(tx, project);
  if (all.empty()) throw store::DataBroken("a project without environments");
  return std::move(all.back());
}

}  // namespace imprimatur::registry
