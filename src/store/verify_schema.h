// The schema that the database has beside the one that the migrations make.
#pragma once

#include "store/database.h"

#include <string>
#include <vector>

namespace imprimatur::store {

// What is missing, more, or not the same: a view in the place of a table can answer differently by the hour,
// a trigger can change what is written, and a unique index that was dropped lets two releases be live. One
// sentence each; empty when there is nothing.
struct SchemaFault {
  std::string what;
  bool reads = false;  // a table is not the one it should be: what it answers is not to be believed
};
std::vector<SchemaFault> schema_faults(Database& database);

}  // namespace imprimatur::store
