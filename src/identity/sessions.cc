#include "identity/sessions.h"

#include "store/identity_rows.h"

#include <algorithm>

namespace imprimatur::identity {
namespace {

Error not_signed_in() { return unauthenticated("The session is unknown or has ended; sign in again."); }

bool open_at(Time now, Time expires_at, Time last_used_at) {
  return now < expires_at && now < last_used_at + kSessionIdle;
}

}  // namespace

Sessions::Sessions(store::Store& store, const Clock& clock, const Seals& seals)
    : store_(store), clock_(clock), seals_(seals) {}

Result<Principal> Sessions::authenticate(std::string_view token) {
  if (!looks_like_session_token(token)) return not_signed_in();
  const std::string seal = seals_.of_session(token);
  const Time now = clock_.now();
  {
    auto copy = copy_.lock();
    const auto found = copy->by_seal.find(seal);
    if (found != copy->by_seal.end()) {
      Held& held = found->second;
      if (open_at(now, held.expires_at, held.last_used_at)) {
        held.last_used_at = std::max(held.last_used_at, now);
        if (copy->used.size() < kCachedSessions) copy->used[held.principal.session] = held.last_used_at;
        return held.principal;
      }
      // Another process may have seen it in use since.
      copy->by_seal.erase(found);
    }
  }
  return load(seal, now);
}

Result<Principal> Sessions::load(const std::string& seal, Time now) {
  const std::uint64_t changes_before = copy_.lock()->changes;
  struct Loaded {
    std::optional<Session> session;
    std::optional<User> user;
  };
  const Loaded loaded = TRY(store_.read([&](store::Tx& tx) -> Result<Loaded> {
    Loaded out{.session = store::session_by_hash(tx, seal)};
    if (out.session) out.user = store::user(tx, out.session->person);
    return out;
  }));
  if (!loaded.session || !loaded.user || loaded.user->disabled) return not_signed_in();
  const Session& session = *loaded.session;

  auto copy = copy_.lock();
  const auto used = copy->used.find(session.id);
  const Time last_used =
      used == copy->used.end() ? session.last_used_at : std::max(session.last_used_at, used->second);
  if (!open_at(now, session.expires_at, last_used)) return not_signed_in();
  Principal principal{
      .id = session.person, .organisation_admin = loaded.user->organisation_admin, .session = session.id};
  // What was read before something ended may be what ended: good for this request, which began before, and
  // for no other.
  if (copy->changes != changes_before) return principal;
  if (copy->by_seal.size() >= kCachedSessions) copy->by_seal.erase(copy->by_seal.begin());
  copy->by_seal[seal] = {principal, session.expires_at, std::max(last_used, now)};
  if (copy->used.size() < kCachedSessions) copy->used[session.id] = now;
  return principal;
}

void Sessions::on_entry(const journal::Entry& entry) {
  if (entry.journal != journal::kOrganisation) return;
  const std::string& action = entry.event.action;
  const std::string& resource = entry.event.resource;
  const auto forget = [&](std::string_view kind, auto id_of) {
    if (!resource.starts_with(kind)) return;
    const std::string_view id = std::string_view(resource).substr(kind.size());
    auto copy = copy_.lock();
    ++copy->changes;
    std::erase_if(copy->by_seal, [&](const auto& one) { return id_of(one.second.principal) == id; });
  };
  if (action == "session.closed")
    forget("session:", [](const Principal& principal) { return std::string_view(principal.session.text); });
  if (action == "user.changed" || action == "user.password_changed")
    forget("user:", [](const Principal& principal) { return std::string_view(principal.id.text); });
}

Status Sessions::write_uses() {
  std::unordered_map<SessionId, Time> used;
  {
    auto copy = copy_.lock();
    used.swap(copy->used);
  }
  if (used.empty()) return Ok{};
  Status written = store_.write({}, [&](store::Tx& tx) -> Status {
    for (const auto& [session, at] : used) store::put_session_used(tx, session, at);
    return Ok{};
  });
  if (!written.ok()) copy_.lock()->used.merge(used);
  return written;
}

}  // namespace imprimatur::identity
