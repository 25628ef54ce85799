// The command line: everything but what only the server's wiring can do, which main hands in.
#pragma once

#include "base/result.h"
#include "cli/console.h"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace imprimatur::cli {

// What a script may rely on.
enum class Exit {
  done = 0,
  refused = 1,    // somebody said no, something was skipped, a finding of HIGH or more, a broken journal
  wrong_use = 2,  // the arguments or the files given cannot be right
  failed = 3,     // could not reach the server, could not read or write
};
Exit exit_of(ErrorCode code);

// An option of `serve`. A switch takes no value; it is handed over as "true".
struct ServeOption {
  std::string name;  // "log-level"
  std::string says;
  bool is_switch = false;
};

struct Program {
  std::vector<ServeOption> serve_options;
  // The options given, by name, the configuration file ("" for none), and whether to speak JSON. Runs until
  // told to stop.
  std::function<Status(const std::map<std::string, std::string>& options, const std::string& file, bool json)>
      serve;
  // The seed that signs the heads of a data directory's journals.
  std::function<Result<std::string>(const std::string& data_directory)> signing_seed;
};

// Never throws; what it returns is an Exit.
int run(int argc, const char* const* argv, const Program& program, Console& console);

}  // namespace imprimatur::cli
