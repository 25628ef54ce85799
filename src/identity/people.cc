// The people of the organisation.
#include "domain/name.h"
#include "identity/events.h"
#include "identity/identity.h"
#include "identity/standing.h"
#include "journal/commitment.h"
#include "store/cursor.h"
#include "store/registry_rows.h"

#include <algorithm>

namespace imprimatur::identity {
namespace {

constexpr std::string_view kUserOutcome = "user:";

Error unknown_user() { return not_found("There is no such person."); }

Result<std::string> as_field(std::string_view field, Result<std::string> checked) {
  if (checked.ok()) return checked;
  return invalid_field(std::string(field), checked.error().detail);
}

// Somebody must be able to let people in.
Status keep_an_admin(store::Tx& tx, const PrincipalId& except) {
  store::PageRequest page{.limit = store::kMaxPage};
  do {
    const auto some = TRY(store::users(tx, page));
    for (const User& user : some.items) {
      if (user.organisation_admin && !user.disabled && user.id != except) return Ok{};
    }
    page.cursor = some.next_cursor;
  } while (!page.cursor.empty());
  return conflict("The last organisation admin cannot be disabled or demoted; appoint another one first.");
}

Result<User> replayed_user(store::Tx& tx, std::string_view outcome) {
  auto user = store::user(tx, PrincipalId{store::reference_in(outcome, kUserOutcome)});
  if (!user) return unknown_user();
  return *std::move(user);
}

// People are told apart by their addresses, so one that only looks like another's is refused.
Status require_unlike_others(store::Tx& tx, const std::string& email) {
  std::string twin;
  store::each_email(tx, [&](const std::string& other) {
    if (twin.empty() && emails_look_alike(email, other)) twin = other;
  });
  if (twin.empty()) return Ok{};
  return conflict("The e-mail address looks like that of another person (\"" + twin +
                  "\"), and people are told apart by their addresses; use another one.");
}

// A right that was lost and regained does not revive verdicts, and a disabled account is a lost right. Both
// steps stand in every journal of `projects` where the person has it, so that a replay sees the right begin
// anew; a project that was joined meanwhile has no older verdicts.
void renew_verdict_rights(store::Tx& tx, const PrincipalId& actor, const PrincipalId& person,
                          const std::vector<ProjectId>& projects) {
  for (const ProjectId& project : projects) {
    auto member = store::membership(tx, project, person);
    if (!member || !gives_verdicts(member->role)) continue;
    const Role role = member->role;
    member->role = Role::viewer;
    tx.append(project.text, member_changed(actor, *member, role));
    member->role = role;
    member->verdicts_since = tx.now();
    store::put_member(tx, project, *member);
    tx.append(project.text, member_changed(actor, *member, Role::viewer));
  }
}

}  // namespace

Result<Self> Identity::self(const Principal& principal) {
  return store_.read([&](store::Tx& tx) -> Result<Self> {
    TRY(store::still_valid(tx, principal));
    Self out{.principal = principal};
    if (principal.kind == PrincipalKind::service_account) {
      out.display_name = store::service_account(tx, principal.id)->name;
      const auto project = store::project(tx, principal.key_project);
      if (!project) throw store::DataBroken("a key without a project");
      out.projects.push_back({*project, std::nullopt});
      for (const Environment& environment : store::environments(tx, project->id)) {
        if (environment.id == principal.key_environment) out.environment = environment.name;
      }
      return out;
    }
    const User user = *store::user(tx, principal.id);
    out.email = user.email;
    out.display_name = user.display_name;
    out.organisation_admin = user.organisation_admin;
    for (store::Standing& standing : store::standings(tx, principal.id))
      out.projects.push_back({std::move(standing.project), standing.role});
    return out;
  });
}

Result<User> Identity::create_user(const Command& command, const NewUser& wanted) {
  TRY(store_.read([&](store::Tx& tx) { return require_organisation_admin(tx, command.principal); }));
  const std::string email = TRY(as_field("email", checked_email(wanted.email)));
  const std::string name = TRY(as_field("displayName", checked_display_name(wanted.display_name)));
  TRY(check_new_password("password", wanted.password));
  std::string hash;
  {
    const auto turn = TRY(passwords_.turn());
    hash = passwords_.hash(turn, wanted.password);
  }
  const PrincipalId id{new_id("usr", clock_.now().micros / 1000)};
  return store_.write({std::string(journal::kOrganisation)}, [&](store::Tx& tx) -> Result<User> {
    TRY(require_organisation_admin(tx, command.principal));
    if (const auto outcome = TRY(store::replayed(tx, command))) return replayed_user(tx, *outcome);
    if (store::user_by_email(tx, email))
      return conflict("There is already a person with this e-mail address.");
    TRY(require_unlike_others(tx, email));
    const User user{.id = id,
                    .email = email,
                    .display_name = name,
                    .password_hash = hash,
                    .organisation_admin = wanted.organisation_admin,
                    .created_at = tx.now(),
                    .salt = journal::new_salt()};
    store::insert_user(tx, user);
    tx.append(journal::kOrganisation, user_created(command.principal.id, user));
    store::remember(tx, command, std::string(kUserOutcome) + id.text);
    return user;
  });
}

Result<store::Page<User>> Identity::users(const Principal& principal, const store::PageRequest& page) {
  return store_.read([&](store::Tx& tx) -> Result<store::Page<User>> {
    TRY(require_organisation_admin(tx, principal));
    return store::users(tx, page);
  });
}

Result<User> Identity::change_user(const Command& command, const PrincipalId& id, const UserChange& change) {
  std::string name;
  if (change.display_name) name = TRY(as_field("displayName", checked_display_name(*change.display_name)));
  std::vector<ProjectId> projects;
  std::vector<std::string> journals{std::string(journal::kOrganisation)};
  if (change.disabled == false) {
    const auto standings = store_.read([&](store::Tx& tx) -> Result<std::vector<store::Standing>> {
      TRY(require_organisation_admin(tx, command.principal));
      return store::standings(tx, id);
    });
    if (!standings.ok()) return standings.error();
    for (const store::Standing& standing : *standings) {
      projects.push_back(standing.project.id);
      journals.push_back(standing.project.id.text);
    }
  }
  return store_.write(std::move(journals), [&](store::Tx& tx) -> Result<User> {
    TRY(require_organisation_admin(tx, command.principal));
    if (const auto outcome = TRY(store::replayed(tx, command))) return replayed_user(tx, *outcome);
    const auto before = store::user(tx, id);
    if (!before) return unknown_user();
    User after = *before;
    after.disabled = change.disabled.value_or(before->disabled);
    after.organisation_admin = change.organisation_admin.value_or(before->organisation_admin);
    if (change.display_name) {
      after.display_name = name;
      after.salt = journal::new_salt();
    }
    const bool was_admin = before->organisation_admin && !before->disabled;
    if (was_admin && (after.disabled || !after.organisation_admin)) {
      TRY(keep_an_admin(tx, id));
      if (id == command.principal.id)
        return conflict("Nobody disables or demotes themselves; ask another organisation admin.");
    }

    const bool same = after.disabled == before->disabled && after.display_name == before->display_name &&
                      after.organisation_admin == before->organisation_admin;
    if (!same) {
      store::put_user(tx, after);
      std::int64_t ended = 0;
      if (after.disabled && !before->disabled) ended = store::delete_sessions_of(tx, id, SessionId{});
      tx.append(journal::kOrganisation, user_changed(command.principal.id, after, ended));
      if (before->disabled && !after.disabled) renew_verdict_rights(tx, command.principal.id, id, projects);
    }
    store::remember(tx, command, std::string(kUserOutcome) + id.text);
    return after;
  });
}

}  // namespace imprimatur::identity
