// Service accounts and their keys.
#include "base/log.h"
#include "store/identity_rows.h"
#include "store/query.h"
#include "store/stored.h"

namespace imprimatur::store {
namespace {

constexpr std::string_view kAccount =
    "SELECT id, project, name, owner, disabled, created_at FROM service_accounts";

ServiceAccount account_in(const Row& row) {
  return {{row.text(0)}, {row.text(1)}, row.text(2), {row.text(3)}, row.flag(4), row.time(5)};
}

constexpr std::string_view kKey =
    "SELECT k.id, k.project, k.account, k.owner, k.name, k.hash, k.hint, k.scopes, k.environment, "
    "k.created_at, "
    "k.expires_at, k.revoked_at, coalesce(u.used_at, 0) FROM api_keys k LEFT JOIN key_uses u "
    "ON u.project = k.project AND u.api_key = k.id";

ApiKey key_in(const Row& row) {
  ApiKey key;
  key.id = {row.text(0)};
  key.project = {row.text(1)};
  key.account = {row.text(2)};
  key.owner = {row.text(3)};
  key.name = row.text(4);
  key.hash = row.text(5);
  key.hint = row.text(6);
  for (const std::string& scope : list_of(row.text(7))) key.scopes.push_back(stored(scope_of(scope), scope));
  key.environment = {row.text(8)};
  key.created_at = row.time(9);
  key.expires_at = time_or_none(row, 10);
  key.revoked_at = time_or_none(row, 11);
  key.last_used_at = time_or_none(row, 12);
  return key;
}

}  // namespace

void insert_service_account(Tx& tx, const ServiceAccount& account) {
  tx.database().exec(
      "INSERT INTO service_accounts (project, id, name, owner, disabled, created_at) VALUES (?, ?, ?, ?, ?, "
      "?)",
      account.project, account.id, account.name, account.owner, account.disabled ? 1 : 0, account.created_at);
}

void put_service_account_disabled(Tx& tx, const ServiceAccount& account) {
  tx.database().exec("UPDATE service_accounts SET disabled = ? WHERE project = ? AND id = ?",
                     account.disabled ? 1 : 0, account.project, account.id);
}

std::optional<ServiceAccount> service_account(Tx& tx, const PrincipalId& id) {
  static const std::string sql = joined(kAccount, " WHERE id = ?");
  return tx.database().one(sql, account_in, id);
}

std::vector<ServiceAccount> service_accounts(Tx& tx, const ProjectId& project) {
  static const std::string sql = joined(kAccount, " WHERE project = ? ORDER BY name, id");
  return tx.database().all(sql, account_in, project);
}

void insert_key(Tx& tx, const ApiKey& key) {
  std::vector<std::string> scopes;
  for (const Scope scope : key.scopes) scopes.emplace_back(name_of(scope));
  tx.database().exec(
      "INSERT INTO api_keys (project, id, account, owner, name, hash, hint, scopes, environment, created_at, "
      "expires_at, revoked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      key.project, key.id, key.account, key.owner, key.name, key.hash, key.hint, list_text(scopes),
      key.environment, key.created_at, micros_or_zero(key.expires_at), micros_or_zero(key.revoked_at));
}

void put_key_revoked(Tx& tx, const KeyId& key, Time at) {
  tx.database().exec(
      "UPDATE api_keys SET revoked_at = ? WHERE project = (SELECT project FROM api_keys WHERE id = ?) "
      "AND id = ?",
      at, key, key);
}

std::optional<ApiKey> key(Tx& tx, const KeyId& id) {
  static const std::string sql = joined(kKey, " WHERE k.id = ?");
  return tx.database().one(sql, key_in, id);
}

std::vector<ApiKey> keys(Tx& tx, const ProjectId& project) {
  static const std::string sql = joined(kKey, " WHERE k.project = ? ORDER BY k.created_at, k.id");
  return tx.database().all(sql, key_in, project);
}

void each_usable_key(Tx& tx, const std::function<void(const ApiKey&)>& take) {
  static const std::string sql =
      joined(kKey,
             " JOIN service_accounts a ON a.project = k.project AND a.id = k.account "
             "WHERE k.revoked_at = 0 AND a.disabled = 0");
  tx.database().each(sql, [&](const Row& row) {
    // One that cannot be read works for nobody, and keeps no other from working.
    std::optional<ApiKey> key;
    try {
      key = key_in(row);
    } catch (const DataBroken& error) {
      log(LogLevel::error, "data_broken", {{"error", error.what()}, {"key", row.text(0)}});
    }
    if (key) take(*key);
  });
}

void put_key_used(Tx& tx, const KeyId& key, Time at) {
  tx.database().touch(
      "INSERT INTO key_uses (project, api_key, used_at) SELECT k.project, k.id, ? FROM api_keys k "
      "WHERE k.id = ? ON CONFLICT (project, api_key) DO UPDATE SET used_at = excluded.used_at "
      "WHERE excluded.used_at > key_uses.used_at",
      at, key);
}

}  // namespace imprimatur::store
