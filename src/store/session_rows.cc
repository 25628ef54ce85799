// Rows that are no evidence: sessions, failed logins, outcomes kept for repeated requests.
#include "store/identity_rows.h"
#include "store/stored.h"

namespace imprimatur::store {

void insert_session(Tx& tx, const Session& session) {
  tx.database().touch(
      "INSERT INTO sessions (id, person, hash, csrf, created_at, expires_at, last_used_at) "
      "VALUES (?, ?, ?, ?, ?, ?, ?)",
      session.id, session.person, session.hash, session.csrf, session.created_at, session.expires_at,
      session.last_used_at);
}

std::optional<Session> session_by_hash(Tx& tx, std::string_view hash) {
  return tx.database().one(
      "SELECT id, person, hash, csrf, created_at, expires_at, last_used_at FROM sessions WHERE hash = ?",
      [](const Row& row) {
        return Session{{row.text(0)}, {row.text(1)}, row.text(2), row.text(3),
                       row.time(4),   row.time(5),   row.time(6)};
      },
      hash);
}

void put_session_used(Tx& tx, const SessionId& session, Time at) {
  tx.database().touch("UPDATE sessions SET last_used_at = ? WHERE id = ?", at, session);
}

bool delete_session(Tx& tx, const SessionId& session) {
  return tx.database().touch("DELETE FROM sessions WHERE id = ?", session) > 0;
}

std::vector<SessionId> sessions_beyond(Tx& tx, const PrincipalId& person, int keep) {
  std::vector<SessionId> all = tx.database().all(
      "SELECT id FROM sessions WHERE person = ? ORDER BY created_at DESC, id DESC",
      [](const Row& row) { return SessionId{row.text(0)}; }, person);
  if (all.size() <= static_cast<std::size_t>(keep)) return {};
  all.erase(all.begin(), all.begin() + keep);
  return all;
}

std::int64_t delete_sessions_of(Tx& tx, const PrincipalId& person, const SessionId& keep) {
  return tx.database().touch("DELETE FROM sessions WHERE person = ? AND id <> ?", person, keep);
}

void delete_expired_sessions(Tx& tx, Time now) {
  tx.database().touch("DELETE FROM sessions WHERE expires_at <= ?", now);
}

FailedLogins failed_logins(Tx& tx, std::string_view account) {
  return tx.database()
      .one(
          "SELECT failures, last_at FROM failed_logins WHERE account = ?",
          [](const Row& row) {
            return FailedLogins{static_cast<int>(row.integer(0)), row.time(1)};
          },
          account)
      .value_or(FailedLogins{});
}

void put_failed_logins(Tx& tx, std::string_view account, const FailedLogins& failed) {
  tx.database().touch(
      "INSERT INTO failed_logins (account, failures, last_at) VALUES (?, ?, ?) "
      "ON CONFLICT (account) DO UPDATE SET failures = excluded.failures, last_at = excluded.last_at",
      account, failed.count, failed.last);
}

void delete_failed_logins(Tx& tx, std::string_view account) {
  tx.database().touch("DELETE FROM failed_logins WHERE account = ?", account);
}

void delete_old_failed_logins(Tx& tx, Time before) {
  tx.database().touch("DELETE FROM failed_logins WHERE last_at < ?", before);
}

std::optional<Idempotent> idempotent(Tx& tx, const PrincipalId& principal, std::string_view key,
                                     Time not_before) {
  return tx.database().one(
      "SELECT request_hash, outcome FROM idempotency WHERE principal = ? AND request_key = ? "
      "AND created_at >= ?",
      [](const Row& row) {
        return Idempotent{row.text(0), row.text(1)};
      },
      principal, key, not_before);
}

void put_idempotent(Tx& tx, const PrincipalId& principal, std::string_view key, const Idempotent& entry,
                    Time at) {
  tx.database().touch(
      "INSERT INTO idempotency (principal, request_key, request_hash, outcome, created_at) "
      "VALUES (?, ?, ?, ?, ?) ON CONFLICT (principal, request_key) DO UPDATE SET "
      "request_hash = excluded.request_hash, outcome = excluded.outcome, created_at = excluded.created_at",
      principal, key, entry.request_hash, entry.outcome, at);
}

void delete_old_idempotent(Tx& tx, Time before) {
  tx.database().touch("DELETE FROM idempotency WHERE created_at < ?", before);
}

}  // namespace imprimatur::store
