#include "store/schema.h"

#include "base/check.h"
#include "base/trim.h"

#include <algorithm>
#include <cctype>

namespace imprimatur::store {
namespace {

// Any number that no other program on the same database uses.
constexpr std::string_view kMigrationLock = "SELECT pg_advisory_xact_lock(4927316500217)";

bool word_character(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::string with_words_replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const bool here = text.substr(i, from.size()) == from && (i == 0 || !word_character(text[i - 1])) &&
                      (i + from.size() == text.size() || !word_character(text[i + from.size()]));
    if (here) {
      out += to;
      i += from.size();
    } else {
      out += text[i++];
    }
  }
  return out;
}

std::vector<std::string_view> statements_of(std::string_view step) {
  std::vector<std::string_view> out;
  while (true) {
    const std::size_t end = step.find("\n;\n");
    out.push_back(trimmed(step.substr(0, end), kBlanksAndLineEnds));
    if (end == std::string_view::npos) return out;
    step.remove_prefix(end + 3);
  }
}

// "REFUSE <what> ON <table>", what being "DELETE" or "UPDATE OF a, b".
std::vector<std::string> refusal(Dialect dialect, std::string_view statement) {
  constexpr std::string_view kRefuse = "REFUSE ", kOn = " ON ";
  const std::size_t on = statement.rfind(kOn);
  CHECK(on != std::string_view::npos, "a refusal without a table");
  const std::string what(statement.substr(kRefuse.size(), on - kRefuse.size()));
  const std::string table(statement.substr(on + kOn.size()));
  const std::string kind = what.substr(0, 6) == "DELETE" ? "delete" : "update";
  const std::string name = table + "_refuse_" + kind;
  const std::string says = table + " is evidence: no " + kind;
  switch (dialect) {
    case Dialect::sqlite:
      return {"CREATE TRIGGER " + name + " BEFORE " + what + " ON " + table + " BEGIN SELECT RAISE(ABORT, '" +
              says + "'); END"};
    case Dialect::postgresql:
      return {"CREATE FUNCTION " + name + "() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''" +
                  says + "'' USING ERRCODE = ''integrity_constraint_violation''; END'",
              "CREATE TRIGGER " + name + " BEFORE " + what + " ON " + table +
                  " FOR EACH ROW EXECUTE FUNCTION " + name + "()"};
  }
  CHECK(false, "no such dialect");
}

Status apply(Database& database) {
  if (database.dialect() == Dialect::postgresql) database.touch(kMigrationLock);
  for (const std::string& statement : in_dialect(
           database.dialect(),
           "CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER NOT NULL PRIMARY KEY) STRICT")) {
    database.script(statement);
  }
  const std::int64_t present = present_schema(database);
  if (present > newest_schema()) {
    return unprocessable("the data were written by a newer program (schema " + std::to_string(present) +
                         ", this one knows " + std::to_string(newest_schema()) + "); run that one");
  }
  if (present > 0 && present < migrations().front().version) {
    return unprocessable(
        "the data were written by a trial version (schema " + std::to_string(present) +
        "), whose journal lacks what this one checks; serve them with that version, or import "
        "the prompts into a new data directory");
  }
  for (const Migration& step : migrations()) {
    if (step.version <= present) continue;
    for (const std::string_view statement : statements_of(step.statements)) {
      for (const std::string& text : in_dialect(database.dialect(), statement)) database.script(text);
    }
    database.touch("INSERT INTO schema_versions (version) VALUES (?)", step.version);
  }
  return Ok{};
}

}  // namespace

bool has_schema(Database& database) {
  const std::string_view sql = database.dialect() == Dialect::sqlite
                                   ? "SELECT count(*) FROM sqlite_master WHERE name = 'schema_versions'"
                                   : "SELECT count(*) FROM pg_tables WHERE tablename = 'schema_versions'";
  const auto tables = database.one(sql, [](const Row& row) { return row.integer(0); });
  return tables.value_or(0) > 0 && present_schema(database) > 0;
}

std::int64_t present_schema(Database& database) {
  return database
      .one("SELECT coalesce(max(version), 0) FROM schema_versions",
           [](const Row& row) { return row.integer(0); })
      .value_or(0);
}

std::vector<std::string> in_dialect(Dialect dialect, std::string_view statement) {
  if (statement.starts_with("REFUSE ")) return refusal(dialect, statement);
  switch (dialect) {
    case Dialect::sqlite: return {std::string(statement)};
    case Dialect::postgresql: {
      // Bytewise order and comparison, as SQLite has them.
      std::string text = with_words_replaced(statement, "TEXT", "TEXT COLLATE \"C\"");
      text = with_words_replaced(text, "INTEGER", "BIGINT");
      for (const std::string_view tail : {", WITHOUT ROWID", " STRICT"}) {
        if (text.ends_with(tail)) text.resize(text.size() - tail.size());
      }
      return {text};
    }
  }
  CHECK(false, "no such dialect");
}

Status migrate(Database& database) {
  database.begin_write();
  Status done = Ok{};
  try {
    done = apply(database);
    if (done.ok()) database.commit();
  } catch (...) {
    database.rollback();
    throw;
  }
  if (!done.ok()) database.rollback();
  return done;
}

}  // namespace imprimatur::store
