// The check of a whole store against its journals, and its export.
#include "journal/exported.h"
#include "store/journal_rows.h"
#include "store/verify_rows.h"

#include <malloc.h>
#include <set>

namespace imprimatur::store {
namespace {

// What cannot be read stands as zeros, which fit nothing.
journal::Entry entry_in(const Row& row) {
  journal::Entry entry;
  entry.journal = row.text(0);
  entry.seq = static_cast<std::uint64_t>(row.integer(1));
  entry.time = row.time(2);
  entry.event = {row.text(3), row.text(5), row.text(6), {row.text(4)}};
  entry.previous = hash_from_hex(row.text(7)).value_or(Hash256{});
  entry.hash = hash_from_hex(row.text(8)).value_or(Hash256{});
  return entry;
}

void each_entry(Database& database, std::string_view journal,
                const std::function<void(const journal::Entry&)>& take) {
  database.each(
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
    out.head.last_hash = hash_from_hex(row.text(2)).value_or(Hash256{});
    out.last_time = row.time(3);
    const auto frontier = journal::Frontier::from_text(row.text(4));
    if (!frontier.ok() || frontier->size != out.head.size) {
      out.fault = "the head's frontier is not that of its entries";
    } else {
      out.head.root = frontier->root();
    }
    out.head.signature = from_base64(row.text(5)).value_or(std::string());
    out.head.public_key = from_base64(row.text(6)).value_or(std::string());
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
  for (const char* sql : {"SELECT journal FROM heads WHERE size > 0", "SELECT DISTINCT journal FROM entries",
                          "SELECT id FROM projects"}) {
    database.each(sql, [&](const Row& row) { names.insert(row.text(0)); });
  }
  names.erase(std::string(journal::kOrganisation));
  std::vector<std::string> out = {std::string(journal::kOrganisation)};
  out.insert(out.end(), names.begin(), names.end());
  return out;
}

void verify_journal(Database& database, const std::string& name, journal::Verifier& verifier,
                    const std::function<void()>& counted) {
  Time last_time;
  each_entry(database, name, [&](const journal::Entry& entry) {
    verifier.take(entry);
    last_time = entry.time;
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

}  // namespace

Verification verify(Tx& tx, const Progress& progress, const std::vector<journal::SignedHead>& checkpoints) {
  Database& database = tx.database();
  const auto total =
      database.one("SELECT count(*) FROM entries", [](const Row& row) { return row.integer(0); });
  std::uint64_t done = 0;
  journal::Verifier verifier(journal::Scope::store);
  verifier.expect(checkpoints);
  const auto counted = [&] {
    if (progress && ++done % 1000 == 0) progress(done, static_cast<std::uint64_t>(total.value_or(0)));
  };
  const std::vector<std::string> names = journals_of(database);
  const bool empty = names.size() == 1 && total.value_or(0) == 0;
  for (const std::string& name : names) {
    if (name == journal::kOrganisation) take_organisation_row(database, verifier);
    verify_journal(database, name, verifier, counted);
    if (!empty) verifier.close(name);
  }
  Verification out = verifier.finish();
  for (const Stray& stray : strays(database)) {
    out.faults.push_back({stray.project, 0, stray.table + " holds rows that no journal accounts for"});
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
  take(journal::export_header());
  for (const std::string& name : journals_of(database)) {
    each_entry(database, name, [&](const journal::Entry& entry) { take(journal::exported_entry(entry)); });
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
