#include "base/percent.h"
#include "cli/answers.h"
#include "cli/commands.h"
#include "cli/prompt_sources.h"
#include "cli/render.h"
#include "domain/diff_json.h"
#include "domain/words.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

namespace imprimatur::cli {
namespace {

namespace json = boost::json;

struct DiffOptions {
  ServerOptions server;
  std::string what, other;  // a prompt, or two files
  std::string from = "live:" + std::string(kStandardEnvironment), to{kLatest};
};

void show(const Console& console, const json::value& document, const std::string& from,
          const std::string& to) {
  if (console.json) return console.print(document);
  render_diff(console, document, from, to);
}

Error in_file(const std::string& path, Error error) {
  error.detail = path + ": " + error.detail;
  return error;
}

Result<Content> content_of(const std::string& path) {
  const SourceList sources = TRY(list_sources({path}));
  std::optional<Result<PromptFile>> read;
  std::size_t count = 0;
  for (const SourceFile& file : sources.files) {
    each_prompt(file, [&](Sourced sourced) {
      ++count;
      read.emplace(std::move(sourced.prompt));
    });
  }
  if (count != 1) return invalid(path + " does not hold exactly one prompt");
  if (!read->ok()) return in_file(path, read->error());
  Content content = std::move((*read)->content);
  if (content.semver.empty()) content.semver = "1.0.0";
  content.name = "file";  // two files have two names and may well be one prompt
  auto checked = checked_content(std::move(content));
  if (!checked.ok()) return in_file(path, checked.error());
  return checked;
}

Result<Exit> diff_files(const Console& console, const DiffOptions& options) {
  const Content from = TRY(content_of(options.what));
  const Content to = TRY(content_of(options.other));
  json::object document = to_json(TRY(diff(from, to)));
  document["from"] = options.what;
  document["to"] = options.other;
  show(console, document, options.what, options.other);
  return Exit::done;
}

Result<Exit> diff_versions(const Console& console, const DiffOptions& options) {
  if (options.what.empty()) return invalid("name a prompt, or two files");
  Client client = TRY(Client::make(console, options.server));
  const std::string id = TRY(client.prompt_id(options.what));
  const std::string path = "/api/v1/prompts/" + percent_encode(id) +
                           "/diff?from=" + percent_encode(options.from) + "&to=" + percent_encode(options.to);
  const json::value document = TRY(client.get(path));
  const auto named = [&](const char* side, const std::string& asked) {
    const std::int64_t number = number_in(document, side);
    const std::string shown = options.what + " version " + std::to_string(number);
    return asked == std::to_string(number) ? shown : shown + " (" + asked + ")";
  };
  show(console, document, named("from", options.from), named("to", options.to));
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
  command->add_option("what", options->what, "A prompt on the server, or a file")->required();
  CLI::Option* other = command->add_option("other", options->other, "The other file");
  CLI::Option* from =
      command->add_option("--from", options->from, "live:production when left out")->type_name("VERSION");
  CLI::Option* to = command->add_option("--to", options->to, "latest when left out")->type_name("VERSION");
  add_server_options(*command, options->server);
  command->callback([&commands, options, other, from, to] {
    const bool files = other->count() > 0, versions = from->count() + to->count() > 0;
    commands.chosen = [&commands, options, files, versions]() -> Result<Exit> {
      if (files && versions) return invalid("--from and --to name versions on a server; two files have none");
      return files ? diff_files(commands.console, *options) : diff_versions(commands.console, *options);
    };
  });
}

}  // namespace imprimatur::cli
