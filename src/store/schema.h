// The one schema, as numbered steps that are applied when a store is opened.
#pragma once

#include "base/result.h"
#include "store/database.h"

#include <span>
#include <string>
#include <string_view>

namespace imprimatur::store {

// One step, written for SQLite. Its statements are separated by a line that holds only ";". A statement
// "REFUSE DELETE ON t" or "REFUSE UPDATE OF a, b ON t" becomes a trigger: evidence does not change, whoever
// holds the connection.
struct Migration {
  std::int64_t version;
  std::string_view statements;
};
std::span<const Migration> migrations();
std::int64_t newest_schema();
// Whether the database was ever brought to any schema.
bool has_schema(Database& database);
// The schema that the database has. Throws where it has none.
std::int64_t present_schema(Database& database);

// Brings the database to the newest schema, one process at a time. Refuses (unprocessable) a schema that is
// newer than this program.
Status migrate(Database& database);

// A statement of the schema as `dialect` writes it; more than one for a refusal in PostgreSQL.
std::vector<std::string> in_dialect(Dialect dialect, std::string_view statement);

}  // namespace imprimatur::store
