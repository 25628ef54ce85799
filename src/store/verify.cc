// The check of a whole store against its journals, and its export.
#include "base/check.h"
#include "journal/exported.h"
#include "journal/note.h"
#include "store/journal_rows.h"
#include "store/verify_rows.h"
#include "store/verify_schema.h"

#include <malloc.h>
#include <set>

namespace imprimatur::store {
namespace {

// A hash as this program writes it: 64 digits in lower case. Anything else is a fault of its own, even where
// it would read as the right hash.
Hash256 hash_in(const Row& row, std::size_t column, std::string_view name, std::string& fault) {
  const auto hash = hash_from_hex(row.text(column));
  if (hash && to_hex(*hash) == row.text(column)) return *hash;
  fault = std::string(name) + " is not 64 hexadecimal digits in lower case";
  return Hash256{};
}

std::string base64_in(const Row& row, std::size_t column, std::string_view name, std::string& fault) {
  auto bytes = from_base64(row.text(column));
  if (bytes && to_base64(*bytes) == row.text(column)) return *std::move(bytes);
  fault = std::string(name) + " is not base64";
  return {};
}

struct EntryRow {
  journal::Entry entry;
  std::string fault;
};
EntryRow entry_in(const Row& row) {
  EntryRow out;
  journal::Entry& entry = out.entry;
  entry.journal = row.text(0);
  entry.seq = static_cast<std::uint64_t>(row.integer(1));
  entry.time = row.time(2);
  entry.event = {row.text(3), row.text(5), row.text(6), {row.text(4)}};
  entry.previous = hash_in(row, 7, "the previous hash", out.fault);
  entry.hash = hash_in(row, 8, "the hash", out.fault);
  return out;
}

void each_entry(Database& database, std::string_view journal,
                const std::function<void(const EntryRow&)>& take) {
  database.stream(
      "SELECT journal, seq, time, action, actor, resource, details, previous, hash FROM entries "
      "WHERE journal = ? ORDER BY seq",
      [&](const Row& row) { take(entry_in(row)); }, journal);
}

// A head row that nobody filled yet is none: its journal was locked and nothing was appended.
struct HeadRow {
  journal::SignedHead head;
  Time last_time;
  std::string fault;
};
std::optional<HeadRow> head_row(Database& database, std::string_view journal) {
  const auto read = [](const Row& row) {
    HeadRow out;
    out.head.journal = row.text(0);
    out.head.size = static_cast<std::uint64_t>(row.integer(1));
    out.head.last_hash = hash_in(row, 2, "the head's last hash", out.fault);
    out.last_time = row.time(3);
    const auto frontier = journal::Frontier::from_text(row.text(4));
    if (!frontier.ok() || frontier->size != out.head.size || frontier->to_text() != row.text(4)) {
      out.fault = "the head's frontier is not that of its entries";
    } else {
      out.head.root = frontier->root();
    }
    out.head.signature = base64_in(row, 5, "the head's signature", out.fault);
    out.head.public_key = base64_in(row, 6, "the head's public key", out.fault);
    return out;
  };
  return database.one(
      "SELECT journal, size, last_hash, last_time, frontier, signature, public_key FROM heads "
      "WHERE journal = ? AND size > 0",
      read, journal);
}

// The organisation's journal first, then those of all projects.
std::vector<std::string> journals_of(Database& database) {
  std::set<std::string> names;
  for (const char* sql : {"SELECT journal FROM heads WHERE size > 0", "SELECT id FROM projects"}) {
    database.stream(sql, [&](const Row& row) { names.insert(row.text(0)); });
  }
  // From name to name along the primary key: DISTINCT would read every entry.
  std::string last;
  do {
    const std::string after = std::exchange(last, std::string());
    database.each(
        "SELECT coalesce(min(journal), '') FROM entries WHERE journal > ?",
        [&](const Row& row) { last = row.text(0); }, after);
    if (!last.empty()) names.insert(last);
  } while (!last.empty());
  names.erase(std::string(journal::kOrganisation));
  std::vector<std::string> out = {std::string(journal::kOrganisation)};
  out.insert(out.end(), names.begin(), names.end());
  return out;
}

// Each is put beside the head of its time by the key that signs the head of now: a witness signs no text but
// the one that the log signs.
void expect_cosigned(Database& database, const std::string& name, journal::Verifier& verifier) {
  const auto head = head_row(database, name);
  database.stream(
      "SELECT c.size, c.root, c.signature, coalesce(w.verifier_key, '') FROM cosignatures c LEFT JOIN "
      "witnesses w "
      "ON w.id = c.witness WHERE c.journal = ?",
      [&](const Row& row) {
        std::string fault;
        journal::Checkpoint seen;
        seen.origin = journal::origin_of(head ? head->head.public_key : std::string(), name);
        seen.size = static_cast<std::uint64_t>(row.integer(0));
        seen.root = hash_in(row, 1, "the root of a cosignature", fault);
        const std::string signature = base64_in(row, 2, "a cosignature", fault);
        const auto witness = journal::note_key_from_text(row.text(3));
        if (!witness.ok()) fault = "a cosignature is by no witness that is known";
        if (!fault.empty()) return verifier.fault({name, 0, fault});
        journal::Note note{seen.to_text(), {}};
        note.signatures.push_back({witness->name, witness->id(), signature});
        verifier.expect_cosigned(note, *witness);
      },
      name);
}

void verify_journal(Database& database, const std::string& name, journal::Verifier& verifier,
                    const std::function<void()>& counted) {
  Time last_time;
  expect_cosigned(database, name, verifier);
  each_entry(database, name, [&](const EntryRow& row) {
    if (!row.fault.empty()) verifier.fault({name, row.entry.seq, row.fault});
    verifier.take(row.entry);
    last_time = row.entry.time;
    counted();
  });
  each_row(database, name, [&](std::string key, std::string text) {
    verifier.take_row(name, std::move(key), std::move(text));
  });
  if (const auto head = head_row(database, name)) {
    verifier.take_head(head->head);
    if (!head->fault.empty()) verifier.fault({name, 0, head->fault});
    if (head->last_time != last_time)
      verifier.fault({name, 0, "the head's time is not that of the last entry"});
  }
}

// Signing the organisation's row by the key in use: the tables hold no row of their own for it.
void take_organisation_row(Database& database, journal::Verifier& verifier) {
  if (const auto head = head_row(database, journal::kOrganisation)) {
    verifier.take_row(
        journal::kOrganisation, "organisation",
        journal::RowText().set("signingKey", "sha256:" + to_hex(sha256(head->head.public_key))).text());
  }
}

// An index is read in the place of its table, so it has to repeat it. Empty when it does; PostgreSQL cannot
// be asked without an extension.
std::string damage(Database& database) {
  switch (database.dialect()) {
    case Dialect::sqlite: {
      const auto said =
          database.one("PRAGMA integrity_check(1)", [](const Row& row) { return row.text(0); }).value_or("");
      return said == "ok" ? std::string() : "the database file is damaged or altered: " + said;
    }
    case Dialect::postgresql: return {};
  }
  CHECK(false, "no such dialect");
}

Verification compared(Database& database, const Progress& progress, const journal::Trusted& trusted) {
  // By the heads: counting the entries would read all of them once more.
  std::uint64_t total = 0;
  database.stream("SELECT size FROM heads",
                  [&](const Row& row) { total += static_cast<std::uint64_t>(row.integer(0)); });
  std::uint64_t done = 0;
  journal::Verifier verifier(journal::Scope::store);
  verifier.expect(trusted);
  const auto counted = [&] {
    if (progress && ++done % 1000 == 0) progress(done, total);
  };
  const std::vector<std::string> names = journals_of(database);
  const bool empty = names.size() == 1 && total == 0;
  for (const std::string& name : names) {
    verify_journal(database, name, verifier, counted);
    if (name == journal::kOrganisation) take_organisation_row(database, verifier);
    if (!empty) verifier.close(name);
  }
  Verification out = verifier.finish();
  for (SchemaFault& fault : schema_faults(database)) {
    out.faults.push_back({std::string(journal::kOrganisation), 0, std::move(fault.what)});
    if (fault.reads) out.doubtful.emplace(journal::kEverything);
  }
  for (const Stray& stray : strays(database)) {
    out.faults.push_back({stray.project, 0, stray.table + " holds rows that no journal accounts for"});
  }
  return out;
}

}  // namespace

Verification verify(Tx& tx, const Progress& progress, const journal::Trusted& trusted) {
  Database& database = tx.database();
  database.be_patient();
  std::string damaged = damage(database);
  Verification out;
  try {
    out = compared(database, progress, trusted);
  } catch (const DatabaseGone&) {
    if (damaged.empty()) throw;  // else that is why it cannot be read
  }
  if (!damaged.empty()) {
    out.faults.insert(out.faults.begin(), {std::string(journal::kOrganisation), 0, std::move(damaged)});
    out.doubtful.emplace(journal::kEverything);
  }
  if (progress) progress(out.entries, out.entries);
  // The rows of a large store take hundreds of megabytes for a moment; a server goes on for months.
  malloc_trim(0);
  return out;
}

journal::SignedHead signed_head(const Head& head) {
  return {head.journal, head.size, head.frontier.root(), head.last_hash, head.signature, head.public_key};
}

void each_export_line(Tx& tx, const std::function<void(std::string_view line)>& take) {
  Database& database = tx.database();
  database.be_patient();
  take(journal::export_header());
  for (const std::string& name : journals_of(database)) {
    each_entry(database, name, [&](const EntryRow& row) { take(journal::exported_entry(row.entry)); });
    const auto row_line = [&](const std::string& key, const std::string& text) {
      take(journal::export_line(name, key, journal::RowText(text)));
    };
    each_row(database, name, row_line);
    const auto head = head_row(database, name);
    if (!head) continue;
    take(journal::export_line(head->head));
    if (name == journal::kOrganisation) {
      row_line(
          "organisation",
          journal::RowText().set("signingKey", "sha256:" + to_hex(sha256(head->head.public_key))).text());
    }
  }
}

}  // namespace imprimatur::store
