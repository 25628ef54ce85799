#include "identity/keys.h"

#include "store/identity_rows.h"

#include <algorithm>

namespace imprimatur::identity {
namespace {

Error bad_key() { return unauthenticated("The API key is unknown, expired or revoked."); }

}  // namespace

Keys::Key::Key(const ApiKey& row)
    : principal{.id = row.account,
                .kind = PrincipalKind::service_account,
                .key = row.id,
                .key_project = row.project,
                .key_environment = row.environment,
                .scopes = row.scopes,
                .key_owner = row.owner},
      seal(row.hash),
      expires_at(row.expires_at),
      used_micros(row.last_used_at ? row.last_used_at->micros : 0),
      stored_micros(used_micros.load()) {}

Keys::Keys(store::Store& store, const Clock& clock, const Seals& seals)
    : store_(store),
      clock_(clock),
      seals_(seals),
      newest_(std::make_shared<const Table>()),
      table_(*newest_.lock()) {}

Status Keys::load() {
  auto newest = newest_.lock();
  auto table = std::make_shared<Table>();
  TRY(store_.read([&](store::Tx& tx) -> Status {
    store::each_usable_key(tx, [&](const ApiKey& row) { table->add(std::make_shared<const Key>(row)); });
    return Ok{};
  }));
  *newest = std::move(table);
  table_.publish(*newest);
  return Ok{};
}

void Keys::Table::add(std::shared_ptr<const Key> key) {
  by_seal[key->seal] = key;
  by_id[key->principal.key] = std::move(key);
}

Result<Principal> Keys::authenticate(std::string_view text) {
  if (!looks_like_api_key(text)) return bad_key();
  const Time now = clock_.now();
  const auto key = find(seals_.of_key(text));
  if (!key || (key->expires_at && now >= *key->expires_at)) return bad_key();
  note_use(*key, now);
  return key->principal;
}

std::shared_ptr<const Keys::Key> Keys::find(const std::string& seal) {
  for (int attempt = 0; attempt < 2; ++attempt) {
    const auto table = table_.get();
    const auto found = table->by_seal.find(seal);
    if (found != table->by_seal.end()) return found->second;
    if (!behind_.exchange(false)) return nullptr;
    if (!load().ok()) {
      behind_.store(true);
      return nullptr;
    }
  }
  return nullptr;
}

void Keys::used(const KeyId& id, Time at) {
  const auto table = table_.get();
  const auto found = table->by_id.find(id);
  if (found != table->by_id.end()) note_use(*found->second, at);
}

void Keys::note_use(const Key& key, Time now) {
  const std::int64_t before = key.used_micros.load(std::memory_order_relaxed);
  if (now.micros - before >= kUseNotedEvery.micros)
    key.used_micros.store(now.micros, std::memory_order_relaxed);
}

void Keys::change(Newest::Lock& newest, const std::function<void(Table&)>& edit) {
  auto next = std::make_shared<Table>(**newest);
  edit(*next);
  *newest = std::move(next);
  table_.publish(*newest);
}

void Keys::drop(const std::function<bool(const Key&)>& which) {
  auto newest = newest_.lock();
  change(newest, [&](Table& table) {
    std::erase_if(table.by_seal, [&](const auto& one) { return which(*one.second); });
    std::erase_if(table.by_id, [&](const auto& one) { return which(*one.second); });
  });
}

void Keys::on_entry(const journal::Entry& entry) {
  const std::string& action = entry.event.action;
  const auto id_in = [&](std::string_view kind) { return entry.event.resource.substr(kind.size()); };
  if (action == "key.revoked") {
    const KeyId id{id_in("key:")};
    drop([&](const Key& key) { return key.principal.key == id; });
  } else if (action == "service_account.changed") {
    const PrincipalId id{id_in("service_account:")};
    drop([&](const Key& key) { return key.principal.id == id; });
    read_keys([&](store::Tx& tx) -> std::vector<ApiKey> {
      const auto account = store::service_account(tx, id);
      if (!account || account->disabled) return {};
      auto keys = store::keys(tx, account->project);
      std::erase_if(keys, [&](const ApiKey& key) { return key.account != id; });
      return keys;
    });
  } else if (action == "key.created") {
    const KeyId id{id_in("key:")};
    read_keys([&](store::Tx& tx) -> std::vector<ApiKey> {
      const auto key = store::key(tx, id);
      if (!key) return {};
      const auto account = store::service_account(tx, key->account);
      if (!account || account->disabled) return {};
      return {*key};
    });
  }
}

void Keys::read_keys(const std::function<std::vector<ApiKey>(store::Tx&)>& which) {
  auto newest = newest_.lock();
  try {
    const auto rows = store_.read([&](store::Tx& tx) -> Result<std::vector<ApiKey>> { return which(tx); });
    if (!rows.ok()) return behind_.store(true);
    change(newest, [&](Table& table) {
      for (const ApiKey& row : *rows) {
        if (!row.revoked_at) table.add(std::make_shared<const Key>(row));
      }
    });
  } catch (const std::exception&) {
    behind_.store(true);
  }
}

Status Keys::write_uses() {
  struct Use {
    std::shared_ptr<const Key> key;
    Time at;
  };
  std::vector<Use> uses;
  for (const auto& [id, key] : table_.get()->by_id) {
    const Time at{key->used_micros.load()};
    if (at.micros > key->stored_micros.load()) uses.push_back({key, at});
  }
  if (uses.empty()) return Ok{};
  TRY(store_.write({}, [&](store::Tx& tx) -> Status {
    for (const Use& use : uses) store::put_key_used(tx, use.key->principal.key, use.at);
    return Ok{};
  }));
  for (const Use& use : uses) use.key->stored_micros.store(use.at.micros);
  return Ok{};
}

}  // namespace imprimatur::identity
