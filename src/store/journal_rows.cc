#include "store/journal_rows.h"

#include "store/cursor.h"
#include "store/query.h"
#include "store/stored.h"

namespace imprimatur::store {
namespace {

constexpr std::string_view kHead =
    "SELECT journal, size, last_hash, frontier, signature, public_key FROM heads";

[[noreturn]] void broken(std::string_view what, const std::string& journal) {
  throw DataBroken("a broken " + std::string(what) + " in journal " + journal);
}

Head head_in(const Row& row) {
  Head head;
  head.journal = row.text(0);
  head.size = static_cast<std::uint64_t>(row.integer(1));
  const std::optional<Hash256> last = hash_from_hex(row.text(2));
  Result<journal::Frontier> frontier = journal::Frontier::from_text(row.text(3));
  const std::optional<std::string> signature = from_base64(row.text(4));
  const std::optional<std::string> key = from_base64(row.text(5));
  if (!last || !frontier.ok() || !signature || !key) broken("head", head.journal);
  head.last_hash = *last;
  head.frontier = std::move(frontier).value();
  head.signature = *signature;
  head.public_key = *key;
  return head;
}

constexpr std::string_view kEntry =
    "SELECT journal, seq, time, action, actor, resource, details, previous, hash FROM entries";

journal::Entry entry_in(const Row& row) {
  journal::Entry entry;
  entry.journal = row.text(0);
  entry.seq = static_cast<std::uint64_t>(row.integer(1));
  entry.time = row.time(2);
  entry.event.action = row.text(3);
  entry.event.actor = {row.text(4)};
  entry.event.resource = row.text(5);
  entry.event.details = row.text(6);
  const std::optional<Hash256> previous = hash_from_hex(row.text(7)), hash = hash_from_hex(row.text(8));
  if (!previous || !hash) broken("hash", entry.journal);
  entry.previous = *previous;
  entry.hash = *hash;
  return entry;
}

// The first seq whose time is not before `time`; size + 1 when there is none. Times never go back in a
// journal, so a few look-ups find it.
std::int64_t first_not_before(Database& database, std::string_view journal, std::int64_t size, Time time) {
  std::int64_t low = 1, high = size + 1;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    const std::optional<Time> there = database.one(
        "SELECT time FROM entries WHERE journal = ? AND seq = ?", [](const Row& row) { return row.time(0); },
        journal, middle);
    if (there && *there >= time) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

std::int64_t size_of(Database& database, std::string_view journal) {
  return database
      .one(
          "SELECT size FROM heads WHERE journal = ?", [](const Row& row) { return row.integer(0); }, journal)
      .value_or(0);
}

}  // namespace

std::optional<Head> head(Tx& tx, std::string_view journal) {
  static const std::string sql = joined(kHead, " WHERE journal = ? AND size > 0");
  return tx.database().one(sql, head_in, journal);
}

std::vector<Head> heads(Tx& tx) {
  static const std::string sql = joined(kHead, " WHERE size > 0 ORDER BY journal");
  return tx.database().all(sql, head_in);
}

std::vector<journal::Entry> entries(Tx& tx, std::string_view journal, std::uint64_t from_seq, int limit) {
  static const std::string sql = joined(kEntry, " WHERE journal = ? AND seq >= ? ORDER BY seq LIMIT ?");
  return tx.database().all(sql, entry_in, journal, from_seq, limit);
}

std::uint64_t seq_not_before(Tx& tx, std::string_view journal, Time time) {
  const std::int64_t size = size_of(tx.database(), journal);
  return static_cast<std::uint64_t>(first_not_before(tx.database(), journal, size, time));
}

Result<Page<journal::Entry>> audit(Tx& tx, const AuditQuery& query, const PageRequest& page) {
  Database& database = tx.database();
  std::int64_t below = TRY(number_after(page, kNewest));
  const std::int64_t size = query.since || query.until ? size_of(database, query.journal) : 0;
  if (query.until) {
    below = std::min(below, first_not_before(database, query.journal, size, *query.until));
  }
  Query select(kEntry);
  select.where("journal = ?", query.journal).where("seq < ?", below);
  if (query.since) {
    select.where("seq >= ?", first_not_before(database, query.journal, size, *query.since));
  }
  if (!query.actor.empty()) select.where("actor = ?", query.actor);
  if (!query.resource.empty()) select.where("resource = ?", query.resource);
  if (query.action.ends_with(".*")) {
    // "version.*": from "version." up to "version/", the byte after the point.
    const std::string prefix = query.action.substr(0, query.action.size() - 1);
    select.where("action >= ?", prefix).where("action < ?", prefix.substr(0, prefix.size() - 1) + "/");
  } else if (!query.action.empty()) {
    select.where("action = ?", query.action);
  }
  select.order("seq DESC", page.limit);
  return paged(select.all(database, entry_in), page,
               [](const journal::Entry& entry) { return static_cast<std::int64_t>(entry.seq); });
}

void each_leaf(Tx& tx, std::string_view journal, std::uint64_t begin, std::uint64_t end,
               const std::function<void(const Hash256&)>& take) {
  std::uint64_t taken = 0;
  tx.database().each(
      "SELECT hash FROM entries WHERE journal = ? AND seq > ? AND seq <= ? ORDER BY seq",
      [&](const Row& row) {
        const std::optional<Hash256> hash = hash_from_hex(row.text(0));
        if (!hash) broken("hash", std::string(journal));
        ++taken;
        take(journal::leaf_hash(bytes_of(*hash)));
      },
      journal, begin, end);
  if (taken != end - begin) broken("row of entries", std::string(journal));
}

}  // namespace imprimatur::store
