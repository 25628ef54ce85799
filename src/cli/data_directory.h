// A data directory without its server: imports into it, and reading it.
#pragma once

#include "base/result.h"
#include "cli/cli.h"
#include "cli/console.h"
#include "scan/ruleset.h"
#include "store/database.h"
#include "store/store.h"

#include <memory>
#include <string>

namespace imprimatur::cli {

// Whether the file begins as a database does.
bool is_database(const std::string& path);

// Opens the database for reading, also beside a running server. Nothing is created or migrated. An error when
// there is none, or when its schema is not this program's.
Result<std::unique_ptr<store::Database>> open_for_reading(const std::string& directory);

// Opens the store for writing, which no server may have open, and only when its journals verify.
Result<std::unique_ptr<store::Store>> open_for_writing(const Program& program, const Console& console,
                                                       const Clock& clock, const std::string& directory);

}  // namespace imprimatur::cli
