// Service accounts of a project, and their keys.
#include "domain/name.h"
#include "identity/events.h"
#include "identity/paging.h"
#include "identity/projects.h"
#include "identity/standing.h"
#include "store/registry_rows.h"

#include <algorithm>
#include <map>
#include <set>

namespace imprimatur::identity {
namespace {

constexpr std::string_view kAccountOutcome = "service_account:";
constexpr std::string_view kKeyOutcome = "key:";
constexpr std::size_t kTailCharacters = 8;  // of an id, where a name needs one to be its own

AccountView view_of(store::Tx& tx, ServiceAccount account) {
  std::string owner = store::display_of(tx, account.owner);
  return {std::move(account), std::move(owner)};
}

KeyView view_of(store::Tx& tx, ApiKey key, std::string account,
                const std::vector<Environment>& environments) {
  KeyView view{.key = std::move(key), .service_account = std::move(account)};
  view.owner_name = store::display_of(tx, view.key.owner);
  for (const Environment& environment : environments) {
    if (environment.id == view.key.environment) view.environment = environment.name;
  }
  return view;
}

const ServiceAccount* named(const std::vector<ServiceAccount>& all, std::string_view name) {
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const ServiceAccount& one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

// The key's own name where it can be an account's and is free, else one that nobody has.
std::string name_for(const NewKey& wanted, const PrincipalId& id, const std::vector<ServiceAccount>& all) {
  if (checked_short_name(wanted.name).ok() && !named(all, wanted.name)) return wanted.name;
  return "key-" + id.text.substr(id.text.size() - kTailCharacters);
}

Status check_new_key(const NewKey& wanted, Time now) {
  const auto name = checked_display_name(wanted.name);
  if (!name.ok()) return invalid_field("name", name.error().detail);
  if (wanted.scopes.empty()) return invalid_field("scopes", "must name at least one scope");
  if (std::set<Scope>(wanted.scopes.begin(), wanted.scopes.end()).size() != wanted.scopes.size())
    return invalid_field("scopes", "names a scope twice");
  if (wanted.expires_at && *wanted.expires_at <= now)
    return invalid_field("expiresAt", "must be in the future");
  return Ok{};
}

Status room_for_account(const std::vector<ServiceAccount>& all) {
  if (all.size() < kMaxServiceAccounts) return Ok{};
  return conflict("The project has as many service accounts as it can hold.");
}

}  // namespace

Result<store::Page<AccountView>> Projects::service_accounts(const Principal& principal,
                                                            std::string_view project,
                                                            const PageRequest& page) {
  return store_.read([&](store::Tx& tx) -> Result<store::Page<AccountView>> {
    const Insider inside = TRY(project_admin(tx, principal, project));
    std::vector<AccountView> all;
    for (ServiceAccount& account : store::service_accounts(tx, inside.project.id))
      all.push_back(view_of(tx, std::move(account)));
    return page_of(std::move(all), page, [](const AccountView& view) { return view.account.name; });
  });
}

Result<AccountView> Projects::create_service_account(const Command& command, std::string_view project,
                                                     std::string_view name) {
  const ProjectId id = TRY(id_of(project));
  const PrincipalId account_id{make_id("svc")};
  return store_.write({id.text}, [&](store::Tx& tx) -> Result<AccountView> {
    TRY(project_admin(tx, command.principal, project));
    if (const auto outcome = TRY(store::replayed(tx, command))) {
      auto first = store::service_account(tx, PrincipalId{store::reference_in(*outcome, kAccountOutcome)});
      if (!first) throw store::DataBroken("a service account that is gone");
      return view_of(tx, *std::move(first));
    }
    const auto checked = checked_short_name(name);
    if (!checked.ok()) return invalid_field("name", checked.error().detail);
    const auto all = store::service_accounts(tx, id);
    if (named(all, *checked)) return conflict("There is already a service account of this name.");
    TRY(room_for_account(all));
    const ServiceAccount account{.id = account_id,
                                 .project = id,
                                 .name = *checked,
                                 .owner = command.principal.id,
                                 .created_at = tx.now()};
    store::insert_service_account(tx, account);
    tx.append(id.text, service_account_created(command.principal.id, account));
    store::remember(tx, command, std::string(kAccountOutcome) + account_id.text);
    return view_of(tx, account);
  });
}

Result<AccountView> Projects::change_service_account(const Command& command, std::string_view project,
                                                     std::string_view name_or_id, bool disabled) {
  const ProjectId id = TRY(id_of(project));
  return store_.write({id.text}, [&](store::Tx& tx) -> Result<AccountView> {
    TRY(project_admin(tx, command.principal, project));
    const auto all = store::service_accounts(tx, id);
    const auto found = std::find_if(all.begin(), all.end(), [&](const ServiceAccount& one) {
      return one.name == name_or_id || one.id.text == name_or_id;
    });
    if (found == all.end()) return not_found("There is no such service account in this project.");
    ServiceAccount account = *found;
    if (TRY(store::replayed(tx, command)) || account.disabled == disabled) return view_of(tx, account);
    account.disabled = disabled;
    store::put_service_account_disabled(tx, account);
    tx.append(id.text, service_account_changed(command.principal.id, account));
    store::remember(tx, command, std::string(kAccountOutcome) + account.id.text);
    return view_of(tx, account);
  });
}

Result<store::Page<KeyView>> Projects::keys(const Principal& principal, std::string_view project,
                                            const PageRequest& page) {
  return store_.read([&](store::Tx& tx) -> Result<store::Page<KeyView>> {
    const Insider inside = TRY(project_admin(tx, principal, project));
    auto rows = TRY(page_of_newest(store::keys(tx, inside.project.id), page, [](const ApiKey& key) {
      return to_rfc3339(key.created_at) + key.id.text;
    }));
    std::map<PrincipalId, std::string> names;
    for (const ServiceAccount& account : store::service_accounts(tx, inside.project.id))
      names[account.id] = account.name;
    const auto environments = store::environments(tx, inside.project.id);
    store::Page<KeyView> out{.next_cursor = rows.next_cursor};
    for (ApiKey& key : rows.items) {
      std::string account = names[key.account];
      out.items.push_back(view_of(tx, std::move(key), std::move(account), environments));
    }
    return out;
  });
}

Result<ServiceAccount> Projects::account_for(store::Tx& tx, const Command& command, const ProjectId& project,
                                             const NewKey& wanted, const PrincipalId& new_id) {
  const auto all = store::service_accounts(tx, project);
  if (!wanted.service_account.empty()) {
    const ServiceAccount* account = named(all, wanted.service_account);
    if (!account)
      return unprocessable("There is no service account of this name in the project.",
                           {"serviceAccount names no account of the project"});
    return *account;
  }
  TRY(room_for_account(all));
  const ServiceAccount made{.id = new_id,
                            .project = project,
                            .name = name_for(wanted, new_id, all),
                            .owner = command.principal.id,
                            .created_at = tx.now()};
  store::insert_service_account(tx, made);
  tx.append(project.text, service_account_created(command.principal.id, made));
  return made;
}

Result<IssuedKey> Projects::create_key(const Command& command, std::string_view project,
                                       const NewKey& wanted) {
  const ProjectId id = TRY(id_of(project));
  const PrincipalId account_id{make_id("svc")};
  const std::string secret = new_api_key();
  const KeyId key_id{make_id("key")};
  return store_.write({id.text}, [&](store::Tx& tx) -> Result<IssuedKey> {
    TRY(project_admin(tx, command.principal, project));
    if (const auto outcome = TRY(store::replayed(tx, command)))
      return conflict("This request created " + store::reference_in(*outcome, kKeyOutcome) +
                      " before; its secret is not kept. Revoke it and create another key if you lost it.");
    TRY(check_new_key(wanted, tx.now()));
    const auto environments = store::environments(tx, id);
    const auto bound = std::find_if(environments.begin(), environments.end(),
                                    [&](const Environment& one) { return one.name == wanted.environment; });
    if (!wanted.environment.empty() && bound == environments.end())
      return unprocessable("There is no environment of this name in the project.",
                           {"environment names none of the project"});
    if (store::keys(tx, id).size() >= kMaxKeys)
      return conflict("The project has as many API keys as it can hold.");
    const ServiceAccount account = TRY(account_for(tx, command, id, wanted, account_id));
    const ApiKey key{.id = key_id,
                     .project = id,
                     .account = account.id,
                     .owner = command.principal.id,
                     .name = wanted.name,
                     .hash = seals_.of_key(secret),
                     .hint = hint_of_key(secret),
                     .scopes = wanted.scopes,
                     .environment = bound == environments.end() ? EnvironmentId{} : bound->id,
                     .created_at = tx.now(),
                     .expires_at = wanted.expires_at};
    store::insert_key(tx, key);
    tx.append(id.text, key_created(command.principal.id, key));
    store::remember(tx, command, std::string(kKeyOutcome) + key_id.text);
    return IssuedKey{view_of(tx, key, account.name, environments), secret};
  });
}

Status Projects::revoke_key(const Command& command, std::string_view project, const KeyId& key_id) {
  const ProjectId id = TRY(id_of(project));
  return store_.write({id.text}, [&](store::Tx& tx) -> Status {
    TRY(project_admin(tx, command.principal, project));
    const auto key = store::key(tx, key_id);
    if (!key || key->project != id) return not_found("There is no such API key in this project.");
    if (key->revoked_at) return Ok{};
    store::put_key_revoked(tx, key_id, tx.now());
    tx.append(id.text, key_revoked(command.principal.id, key_id));
    return Ok{};
  });
}

}  // namespace imprimatur::identity
