// The rows of the tables that the journals account for, as text (journal/rows.h).
#pragma once

#include "journal/rows.h"
#include "store/database.h"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::store {

using TakeRow = std::function<void(std::string key, std::string text)>;

// The rows that belong to `journal`: the organisation's, or a project's.
void each_row(Database& database, std::string_view journal, const TakeRow& take);

// Projects that stand in some table and not among the projects, so that no journal can account for them.
struct Stray {
  std::string table;
  std::string project;
};
std::vector<Stray> strays(Database& database);

}  // namespace imprimatur::store
