// reviews, show.
#include "base/percent.h"
#include "cli/answers.h"
#include "cli/commands.h"
#include "cli/render.h"
#include "domain/words.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

namespace imprimatur::cli {
namespace {

namespace json = boost::json;

constexpr std::string_view kReviewPrefix = "rev_";

struct ShowOptions {
  ServerOptions server;
  std::string target, environment, state;
  std::int64_t version = 0, limit = 50;
  bool mine = false;
};

Result<Exit> list_reviews(const Console& console, const ShowOptions& options) {
  Client client = TRY(Client::make(console, options.server));
  std::string path = "/api/v1/reviews?limit=" + std::to_string(options.limit) + client.project_query();
  if (!options.state.empty()) path += "&state=" + options.state;
  if (options.mine) path += "&mine=true";
  const json::value page = TRY(client.get(path));
  if (console.json) {
    console.print(page);
    return Exit::done;
  }
  const json::array& reviews = list_in(page, "items");
  for (const json::value& review : reviews) render_review_line(console, review);
  if (reviews.empty()) console.out << "no reviews\n";
  if (member(page, "nextCursor").is_string()) console.out << "there are more; --limit takes up to 200\n";
  return Exit::done;
}

// `version` is what `path` answered.
Status show_version(const Console& console, Client& client, const std::string& path,
                    const json::value& version) {
  render_version(console, version);
  if (!list_in(version, "layers").empty()) render_effective(console, TRY(client.get(path + "/effective")));
  return Ok{};
}

// The difference to what is live, or the whole version where nothing is.
Status show_item(const Console& console, Client& client, const std::string& environment,
                 const json::value& item) {
  const std::string prompt = "/api/v1/prompts/" + percent_encode(text_in(item, "prompt"));
  const std::string live = "live:" + environment, number = text_in(item, "version");
  const auto diff = client.get(prompt + "/diff?from=" + percent_encode(live) + "&to=" + number);
  if (!diff.ok() && diff.error().code != ErrorCode::not_found) return diff.error();
  console.out << "\n";
  if (!diff.ok() || number_in(*diff, "from") == number_in(*diff, "to")) {
    const std::string path = prompt + "/versions/" + number;
    return show_version(console, client, path, TRY(client.get(path)));
  }
  const std::string name = text_in(item, "name") + " version ";
  render_diff(console, *diff, name + text_in(*diff, "from") + " (" + live + ")", name + number);
  return Ok{};
}

Result<Exit> show_review(const Console& console, const ShowOptions& options) {
  if (options.version != 0 || !options.environment.empty()) {
    return invalid("a review names its versions and its environment itself");
  }
  Client client = TRY(Client::make(console, options.server));
  const json::value review = TRY(client.get("/api/v1/reviews/" + percent_encode(options.target)));
  if (console.json) {
    console.print(review);
    return Exit::done;
  }
  render_review(console, review);
  render_talk(console, review);
  for (const json::value& item : list_in(review, "items")) {
    TRY(show_item(console, client, text_in(review, "environment"), item));
  }
  return Exit::done;
}

Result<Exit> show_prompt(const Console& console, const ShowOptions& options) {
  Client client = TRY(Client::make(console, options.server));
  const std::string id = TRY(client.prompt_id(options.target));
  std::int64_t number = options.version;
  if (number == 0) number = TRY(client.latest_version(id));
  const std::string path = "/api/v1/prompts/" + percent_encode(id) + "/versions/" + std::to_string(number);
  const json::value version = TRY(client.get(path));
  if (console.json) {
    console.print(version);
    return Exit::done;
  }
  TRY(show_version(console, client, path, version));
  const std::string environment =
      options.environment.empty() ? std::string(kStandardEnvironment) : options.environment;
  const auto gate = client.get(path + "/gate?environment=" + percent_encode(environment));
  if (gate.ok()) {
    console.out << "\nmay be live in " << harmless(environment) << ": "
                << (is_true(*gate, "met") ? "yes" : "no") << "\n";
    render_gate(console, *gate);
  } else if (!options.environment.empty()) {
    return gate.error();
  }
  return Exit::done;
}

Result<Exit> show(const Console& console, const ShowOptions& options) {
  if (options.target.empty()) return invalid("name a prompt or a review");
  return options.target.starts_with(kReviewPrefix) ? show_review(console, options)
                                                   : show_prompt(console, options);
}

void add_reviews(Commands& commands) {
  auto options = std::make_shared<ShowOptions>();
  CLI::App* command = commands.add("reviews", "List the reviews of a project, newest first",
                                   "  imprimatur reviews --project shop --state open\n"
                                   "  imprimatur reviews --mine");
  command->add_option("--state", options->state, "Only those in this state")
      ->check(CLI::IsMember({"open", "approved", "rejected", "withdrawn", "deployed"}))
      ->type_name("open|approved|rejected|withdrawn|deployed");
  command->add_flag("--mine", options->mine, "Only what the caller submitted");
  add_number(*command, "--limit", options->limit, "At most that many, up to 200; 50 when left out");
  add_server_options(*command, options->server);
  command->callback([&commands, options] {
    commands.chosen = [&commands, options] { return list_reviews(commands.console, *options); };
  });
}

}  // namespace

void add_show_commands(Commands& commands) {
  add_reviews(commands);
  auto options = std::make_shared<ShowOptions>();
  CLI::App* command =
      commands.add("show", "Show a review with what it would change, or a version of a prompt",
                   "  imprimatur show rev_01k…\n"
                   "  imprimatur show support/reply --project shop\n"
                   "  imprimatur show support/reply --version 3 --environment staging\n\n"
                   "With what the gate says: of the review, or of the version in an environment.");
  command->add_option("what", options->target, "A review's id, or a prompt by its name or id")->required();
  add_number(*command, "--version", options->version, "Number of the version; the latest when left out");
  command->add_option("--environment", options->environment, "Whose gate to ask; production when left out")
      ->type_name("NAME");
  add_server_options(*command, options->server);
  command->callback([&commands, options] {
    commands.chosen = [&commands, options] { return show(commands.console, *options); };
  });
}

}  // namespace imprimatur::cli
