// submit, approve, reject, deploy, rollback.
#include "base/percent.h"
#include "cli/commands.h"
#include "domain/words.h"

#include <memory>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

namespace imprimatur::cli {
namespace {

namespace json = boost::json;

struct ChangeOptions {
  ServerOptions server;
  std::string target;  // a prompt by name or id, or a review's id
  std::int64_t version = 0;
  std::string environment{kStandardEnvironment};
  std::string comment, digest;
  std::int64_t to = 0;
  bool is_review = false;
};

std::string text_in(const json::value& document, std::string_view name) {
  const json::value* value = document.is_object() ? document.get_object().if_contains(name) : nullptr;
  if (value == nullptr) return {};
  if (value->is_string()) return std::string(value->get_string());
  return value->is_int64() ? std::to_string(value->get_int64()) : std::string();
}

std::string prompt_path(const std::string& id) { return "/api/v1/prompts/" + percent_encode(id); }

// ".../versions/3" of the version asked for, else of the latest one.
Result<std::string> version_path(Client& client, const ChangeOptions& options) {
  const std::string id = TRY(client.prompt_id(options.target));
  std::int64_t version = options.version;
  if (version == 0) version = TRY(client.latest_version(id));
  return prompt_path(id) + "/versions/" + std::to_string(version);
}

void show_review(const Console& console, const json::value& review) {
  if (console.json) return console.print(review);
  console.out << "review " << harmless(text_in(review, "id")) << " for "
              << harmless(text_in(review, "environment")) << " is "
              << console.painted(Colour::bold, text_in(review, "state")) << "\n";
  const json::value* items = review.is_object() ? review.get_object().if_contains("items") : nullptr;
  if (items != nullptr && items->is_array()) {
    for (const json::value& item : items->get_array()) {
      console.out << "  " << harmless(text_in(item, "name")) << " version " << text_in(item, "version")
                  << "  " << harmless(text_in(item, "digest")) << "\n";
    }
  }
  const json::value* gate = review.is_object() ? review.get_object().if_contains("gate") : nullptr;
  const json::value* needs =
      gate != nullptr && gate->is_object() ? gate->get_object().if_contains("requirements") : nullptr;
  if (needs == nullptr || !needs->is_array()) return;
  for (const json::value& need : needs->get_array()) {
    const json::value* met = need.is_object() ? need.get_object().if_contains("met") : nullptr;
    const bool is_met = met != nullptr && met->is_bool() && met->get_bool();
    console.out << "  "
                << console.painted(is_met ? Colour::green : Colour::yellow, is_met ? "met    " : "not met")
                << "  " << harmless(text_in(need, "kind")) << ": " << harmless(text_in(need, "detail"))
                << "\n";
  }
}

void show_release(const Console& console, const json::value& release) {
  if (console.json) return console.print(release);
  const json::value* several = release.is_object() ? release.get_object().if_contains("releases") : nullptr;
  if (several != nullptr && several->is_array()) {
    for (const json::value& one : several->get_array()) show_release(console, one);
    return;
  }
  console.out << harmless(text_in(release, "name")) << " version " << text_in(release, "version") << " is "
              << console.painted(Colour::green, "live") << " in " << harmless(text_in(release, "environment"))
              << " (release " << harmless(text_in(release, "id")) << ")\n";
}

json::object with_comment(const ChangeOptions& options) {
  json::object body;
  if (!options.comment.empty()) body["comment"] = options.comment;
  if (!options.digest.empty()) body["digest"] = options.digest;
  return body;
}

Result<Exit> submit(const Console& console, const ChangeOptions& options) {
  Client client = TRY(Client::make(console, options.server));
  json::object body = with_comment(options);
  body["environment"] = options.environment;
  const std::string path = TRY(version_path(client, options));
  show_review(console, TRY(client.post(path + "/submit", body)));
  return Exit::done;
}

Result<Exit> give_verdict(const Console& console, const ChangeOptions& options, const std::string& verdict) {
  Client client = TRY(Client::make(console, options.server));
  const std::string path = "/api/v1/reviews/" + percent_encode(options.target) + "/" + verdict;
  show_review(console, TRY(client.post(path, with_comment(options))));
  return Exit::done;
}

Result<Exit> deploy(const Console& console, const ChangeOptions& options) {
  if (options.target.empty()) return invalid("name a prompt, or a review with --review");
  Client client = TRY(Client::make(console, options.server));
  if (options.is_review) {
    const std::string path = "/api/v1/reviews/" + percent_encode(options.target) + "/deploy";
    show_release(console, TRY(client.post(path, json::object())));
    return Exit::done;
  }
  const std::string path = TRY(version_path(client, options));
  show_release(console, TRY(client.post(path + "/deploy", {{"environment", options.environment}})));
  return Exit::done;
}

Result<Exit> roll_back(const Console& console, const ChangeOptions& options) {
  Client client = TRY(Client::make(console, options.server));
  json::object body = {{"environment", options.environment}};
  if (options.to != 0) body["to"] = options.to;
  if (!options.comment.empty()) body["reason"] = options.comment;
  const std::string id = TRY(client.prompt_id(options.target));
  show_release(console, TRY(client.post(prompt_path(id) + "/rollback", body)));
  return Exit::done;
}

using Work = Result<Exit> (*)(const Console&, const ChangeOptions&);

std::shared_ptr<ChangeOptions> bind(Commands& commands, CLI::App& command, Work work) {
  auto options = std::make_shared<ChangeOptions>();
  add_server_options(command, options->server);
  command.callback([&commands, options, work] {
    commands.chosen = [&commands, options, work] { return work(commands.console, *options); };
  });
  return options;
}

void add_prompt(CLI::App& command, ChangeOptions& options) {
  command.add_option("prompt", options.target, "A prompt, by its name or id")->required();
}

void add_version_and_environment(CLI::App& command, ChangeOptions& options) {
  command.add_option("--version", options.version, "Number of the version; the latest when left out")
      ->check(CLI::PositiveNumber);
  command.add_option("--environment", options.environment, "Where to; production when left out")
      ->type_name("NAME");
}

void add_verdict(Commands& commands, const std::string& name, const std::string& says, Work work) {
  CLI::App* command =
      commands.add(name, says,
                   "  imprimatur " + name +
                       " rev_01k… --comment \"Reads well\"\n"
                       "  imprimatur " +
                       name +
                       " rev_01k… --digest sha256:…\n\n"
                       "Only a person who signed in gives verdicts; API keys cannot. With --digest, the\n"
                       "verdict is refused when the review has moved to other content meanwhile.");
  const auto options = bind(commands, *command, work);
  command->add_option("review", options->target, "The review's id")->required();
  command->add_option("--comment", options->comment, "Why")->type_name("TEXT");
  command->add_option("--digest", options->digest, "What was looked at")->type_name("DIGEST");
}

}  // namespace

void add_review_commands(Commands& commands) {
  CLI::App* command =
      commands.add("submit", "Submit a draft for review",
                   "  imprimatur submit support/reply --project shop --comment \"Shorter answers\"\n"
                   "  imprimatur submit support/reply --version 3 --environment staging");
  const auto options = bind(commands, *command, submit);
  add_prompt(*command, *options);
  add_version_and_environment(*command, *options);
  command->add_option("--comment", options->comment, "For the reviewers")->type_name("TEXT");
  add_verdict(commands, "approve", "Approve a review", [](const Console& console, const ChangeOptions& told) {
    return give_verdict(console, told, "approve");
  });
  add_verdict(commands, "reject", "Reject a review; its versions are drafts again",
              [](const Console& console, const ChangeOptions& told) {
                return give_verdict(console, told, "reject");
              });
}

void add_release_commands(Commands& commands) {
  CLI::App* command =
      commands.add("deploy", "Make a version live in an environment",
                   "  imprimatur deploy support/reply --project shop --environment production\n"
                   "  imprimatur deploy --review rev_01k…");
  const auto options = bind(commands, *command, deploy);
  command->add_option("prompt", options->target, "A prompt, by its name or id");
  add_version_and_environment(*command, *options);
  CLI::Option* review = command
                            ->add_option_function<std::string>(
                                "--review",
                                [told = options.get()](const std::string& id) {
                                  told->target = id;
                                  told->is_review = true;
                                },
                                "Deploy the whole change set of this review")
                            ->type_name("ID");
  // A review says itself which versions go where.
  for (const char* other : {"prompt", "--version", "--environment"})
    review->excludes(command->get_option(other));
  CLI::App* back = commands.add("rollback", "Make live again what was live before",
                                "  imprimatur rollback support/reply --project shop --reason \"Wrong tone\"\n"
                                "  imprimatur rollback support/reply --environment staging --to 4");
  const auto told = bind(commands, *back, roll_back);
  add_prompt(*back, *told);
  back->add_option("--environment", told->environment, "Where; production when left out")->type_name("NAME");
  back->add_option("--to", told->to, "The version to go back to; one step when left out")
      ->check(CLI::PositiveNumber);
  back->add_option("--reason", told->comment, "Why")->type_name("TEXT");
}

}  // namespace imprimatur::cli
