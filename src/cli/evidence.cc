// evidence, history: what an auditor asks for.
#include "base/percent.h"
#include "cli/answers.h"
#include "cli/commands.h"
#include "domain/words.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

namespace imprimatur::cli {
namespace {

namespace json = boost::json;

struct EvidenceOptions {
  ServerOptions server;
  std::string release;
  bool html = false;
};

struct HistoryOptions {
  ServerOptions server;
  std::string prompt, at;
  std::string environment{kStandardEnvironment};
  std::int64_t limit = 50;
};

Result<Exit> fetch_evidence(const Console& console, const EvidenceOptions& options) {
  if (options.html && console.json) return invalid("--html is a page and no JSON; leave one of the two out");
  Client client = TRY(Client::make(console, options.server));
  const std::string format = options.html ? "html" : "dsse";
  console.out << TRY(
      client.download("/api/v1/releases/" + percent_encode(options.release) + "/evidence?format=" + format));
  return Exit::done;
}

void show_tenure(const Console& console, const json::value& tenure) {
  const std::string to = text_in(tenure, "to");
  console.out << text_in(tenure, "from") << " to " << (to.empty() ? "now" : to) << "  version "
              << text_in(tenure, "version") << " (" << harmless(text_in(tenure, "semver")) << ")  "
              << text_in(tenure, "kind") << " by " << harmless(text_in(member(tenure, "by"), "displayName"))
              << "  " << text_in(tenure, "release") << "\n";
  if (const std::string reason = text_in(tenure, "reason"); !reason.empty()) {
    console.out << "  " << harmless(reason) << "\n";
  }
}

Result<Exit> show_history(const Console& console, const HistoryOptions& options) {
  Client client = TRY(Client::make(console, options.server));
  const std::string id = TRY(client.prompt_id(options.prompt));
  std::string path = "/api/v1/prompts/" + percent_encode(id) +
                     "/history?environment=" + percent_encode(options.environment) +
                     "&limit=" + std::to_string(options.limit);
  if (!options.at.empty()) path += "&at=" + percent_encode(options.at);
  const json::value page = TRY(client.get(path));
  if (console.json) {
    console.print(page);
    return Exit::done;
  }
  const json::array& tenures = list_in(page, "items");
  for (const json::value& tenure : tenures) show_tenure(console, tenure);
  if (tenures.empty()) console.out << "nothing was live\n";
  if (member(page, "nextCursor").is_string()) console.out << "there are more; --limit takes up to 200\n";
  return Exit::done;
}

void add_history(Commands& commands) {
  auto options = std::make_shared<HistoryOptions>();
  CLI::App* command = commands.add("history", "Show which version was live when, newest first",
                                   "  imprimatur history support/reply --project shop\n"
                                   "  imprimatur history support/reply --at 2026-03-01T12:00:00Z");
  command->add_option("prompt", options->prompt, "A prompt by its name or id")->required();
  command->add_option("--environment", options->environment, "Where; production when left out")
      ->type_name("NAME");
  command->add_option("--at", options->at, "Only what was live at that moment")->type_name("TIME");
  add_number(*command, "--limit", options->limit, "At most that many, up to 200; 50 when left out");
  add_server_options(*command, options->server);
  command->callback([&commands, options] {
    commands.chosen = [&commands, options] { return show_history(commands.console, *options); };
  });
}

}  // namespace

void add_evidence_commands(Commands& commands) {
  auto options = std::make_shared<EvidenceOptions>();
  CLI::App* command = commands.add(
      "evidence", "Fetch the signed file with everything that let a release through",
      "  imprimatur evidence rel_01k… > release.dsse.json\n"
      "  imprimatur evidence rel_01k… --html > release.html\n\n"
      "The file is an in-toto statement in a DSSE envelope; docs/evidence.md says how to check it "
      "with openssl.");
  say_json(*command, "Errors as JSON, too; the file itself is JSON");
  command->add_option("release", options->release, "The id of a release")->required();
  command->add_flag("--html", options->html, "The same as a page to read and print");
  add_server_option(*command, options->server);
  command->callback([&commands, options] {
    commands.chosen = [&commands, options] { return fetch_evidence(commands.console, *options); };
  });
  add_history(commands);
}

}  // namespace imprimatur::cli
