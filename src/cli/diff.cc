#include "base/percent.h"
#include "cli/commands.h"
#include "cli/prompt_sources.h"
#include "domain/diff_json.h"
#include "domain/words.h"

#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

namespace imprimatur::cli {
namespace {

namespace json = boost::json;

struct DiffOptions {
  ServerOptions server;
  std::vector<std::string> what;  // a prompt, or two files
  std::string from = "live:" + std::string(kStandardEnvironment), to{kLatest};
};

std::int64_t number_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_int64() ? value->get_int64() : 0;
}

std::string text_in(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

const json::array& list_in(const json::object& object, std::string_view name) {
  static const json::array kNone;
  const json::value* value = object.if_contains(name);
  return value != nullptr && value->is_array() ? value->get_array() : kNone;
}

void show_hunks(const Console& console, const json::object& diff) {
  for (const json::value& value : list_in(diff, "hunks")) {
    if (!value.is_object()) continue;
    const json::object& hunk = value.get_object();
    const auto range = [&](const char* start, const char* lines) {
      return std::to_string(number_in(hunk, start)) + "," + std::to_string(number_in(hunk, lines));
    };
    console.out << console.painted(Colour::cyan, "@@ -" + range("fromStart", "fromLines") + " +" +
                                                     range("toStart", "toLines") + " @@")
                << "\n";
    for (const json::value& line : list_in(hunk, "lines")) {
      if (!line.is_object()) continue;
      const std::string origin = text_in(line.get_object(), "origin");
      const std::string text = origin + harmless(text_in(line.get_object(), "text"));
      if (origin == "+") {
        console.out << console.painted(Colour::green, text) << "\n";
      } else if (origin == "-") {
        console.out << console.painted(Colour::red, text) << "\n";
      } else {
        console.out << text << "\n";
      }
    }
  }
}

void show_names(const Console& console, const json::object& variables, const char* list, const char* word) {
  for (const json::value& variable : list_in(variables, list)) {
    if (!variable.is_object()) continue;
    const json::value* to = variable.get_object().if_contains("to");
    const json::object& shown = to != nullptr && to->is_object() ? to->get_object() : variable.get_object();
    console.out << "variable " << harmless(text_in(shown, "name")) << " " << word << "\n";
  }
}

void show(const Console& console, const json::value& document) {
  if (console.json || !document.is_object()) return console.print(document);
  const json::object& diff = document.get_object();
  show_hunks(console, diff);
  if (const json::value* variables = diff.if_contains("variables");
      variables != nullptr && variables->is_object()) {
    show_names(console, variables->get_object(), "added", "added");
    show_names(console, variables->get_object(), "removed", "removed");
    show_names(console, variables->get_object(), "changed", "changed");
  }
  const json::value* model = diff.if_contains("model");
  const json::value* told =
      model != nullptr && model->is_object() ? model->get_object().if_contains("changed") : nullptr;
  if (told != nullptr && told->is_bool() && told->get_bool()) console.out << "model changed\n";
  for (const json::value& field : list_in(diff, "fields")) {
    if (field.is_string()) console.out << harmless(field.get_string()) << " changed\n";
  }
  console.out << "smallest step: " << harmless(text_in(diff, "semverBump")) << "\n";
}

Result<Content> content_of(const std::string& path) {
  const SourceList sources = TRY(list_sources({path}));
  std::optional<Result<PromptFile>> read;
  std::size_t count = 0;
  for (const SourceFile& file : sources.files) {
    TRY(each_prompt(file, [&](Sourced sourced) {
      ++count;
      read.emplace(std::move(sourced.prompt));
    }));
  }
  if (count != 1) return invalid(path + " does not hold exactly one prompt");
  PromptFile prompt = TRY(std::move(*read));
  if (prompt.content.semver.empty()) prompt.content.semver = "1.0.0";
  return checked_content(std::move(prompt.content));
}

Result<Exit> diff_files(const Console& console, const DiffOptions& options) {
  Content from = TRY(content_of(options.what[0]));
  Content to = TRY(content_of(options.what[1]));
  from.name = to.name;  // two files have two names and may well be one prompt
  json::object document = to_json(TRY(diff(from, to)));
  document["from"] = options.what[0];
  document["to"] = options.what[1];
  show(console, document);
  return Exit::done;
}

Result<Exit> diff_versions(const Console& console, const DiffOptions& options) {
  Client client = TRY(Client::make(console, options.server));
  const std::string id = TRY(client.prompt_id(options.what[0]));
  const std::string path = "/api/v1/prompts/" + percent_encode(id) +
                           "/diff?from=" + percent_encode(options.from) + "&to=" + percent_encode(options.to);
  show(console, TRY(client.get(path)));
  return Exit::done;
}

}  // namespace

void add_diff(Commands& commands) {
  auto options = std::make_shared<DiffOptions>();
  CLI::App* command = commands.add("diff", "Show what changed between two versions, or between two files",
                                   "  imprimatur diff support/reply --project shop\n"
                                   "  imprimatur diff support/reply --from 3 --to 5\n"
                                   "  imprimatur diff before.prompt after.prompt\n\n"
                                   "Versions: a number, latest, live:<environment> or label:<name>.");
  command->add_option("what", options->what, "A prompt on the server, or two files")
      ->required()
      ->expected(1, 2);
  command->add_option("--from", options->from, "live:production when left out")->type_name("VERSION");
  command->add_option("--to", options->to, "latest when left out")->type_name("VERSION");
  add_server_options(*command, options->server);
  command->callback([&commands, options] {
    commands.chosen = [&commands, options] {
      return options->what.size() == 2 ? diff_files(commands.console, *options)
                                       : diff_versions(commands.console, *options);
    };
  });
}

}  // namespace imprimatur::cli
