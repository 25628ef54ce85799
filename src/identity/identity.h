// People, their passwords and sessions, and who stands behind a credential.
#pragma once

#include "base/clock.h"
#include "base/result.h"
#include "domain/records.h"
#include "domain/words.h"
#include "identity/keys.h"
#include "identity/password.h"
#include "identity/secrets.h"
#include "identity/sessions.h"
#include "store/command.h"
#include "store/identity_rows.h"
#include "store/store.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::identity {

inline constexpr std::string_view kFirstAdmin = "admin@localhost";

using store::Command;

struct SignedIn {
  std::string token;
  std::string csrf;  // for browsers, which send the token as a cookie
  Time expires_at;
  User user;
};

struct NewUser {
  std::string email, display_name, password;
  bool organisation_admin = false;
};

// What is left out stays.
struct UserChange {
  std::optional<bool> disabled, organisation_admin;
  std::optional<std::string> display_name;
};

// A project, and the caller's role in it: none for a service account, whose scopes decide.
struct ProjectView {
  Project project;
  std::optional<Role> role;
};

// The caller as a person or a service account sees itself.
struct Self {
  Principal principal;
  std::string email;  // empty for a service account
  std::string display_name;
  bool organisation_admin = false;
  std::string environment;  // the name of the only one that a key may touch; empty: every one
  std::vector<ProjectView> projects;
};

// Failed sign-ins with e-mails that nobody has, of which the journal was not told yet. Safe from any thread.
class UnknownLogins {
 public:
  void add(std::int64_t attempts) { state_.lock()->attempts += attempts; }
  // Those that are to be told of now, which are then counted no more; 0 before the time.
  std::int64_t due(Time now);

 private:
  struct State {
    std::int64_t attempts = 0;
    std::optional<Time> told;
  };
  Sync<State> state_;
};

// Safe from any thread.
class Identity {
 public:
  Identity(store::Store& store, const Clock& clock, std::string server_secret,
           PasswordCost cost = interactive_cost());

  // Reads the keys. Before the first authenticate().
  Status start();

  // With nobody in the store: makes the organisation's journal and its first admin. The random password when
  // none was given, which nobody can learn again; empty when one was given or somebody was there.
  Result<std::string> bootstrap(std::string_view password, std::string_view signing_key_digest);

  // Who a session token or an API key stands for. What was committed before this call holds: an ended
  // session, a disabled person and a revoked key are refused.
  Result<Principal> authenticate(std::string_view secret);
  // A browser's request that may change something must also carry what only its own pages can read.
  Status check_csrf(std::string_view session_token, std::string_view csrf) const;

  // Unauthenticated in the same words and after the same work whether the e-mail is known, disabled or not;
  // rate limited after failed attempts on that account.
  Result<SignedIn> login(std::string_view email, std::string_view password);
  Status logout(const Principal& principal);
  // The present session stays, every other one of the person ends.
  Status change_password(const Principal& principal, std::string_view old_password,
                         std::string_view new_password);
  // By an organisation admin; every session of the person ends, and a throttled account is open again.
  Status reset_password(const Command& command, const PrincipalId& person, std::string_view new_password);

  Result<Self> self(const Principal& principal);
  Result<User> create_user(const Command& command, const NewUser& wanted);
  Result<store::Page<User>> users(const Principal& principal, const store::PageRequest& page);
  // Disabling ends every session at once. A conflict for oneself, and for the last organisation admin who is
  // not disabled.
  Result<User> change_user(const Command& command, const PrincipalId& id, const UserChange& change);

  // Register with Store::on_commit; also for entries that another process committed.
  void on_entries(const std::vector<journal::Entry>& entries);
  // Every half minute or so: stores last uses, sweeps what expired.
  Status upkeep();

  const Seals& seals() const { return seals_; }
  Keys& keys() { return keys_; }
  const PasswordHasher& passwords() const { return passwords_; }

 private:
  struct Attempt {
    std::string account;
    std::optional<User> user;
  };
  Result<Attempt> attempt(std::string_view email);
  // Rate limited while the account has to wait.
  Status may_try(const std::string& account);
  Error refuse_login(const Attempt& attempt);
  // Journals failures with unknown e-mails that no entry tells of yet, when one is due.
  Status report_unknown();
  Result<SignedIn> open_session(const Attempt& attempt);

  store::Store& store_;
  const Clock& clock_;
  const Seals seals_;
  PasswordHasher passwords_;
  Sessions sessions_;
  Keys keys_;
  UnknownLogins unknown_;
};

}  // namespace imprimatur::identity
