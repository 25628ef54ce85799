// Sign-in, sign-out and one's own password.
#include "domain/name.h"
#include "identity/events.h"
#include "identity/identity.h"
#include "identity/standing.h"
#include "identity/throttle.h"

namespace imprimatur::identity {
namespace {

Error wrong() { return unauthenticated("The e-mail address or the password is wrong."); }

const std::vector<std::string>& organisation() {
  static const std::vector<std::string> journals{std::string(journal::kOrganisation)};
  return journals;
}

}  // namespace

Result<Identity::Attempt> Identity::attempt(std::string_view email) {
  // What is no address is an account that nobody has, like any other.
  auto checked = checked_email(email);
  Attempt out{.account = seals_.of_account(checked.ok() ? *checked : email)};
  TRY(may_try(out.account));
  if (!checked.ok()) return out;
  out.user = TRY(store_.read(
      [&](store::Tx& tx) -> Result<std::optional<User>> { return store::user_by_email(tx, *checked); }));
  return out;
}

Status Identity::may_try(const std::string& account) {
  const auto failed = TRY(store_.read(
      [&](store::Tx& tx) -> Result<store::FailedLogins> { return store::failed_logins(tx, account); }));
  const Time now = clock_.now();
  if (failed.last > now) {
    TRY(store_.write({}, [&](store::Tx& tx) -> Status {
      store::put_failed_logins(tx, account, as_of(store::failed_logins(tx, account), now));
      return Ok{};
    }));
  }
  return may_attempt(as_of(failed, now), now);
}

std::int64_t UnknownLogins::due(Time now) {
  auto state = state_.lock();
  const bool waits = state->told && now >= *state->told && now < *state->told + kUnknownReportedEvery;
  if (state->attempts == 0 || waits) return 0;
  state->told = now;
  return std::exchange(state->attempts, 0);
}

Status Identity::report_unknown() {
  const std::int64_t attempts = unknown_.due(clock_.now());
  if (attempts == 0) return Ok{};
  const Status told = store_.write(organisation(), [&](store::Tx& tx) -> Status {
    tx.append(journal::kOrganisation, login_failed(std::nullopt, LoginFailure::unknown, attempts));
    return Ok{};
  });
  if (!told.ok()) unknown_.add(attempts);
  return told;
}

Result<SignedIn> Identity::login(std::string_view email, std::string_view password) {
  if (email.size() > kMaxEmailBytes) return invalid_field("email", "is too long");
  if (password.size() > kMaxPasswordBytes) return invalid_field("password", "is too long");
  // Held until the outcome is stored: see PasswordHasher::Turn.
  const auto turn = TRY(passwords_.turn());
  const Attempt who = TRY(attempt(email));
  const bool right = who.user ? passwords_.verify(turn, password, who.user->password_hash)
                              : passwords_.verify_nobody(turn, password);
  if (!right || who.user->disabled) return refuse_login(who);
  return open_session(who);
}

Error Identity::refuse_login(const Attempt& who) {
  if (!who.user) unknown_.add(1);
  const std::int64_t attempts = who.user ? 1 : unknown_.due(clock_.now());
  const auto why = !who.user            ? LoginFailure::unknown
                   : who.user->disabled ? LoginFailure::disabled
                                        : LoginFailure::password;
  const Status stored = store_.write(organisation(), [&](store::Tx& tx) -> Status {
    store::put_failed_logins(tx, who.account,
                             failed_again(store::failed_logins(tx, who.account), clock_.now()));
    if (attempts > 0) tx.append(journal::kOrganisation, login_failed(who.user, why, attempts));
    return Ok{};
  });
  if (stored.ok()) return wrong();
  if (!who.user) unknown_.add(attempts);
  return stored.error();
}

Result<SignedIn> Identity::open_session(const Attempt& who) {
  SignedIn out{.token = new_session_token()};
  out.csrf = seals_.csrf_of(out.token);
  const SessionId id{new_id("ses", clock_.now().micros / 1000)};
  const Status opened = store_.write(organisation(), [&](store::Tx& tx) -> Status {
    const auto user = store::user(tx, who.user->id);
    // Disabled, or given another password, since it was verified.
    if (!user || user->disabled || user->password_hash != who.user->password_hash) return wrong();
    const Session session{.id = id,
                          .person = user->id,
                          .hash = seals_.of_session(out.token),
                          .csrf = seals_.of_session(out.csrf),
                          .created_at = tx.now(),
                          .expires_at = clock_.now() + kSessionLife,
                          .last_used_at = tx.now()};
    store::delete_failed_logins(tx, who.account);
    for (const SessionId& oldest : store::sessions_beyond(tx, user->id, kMaxSessions - 1)) {
      store::delete_session(tx, oldest);
      tx.append(journal::kOrganisation, session_closed(oldest, user->id));
    }
    store::insert_session(tx, session);
    tx.append(journal::kOrganisation, session_opened(session));
    out.user = *user;
    out.expires_at = session.expires_at;
    return Ok{};
  });
  if (!opened.ok()) return opened.error();
  return out;
}

Status Identity::logout(const Principal& principal) {
  if (!principal.interactive())
    return forbidden("Only a session can be signed out of; revoke a key instead.");
  return store_.write(organisation(), [&](store::Tx& tx) -> Status {
    // The same session may be ended by several requests at once; it ended once.
    if (store::delete_session(tx, principal.session)) {
      tx.append(journal::kOrganisation, session_closed(principal.session, principal.id));
    }
    return Ok{};
  });
}

Status Identity::change_password(const Principal& principal, std::string_view old_password,
                                 std::string_view new_password) {
  if (!principal.interactive()) return forbidden("Only a person in a session has a password.");
  if (old_password.size() > kMaxPasswordBytes) return invalid_field("currentPassword", "is too long");
  TRY(check_new_password("newPassword", new_password));
  // Apart from failed sign-ins, so that neither a stolen session can guess on, nor a stranger's guesses keep
  // the owner from changing it.
  const std::string account = seals_.of_old_password(principal.id.text);
  const auto turn = TRY(passwords_.turn());
  TRY(may_try(account));
  const auto read = store_.read([&](store::Tx& tx) -> Result<User> {
    TRY(store::still_valid(tx, principal));
    return *store::user(tx, principal.id);
  });
  const User before = TRY(read);
  if (!passwords_.verify(turn, old_password, before.password_hash)) {
    TRY(store_.write(organisation(), [&](store::Tx& tx) -> Status {
      store::put_failed_logins(tx, account, failed_again(store::failed_logins(tx, account), clock_.now()));
      tx.append(journal::kOrganisation, login_failed(before, LoginFailure::password));
      return Ok{};
    }));
    return forbidden("The current password is wrong.", {"the current password is wrong"});
  }
  const std::string hash = passwords_.hash(turn, new_password);
  return store_.write(organisation(), [&](store::Tx& tx) -> Status {
    TRY(store::still_valid(tx, principal));
    User user = *store::user(tx, principal.id);
    if (user.password_hash != before.password_hash) return conflict("The password was changed meanwhile.");
    user.password_hash = hash;
    store::put_user(tx, user);
    store::delete_failed_logins(tx, account);
    const std::int64_t ended = store::delete_sessions_of(tx, user.id, principal.session);
    tx.append(journal::kOrganisation, password_changed(user.id, user, ended));
    return Ok{};
  });
}

Status Identity::reset_password(const Command& command, const PrincipalId& person,
                                std::string_view new_password) {
  TRY(store_.read([&](store::Tx& tx) { return require_organisation_admin(tx, command.principal); }));
  TRY(check_new_password("password", new_password));
  std::string hash;
  {
    const auto turn = TRY(passwords_.turn());
    hash = passwords_.hash(turn, new_password);
  }
  return store_.write(organisation(), [&](store::Tx& tx) -> Status {
    TRY(require_organisation_admin(tx, command.principal));
    auto user = store::user(tx, person);
    if (!user) return not_found("There is no such person.");
    user->password_hash = hash;
    store::put_user(tx, *user);
    store::delete_failed_logins(tx, seals_.of_account(user->email));
    store::delete_failed_logins(tx, seals_.of_old_password(person.text));
    const std::int64_t ended = store::delete_sessions_of(tx, person, SessionId{});
    tx.append(journal::kOrganisation, password_changed(command.principal.id, *user, ended));
    return Ok{};
  });
}

}  // namespace imprimatur::identity
