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
    : store_(store), clock_(clock), seals_(seals), table_(std::make_shared<const Table>()) {}

Status Keys::load() {
  auto editing = edits_.lock();
  auto table = std::make_shared<Table>();
  TRY(store_.read([&](store::Tx& tx) -> Status {
    std::unordered_map<PrincipalId, bool> disabled;
    std::vector<ApiKey> rows;
    store::each_key(tx, [&](const ApiKey& row) {
      if (!row.revoked_at) rows.push_back(row);
    });
    for (const ApiKey& row : rows) {
      if (!disabled.contains(row.account)) {
        const auto account = store::service_account(tx, row.account);
        disabled[row.account] = !account || account->disabled;
      }
      if (disabled[row.account]) continue;
      const auto key = std::make_shared<const Key>(row);
      table->by_seal[key->seal] = key;
      table->by_id[row.id] = key;
    }
    return Ok{};
  }));
  table_.publish(std::move(table));
  return Ok{};
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

void Keys::used(const KeyId& id) {
  const auto table = table_.get();
  const auto found = table->by_id.find(id);
  if (found != table->by_id.end()) note_use(*found->second, clock_.now());
}

void Keys::note_use(const Key& key, Time now) {
  const std::int64_t before = key.used_micros.load(std::memory_order_relaxed);
  if (now.micros - before >= kUseNotedEvery.micros)
    key.used_micros.store(now.micros, std::memory_order_relaxed);
}

void Keys::change(const std::function<void(Table&)>& edit) {
  auto editing = edits_.lock();
  auto next = std::make_shared<Table>(*table_.get());
  edit(*next);
  table_.publish(std::move(next));
}

void Keys::on_entry(const journal::Entry& entry) {
  constexpr std::string_view kResource = "key:";
  const std::string& resource = entry.event.resource;
  if (!resource.starts_with(kResource)) return;
  const KeyId id{resource.substr(kResource.size())};
  if (entry.event.action == "key.revoked") {
    change([&](Table& table) {
      const auto found = table.by_id.find(id);
      if (found == table.by_id.end()) return;
      table.by_seal.erase(found->second->seal);
      table.by_id.erase(found);
    });
  }
  if (entry.event.action != "key.created") return;
  const auto row =
      store_.read([&](store::Tx& tx) -> Result<std::optional<ApiKey>> { return store::key(tx, id); });
  if (!row.ok()) {
    behind_.store(true);
    return;
  }
  if (!*row || (*row)->revoked_at) return;
  const auto key = std::make_shared<const Key>(**row);
  change([&](Table& table) {
    table.by_seal[key->seal] = key;
    table.by_id[id] = key;
  });
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
