#include "identity/identity.h"

#include "identity/events.h"
#include "identity/standing.h"
#include "identity/throttle.h"
#include "journal/commitment.h"
#include "store/journal_rows.h"

namespace imprimatur::identity {
namespace {

constexpr std::size_t kRandomPasswordBytes = 18;

}  // namespace

Identity::Identity(store::Store& store, const Clock& clock, std::string server_secret, PasswordCost cost)
    : store_(store),
      clock_(clock),
      seals_(std::move(server_secret)),
      passwords_(cost),
      sessions_(store, clock, seals_),
      keys_(store, clock, seals_) {}

Status Identity::start() { return keys_.load(); }

Result<std::string> Identity::bootstrap(std::string_view password, std::string_view signing_key_digest) {
  const std::int64_t people =
      TRY(store_.read([](store::Tx& tx) -> Result<std::int64_t> { return store::count_users(tx); }));
  if (people > 0) return std::string();
  std::string made;
  if (password.empty()) {
    made = to_base64url(random_bytes(kRandomPasswordBytes));
    password = made;
  }
  TRY(check_new_password("the first admin's password", password));
  std::string hash;
  {
    const auto turn = TRY(passwords_.turn());
    hash = passwords_.hash(turn, password);
  }
  const std::string id = new_id("usr", clock_.now().micros / 1000);
  const bool first =
      TRY(store_.write({std::string(journal::kOrganisation)}, [&](store::Tx& tx) -> Result<bool> {
        // People who are gone while their journal is there are a fault, to be found and not to be mended.
        if (store::count_users(tx) > 0 || store::head(tx, journal::kOrganisation)) return false;
        const User admin{.id = {id},
                         .email = std::string(kFirstAdmin),
                         .display_name = "Administrator",
                         .password_hash = hash,
                         .organisation_admin = true,
                         .created_at = tx.now(),
                         .salt = journal::new_salt()};
        store::insert_user(tx, admin);
        tx.append(journal::kOrganisation, organisation_created(signing_key_digest));
        tx.append(journal::kOrganisation, user_created({std::string(kSystem)}, admin));
        return true;
      }));
  return first ? made : std::string();
}

Result<Principal> Identity::authenticate(std::string_view secret) {
  if (secret.starts_with(kSessionPrefix)) return sessions_.authenticate(secret);
  if (secret.starts_with(kKeyPrefix)) return keys_.authenticate(secret);
  return unauthenticated("The credential is neither a session token nor an API key.");
}

Status Identity::check_csrf(std::string_view session_token, std::string_view csrf) const {
  if (seals_.csrf_fits(session_token, csrf)) return Ok{};
  return forbidden("The request carries a session cookie without the CSRF token of that session.",
                   {"send the CSRF token, or the session token in Authorization"});
}

void Identity::on_entries(const std::vector<journal::Entry>& entries) {
  for (const journal::Entry& entry : entries) {
    sessions_.on_entry(entry);
    keys_.on_entry(entry);
  }
}

Status Identity::upkeep() {
  TRY(report_unknown());
  TRY(sessions_.write_uses());
  TRY(keys_.write_uses());
  return store_.write({}, [&](store::Tx& tx) -> Status {
    store::delete_expired_sessions(tx, tx.now());
    store::delete_old_idempotent(tx, tx.now() - store::kIdempotencyKept);
    store::delete_old_failed_logins(tx, tx.now() - kFailuresForgotten);
    return Ok{};
  });
}

}  // namespace imprimatur::identity
