#include "store/verify_schema.h"

#include "base/check.h"
#include "store/schema.h"

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <set>

namespace imprimatur::store {
namespace {

// Kind and name of an object, and what defines it.
using Objects = std::map<std::string, std::string>;

constexpr std::string_view kMemory = ":memory:";

std::unique_ptr<Database> newly_made() {
  // In memory there is no write-ahead log to ask for, so it is opened for reading first.
  auto made = std::make_unique<Database>(
      ConnectionOptions{.target = std::string(kMemory), .access = Access::read_only});
  made->script("PRAGMA query_only = OFF");
  CHECK(migrate(*made).ok(), "a schema that cannot be made");
  return made;
}

Objects objects_of_sqlite(Database& database) {
  Objects out;
  database.each(
      // What the planner counted (ANALYZE) is no part of the schema. It has these names alone, as a table.
      "SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema WHERE NOT (type = 'table' AND name "
      "IN ('sqlite_stat1', 'sqlite_stat4'))",
      [&](const Row& row) { out[row.text(0) + " " + row.text(1)] = row.text(2) + ": " + row.text(3); });
  return out;
}

// PostgreSQL writes a definition in its own words; without white space, brackets, quotes and casts both say
// the same.
std::string in_short(std::string text) {
  constexpr std::string_view kCast = "::text";
  for (std::size_t at = text.find(kCast); at != text.npos; at = text.find(kCast))
    text.erase(at, kCast.size());
  std::erase_if(text, [](char c) { return std::string_view("() \n\"").find(c) != std::string_view::npos; });
  return text;
}

constexpr std::string_view kHere = "= CAST(current_schema() AS REGNAMESPACE)";

void add_tables(Database& database, const std::function<void(const Row&)>& add) {
  const std::string here(kHere);
  database.each(
      "SELECT CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'view' "
      "ELSE 'foreign or divided table' END, CAST(c.relname AS TEXT), CASE WHEN c.relrowsecurity OR "
      "c.relhasrules THEN 'with rules, ' ELSE '' END FROM pg_class c WHERE c.relnamespace " +
          here + " AND c.relkind IN ('r', 'v', 'm', 'f', 'p')",
      add);
  database.each(
      "SELECT 'table', CAST(c.relname AS TEXT), a.attname || ' ' || format_type(a.atttypid, "
      "a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END || CASE WHEN a.atthasdef "
      "THEN ' with a default' ELSE '' END || ', ' FROM pg_attribute a JOIN pg_class c ON c.oid = "
      "a.attrelid WHERE c.relnamespace " +
          here +
          " AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped "
          "ORDER BY c.relname, a.attnum",
      add);
  database.each(
      "SELECT 'table', CAST(c.relname AS TEXT), CASE WHEN k.convalidated THEN '' ELSE 'not valid ' "
      "END || pg_get_constraintdef(k.oid) || ', ' FROM pg_constraint k JOIN pg_class c ON c.oid = "
      "k.conrelid WHERE c.relnamespace " +
          here + " ORDER BY c.relname, k.contype DESC, pg_get_constraintdef(k.oid)",
      add);
}

// Tables with their columns and keys, indexes and triggers, as the catalog describes them.
Objects objects_of_postgresql(Database& database) {
  Objects out;
  const auto add = [&](const Row& row) { out[row.text(0) + " " + row.text(1)] += in_short(row.text(2)); };
  add_tables(database, add);
  const std::string here(kHere);
  database.each(
      "SELECT 'index', CAST(c.relname AS TEXT), CASE WHEN i.indisunique THEN 'unique ' ELSE '' END "
      "|| CASE WHEN i.indisvalid THEN '' ELSE 'not valid ' END || regexp_replace(pg_get_indexdef("
      "i.indexrelid), '^.* USING btree ', '') FROM pg_index i JOIN pg_class c ON c.oid = "
      "i.indexrelid WHERE NOT i.indisprimary AND c.relnamespace " +
          here,
      add);
  database.each(
      "SELECT 'trigger', CAST(t.tgname AS TEXT), CASE WHEN t.tgenabled = 'O' THEN '' ELSE 'switched "
      "off ' END || pg_get_triggerdef(t.oid, true) || ' ' || p.prosrc FROM pg_trigger t JOIN "
      "pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid WHERE NOT t.tgisinternal "
      "AND c.relnamespace " +
          here,
      add);
  return out;
}

std::string list_of_names(Database& made, const std::string& sql, const std::string& argument) {
  std::string out;
  made.each(
      sql, [&](const Row& row) { out += (out.empty() ? "" : ", ") + row.text(0); }, argument);
  return out;
}

std::string table_in_postgresql(Database& made, const std::string& table) {
  std::string out;
  made.each(
      "SELECT name, type FROM pragma_table_info(?) ORDER BY cid",
      [&](const Row& row) {
        out += row.text(0) + (row.text(1) == "INTEGER" ? " bigint" : " text") + " not null, ";
      },
      table);
  out += "PRIMARY KEY (" +
         list_of_names(made, "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk", table) + "), ";
  std::map<std::string, std::array<std::string, 3>> keys;
  made.each(
      "SELECT CAST(id AS TEXT), \"table\", \"from\", \"to\" FROM pragma_foreign_key_list(?) ORDER BY id, seq",
      [&](const Row& row) {
        auto& [to, from, names] = keys[row.text(0)];
        to = row.text(1);
        from += (from.empty() ? "" : ", ") + row.text(2);
        names += (names.empty() ? "" : ", ") + row.text(3);
      },
      table);
  std::set<std::string> sorted;
  for (const auto& [id, key] : keys) {
    sorted.insert("FOREIGN KEY (" + key[1] + ") REFERENCES " + key[0] + "(" + key[2] + "), ");
  }
  for (const std::string& key : sorted) out += key;
  return out;
}

std::string index_in_postgresql(Database& made, const std::string& name, const std::string& sql) {
  const std::size_t where = sql.find(" WHERE ");
  return (sql.starts_with("CREATE UNIQUE") ? "unique (" : "(") +
         list_of_names(made, "SELECT name FROM pragma_index_info(?) ORDER BY seqno", name) + ")" +
         (where == sql.npos ? "" : sql.substr(where));
}

// A refusal: its head is the same, its body a function of the same name.
std::string trigger_in_postgresql(const std::string& name, const std::string& sql) {
  constexpr std::string_view kSays = "RAISE(ABORT, ";
  const std::size_t begin = sql.find(" BEGIN "), says = sql.find(kSays) + kSays.size();
  return sql.substr(0, begin) + " FOR EACH ROW EXECUTE FUNCTION " + name + "() BEGIN RAISE EXCEPTION " +
         sql.substr(says, sql.find(')', says) - says) +
         " USING ERRCODE = 'integrity_constraint_violation'; END";
}

Objects expected_of_postgresql(Database& made) {
  struct Object {
    std::string type, name, sql;
  };
  const auto all =
      made.all("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL", [](const Row& row) {
        return Object{row.text(0), row.text(1), row.text(2)};
      });
  Objects out;
  for (const Object& object : all) {
    std::string& text = out[object.type + " " + object.name];
    if (object.type == "table") text = table_in_postgresql(made, object.name);
    if (object.type == "index") text = index_in_postgresql(made, object.name, object.sql);
    if (object.type == "trigger") text = trigger_in_postgresql(object.name, object.sql);
    text = in_short(text);
  }
  return out;
}

void compare(const Objects& expected, const Objects& there, std::vector<SchemaFault>& faults) {
  const auto fault = [&](const std::string& name, const char* what, bool ours = true) {
    faults.push_back({"the " + name + what, ours && name.starts_with("table ")});
  };
  for (const auto& [name, definition] : expected) {
    const auto found = there.find(name);
    if (found == there.end()) {
      fault(name, " is missing in the database");
    } else if (found->second != definition) {
      fault(name, " is not the one that this program makes");
    }
  }
  for (const auto& [name, definition] : there) {
    if (!expected.contains(name)) fault(name, " is none that this program makes", false);
  }
}

std::vector<std::int64_t> steps_of(Database& database) {
  return database.all("SELECT version FROM schema_versions ORDER BY version",
                      [](const Row& row) { return row.integer(0); });
}

}  // namespace

std::vector<SchemaFault> schema_faults(Database& database) {
  const auto made = newly_made();
  std::vector<SchemaFault> faults;
  switch (database.dialect()) {
    case Dialect::sqlite: compare(objects_of_sqlite(*made), objects_of_sqlite(database), faults); break;
    case Dialect::postgresql:
      compare(expected_of_postgresql(*made), objects_of_postgresql(database), faults);
      break;
  }
  if (faults.empty() && steps_of(*made) != steps_of(database)) {
    faults.push_back({"the steps of the schema are not those of this program"});
  }
  return faults;
}

}  // namespace imprimatur::store
