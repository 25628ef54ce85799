// The commands, each of which adds itself to the command line. What was chosen is run afterwards.
#pragma once

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/console.h"

#include <functional>
#include <string>

namespace CLI {
class App;
}

namespace imprimatur::cli {

using Chosen = std::function<Result<Exit>()>;

struct Commands {
  CLI::App& app;
  const Program& program;
  Console& console;
  Chosen chosen;

  // A command with its examples, one a line, and --json; of `group` when there is one.
  CLI::App* add(const std::string& name, const std::string& says, const std::string& examples,
                CLI::App* group = nullptr);
};

// --server and --project.
void add_server_options(CLI::App& command, ServerOptions& options);

void add_serve(Commands& commands);
void add_import(Commands& commands);
void add_login(Commands& commands);
void add_review_commands(Commands& commands);   // submit, approve, reject
void add_release_commands(Commands& commands);  // deploy, rollback
void add_diff(Commands& commands);
void add_scan(Commands& commands);
void add_verify(Commands& commands);
void add_journal(Commands& commands);  // export
void add_version(Commands& commands);

}  // namespace imprimatur::cli
