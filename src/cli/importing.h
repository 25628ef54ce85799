// Many prompts on their way into a project, a batch at a time.
#pragma once

#include "base/result.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/console.h"
#include "cli/prompt_file.h"

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace imprimatur::cli {

inline constexpr std::size_t kBatchItems = 500;
inline constexpr std::size_t kBatchBytes = 6 * 1024 * 1024;

struct ImportRules {
  bool new_versions = false;  // save other content under a name that is taken as its next version
  bool dry_run = false;
};

struct Imported {
  std::string status;  // created, newVersion, unchanged, skipped
  std::string id;
  std::int64_t version = 0;
  std::string reason;
};

// Where prompts go: a server, or a data directory that no server has open.
class ImportTarget {
 public:
  virtual ~ImportTarget() = default;
  // What became of each, in their order. At most kBatchItems, one transaction.
  virtual Result<std::vector<Imported>> take(const std::vector<PromptFile>& prompts) = 0;
};

Result<std::unique_ptr<ImportTarget>> server_target(const Console& console, const ServerOptions& options,
                                                    const ImportRules& rules);
Result<std::unique_ptr<ImportTarget>> directory_target(const Program& program, const Console& console,
                                                       const std::string& directory,
                                                       const std::string& project, const ImportRules& rules);

}  // namespace imprimatur::cli
