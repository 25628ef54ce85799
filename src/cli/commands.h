// The commands, each of which adds itself to the command line. What was chosen is run afterwards.
#pragma once

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/console.h"

#include <cstdint>
#include <functional>
#include <string>

namespace CLI {
class App;
class Option;
}  // namespace CLI

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

// Replaces what --json says, where it is not one document.
void say_json(CLI::App& command, const std::string& says);

// --server alone; --server and --project.
void add_server_option(CLI::App& command, ServerOptions& options);
void add_server_options(CLI::App& command, ServerOptions& options);

// An option that takes a whole number from 1.
CLI::Option* add_number(CLI::App& command, const std::string& name, std::int64_t& number,
                        const std::string& says);

void add_serve(Commands& commands);
void add_import(Commands& commands);
void add_login(Commands& commands);
void add_review_commands(Commands& commands);   // submit, approve, reject, withdraw
void add_show_commands(Commands& commands);     // reviews, show
void add_release_commands(Commands& commands);  // deploy, rollback
void add_diff(Commands& commands);
void add_evidence_commands(Commands& commands);  // evidence, history
void add_scan(Commands& commands);
void add_verify(Commands& commands);
void add_journal(Commands& commands);  // export
void add_version(Commands& commands);

}  // namespace imprimatur::cli
