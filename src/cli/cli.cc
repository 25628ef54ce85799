#include "cli/cli.h"

#include "cli/commands.h"

#include <exception>
#include <memory>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

namespace imprimatur::cli {
namespace {

constexpr const char* kVersion = "0.1.0";

int wrong_use(const Console& console, const std::string& detail) {
  console.fail(invalid(detail + "\nRun with --help for what there is."));
  return static_cast<int>(Exit::wrong_use);
}

int run_chosen(const Commands& commands) {
  Result<Exit> done = commands.chosen();
  if (done.ok()) return static_cast<int>(*done);
  commands.console.fail(done.error());
  return static_cast<int>(exit_of(done.error().code));
}

}  // namespace

Exit exit_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid:
    case ErrorCode::unsupported: return Exit::wrong_use;
    case ErrorCode::unauthenticated:
    case ErrorCode::forbidden:
    case ErrorCode::not_found:
    case ErrorCode::conflict:
    case ErrorCode::precondition_failed:
    case ErrorCode::too_large:
    case ErrorCode::unprocessable: return Exit::refused;
    case ErrorCode::rate_limited:
    case ErrorCode::unavailable: return Exit::failed;
  }
  CHECK(false, "unknown error code");
}

CLI::App* Commands::add(const std::string& name, const std::string& says, const std::string& examples,
                        CLI::App* group) {
  CLI::App* command = (group == nullptr ? app : *group).add_subcommand(name, says);
  std::string footer = "\nExamples:\n" + examples;
  command->footer(footer);
  command->add_flag("--json", console.json, "One JSON document on standard output");
  return command;
}

void add_server_options(CLI::App& command, ServerOptions& options) {
  command.add_option("--server", options.server, "Address of the server (IMPRIMATUR_SERVER)")
      ->type_name("URL");
  command.add_option("--project", options.project, "Name of the project (IMPRIMATUR_PROJECT)")
      ->type_name("NAME");
}

void add_serve(Commands& commands) {
  CLI::App* command = commands.add("serve", "Run the server in the foreground",
                                   "  imprimatur serve --demo\n"
                                   "  imprimatur serve --listen 127.0.0.1:8080 --data /var/lib/imprimatur\n"
                                   "  imprimatur serve --database postgresql://db/imprimatur --threads 4\n"
                                   "  imprimatur serve --listen 127.0.0.1:0 --json");
  auto values = std::make_shared<std::map<std::string, std::string>>();
  auto file = std::make_shared<std::string>();
  for (const ServeOption& option : commands.program.serve_options) {
    const auto keep = [values, name = option.name](const std::string& value) { (*values)[name] = value; };
    if (option.is_switch) {
      command->add_flag_callback(
          "--" + option.name, [keep] { keep("true"); }, option.says);
    } else {
      command->add_option_function<std::string>("--" + option.name, keep, option.says)->type_name("VALUE");
    }
  }
  command->add_option("--config", *file, "Read settings from this YAML file first")->type_name("FILE");
  command->callback([&commands, values, file] {
    commands.chosen = [&commands, values, file]() -> Result<Exit> {
      TRY(commands.program.serve(*values, *file, commands.console.json));
      return Exit::done;
    };
  });
}

void add_version(Commands& commands) {
  CLI::App* command = commands.add("version", "Say which version this is", "  imprimatur version --json");
  command->callback([&commands] {
    commands.chosen = [&commands]() -> Result<Exit> {
      if (commands.console.json) {
        commands.console.print({{"version", kVersion}});
      } else {
        commands.console.out << "imprimatur " << kVersion << "\n";
      }
      return Exit::done;
    };
  });
}

namespace {

int run_command(int argc, const char* const* argv, const Program& program, Console& console) {
  CLI::App app("Imprimatur: the release authority for prompts", "imprimatur");
  app.footer("\nExit codes: 0 done, 1 refused or found, 2 wrong use, 3 could not reach or failed.");
  app.require_subcommand(1);
  Commands commands{app, program, console, {}};
  add_serve(commands);
  add_import(commands);
  add_login(commands);
  add_review_commands(commands);
  add_release_commands(commands);
  add_diff(commands);
  add_scan(commands);
  add_verify(commands);
  add_journal(commands);
  add_version(commands);
  try {
    app.parse(argc, argv);
    return run_chosen(commands);
  } catch (const CLI::CallForHelp&) {
    const CLI::App* used = &app;
    std::string before;
    while (!used->get_subcommands().empty()) {
      before += (before.empty() ? "" : " ") + used->get_name();
      used = used->get_subcommands().front();
    }
    console.out << used->help(before);
    return static_cast<int>(Exit::done);
  } catch (const CLI::ParseError& error) {
    return wrong_use(console, error.what());
  } catch (const std::exception& error) {
    console.fail(unavailable(error.what()));
    return static_cast<int>(Exit::failed);
  }
}

}  // namespace

int run(int argc, const char* const* argv, const Program& program, Console& console) {
  const int done = run_command(argc, argv, program, console);
  console.out.flush();
  if (console.out) return done;
  console.err << "imprimatur: standard output could not be written; what the command did is done\n";
  return static_cast<int>(Exit::failed);
}

}  // namespace imprimatur::cli
