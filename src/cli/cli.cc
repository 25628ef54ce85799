#include "cli/cli.h"

#include "base/utf8.h"
#include "cli/commands.h"

#include <algorithm>
#include <charconv>
#include <exception>
#include <memory>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

namespace imprimatur::cli {
namespace {

constexpr const char* kVersion = "0.1.0";

// What the values of serve's options look like.
const char* value_of(std::string_view option) {
  static const std::map<std::string_view, const char*> kValues{
      {"listen", "ADDRESS:PORT"}, {"data", "DIR"},         {"database", "URL"},
      {"secret-file", "FILE"},    {"threads", "N"},        {"certificate-file", "FILE"},
      {"key-file", "FILE"},       {"rule-packs", "FILES"}, {"access-log", "true|false"},
      {"log-level", "LEVEL"}};
  const auto found = kValues.find(option);
  return found == kValues.end() ? "VALUE" : found->second;
}

// Settings speak of one another by their names in the file: "key_file" is "--key-file" here.
std::string as_options(std::string says, const std::vector<ServeOption>& options) {
  for (const ServeOption& option : options) {
    std::string in_file = option.name;
    std::replace(in_file.begin(), in_file.end(), '-', '_');
    const auto at = in_file == option.name ? says.npos : says.find(in_file);
    if (at != says.npos) says.replace(at, in_file.size(), "--" + option.name);
  }
  return says;
}

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

void say_json(CLI::App& command, const std::string& says) { command.get_option("--json")->description(says); }

void add_server_option(CLI::App& command, ServerOptions& options) {
  command.add_option("--server", options.server, "Address of the server (IMPRIMATUR_SERVER)")
      ->type_name("URL");
}

CLI::Option* add_number(CLI::App& command, const std::string& name, std::int64_t& number,
                        const std::string& says) {
  const auto from_one = [](const std::string& text) -> std::string {
    std::int64_t read = 0;
    const char* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, read);
    return error == std::errc{} && at == end && read > 0 ? "" : "\"" + text + "\" is no number from 1";
  };
  return command.add_option(name, number, says)->check(CLI::Validator(from_one, ""))->type_name("N");
}

void add_server_options(CLI::App& command, ServerOptions& options) {
  add_server_option(command, options);
  command.add_option("--project", options.project, "Name of the project (IMPRIMATUR_PROJECT)")
      ->type_name("NAME");
}

void add_serve(Commands& commands) {
  CLI::App* command = commands.add("serve", "Run the server in the foreground",
                                   "  imprimatur serve --demo\n"
                                   "  imprimatur serve --listen 127.0.0.1:8080 --data /var/lib/imprimatur\n"
                                   "  imprimatur serve --database postgresql://db/imprimatur --threads 4\n"
                                   "  imprimatur serve --listen 127.0.0.1:0 --json");
  say_json(*command, "What there is to say as JSON, one document a line");
  auto values = std::make_shared<std::map<std::string, std::string>>();
  auto file = std::make_shared<std::string>();
  for (const ServeOption& option : commands.program.serve_options) {
    const auto keep = [values, name = option.name](const std::string& value) { (*values)[name] = value; };
    const std::string says = as_options(option.says, commands.program.serve_options);
    if (option.is_switch) {
      command->add_flag_callback(
          "--" + option.name, [keep] { keep("true"); }, says);
    } else {
      command->add_option_function<std::string>("--" + option.name, keep, says)
          ->type_name(value_of(option.name));
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

void add_all(Commands& commands) {
  add_serve(commands);
  add_import(commands);
  add_login(commands);
  add_show_commands(commands);
  add_review_commands(commands);
  add_release_commands(commands);
  add_diff(commands);
  add_evidence_commands(commands);
  add_scan(commands);
  add_verify(commands);
  add_journal(commands);
  add_version(commands);
}

// `help`, `help COMMAND` and `--version` as the library knows them.
std::vector<std::string> spelled_out(std::vector<std::string> arguments) {
  if (arguments.empty()) return arguments;
  if (arguments[0] == "help") {
    arguments.erase(arguments.begin());
    arguments.push_back("--help");
  } else if (arguments[0] == "--version") {
    arguments[0] = "version";
  }
  return arguments;
}

bool has_command(const CLI::App& app, const std::string& name) {
  return !app.get_subcommands([&](const CLI::App* command) { return command->get_name() == name; }).empty();
}

// What is wrong with the words themselves, whatever else is missing; empty when nothing is.
std::string not_understood(CLI::App& app, const std::vector<std::string>& arguments) {
  if (arguments.empty()) return "no command was named";
  if (!arguments[0].starts_with('-') && !has_command(app, arguments[0])) {
    return "there is no command '" + arguments[0] + "'";
  }
  const CLI::App* used = &app;
  std::string before;
  while (!used->get_subcommands().empty()) {
    used = used->get_subcommands().front();
    before += used->get_name() + " ";
  }
  const std::vector<std::string> left = app.remaining(true);
  for (const std::string& word : left) {
    if (word.starts_with('-') && word.size() > 1) return "unknown option " + word;
  }
  if (left.empty()) return {};
  const bool group = !used->get_subcommands([](const CLI::App*) { return true; }).empty();
  return group ? "there is no command '" + before + left.front() + "'"
               : "one argument too many: " + left.front();
}

int show_help(const Console& console, const CLI::App& app) {
  const CLI::App* used = &app;
  std::string before;
  while (!used->get_subcommands().empty()) {
    before += (before.empty() ? "" : " ") + used->get_name();
    used = used->get_subcommands().front();
  }
  console.out << used->help(before);
  return static_cast<int>(Exit::done);
}

int run_command(int argc, const char* const* argv, const Program& program, Console& console) {
  CLI::App app("Imprimatur: the release authority for prompts", "imprimatur");
  app.footer(
      "\n`imprimatur help COMMAND` shows its options and examples.\n"
      "Exit codes: 0 done, 1 refused or found, 2 wrong use, 3 could not reach or failed.");
  app.require_subcommand(1);
  Commands commands{app, program, console, {}};
  add_all(commands);
  std::vector<std::string> given(argv + 1, argv + argc);
  for (std::size_t i = 0; i < given.size(); ++i) {
    if (first_invalid_utf8(given[i])) {
      return wrong_use(console, "argument " + std::to_string(i + 1) + " is not UTF-8: " + given[i]);
    }
  }
  const std::vector<std::string> arguments = spelled_out(std::move(given));
  try {
    std::vector<std::string> backwards(arguments.rbegin(), arguments.rend());
    app.parse(backwards);
    return run_chosen(commands);
  } catch (const CLI::CallForHelp&) {
    const std::string wrong = not_understood(app, arguments);
    return wrong.empty() ? show_help(console, app) : wrong_use(console, wrong);
  } catch (const CLI::ParseError& error) {
    std::string wrong = not_understood(app, arguments);
    if (wrong.empty()) wrong = error.what();
    constexpr std::string_view kExcludes = " excludes ";
    if (const auto at = wrong.find(kExcludes); at != wrong.npos && error.get_name() == "ExcludesError") {
      wrong.replace(at, kExcludes.size(), " cannot be given with ");
    }
    return wrong_use(console, wrong);
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
