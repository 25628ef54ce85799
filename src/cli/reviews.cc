// submit, approve, reject, withdraw, deploy, rollback.
#include "base/percent.h"
#include "cli/answers.h"
#include "cli/commands.h"
#include "cli/render.h"
#include "domain/gate.h"
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
  std::string comment, digest, pass_freeze;
  std::vector<std::string> answers;  // "question=yes"
  std::int64_t to = 0;
  bool is_review = false;
};

std::string prompt_path(const std::string& id) { return "/api/v1/prompts/" + percent_encode(id); }

// ".../versions/3" of the version asked for, else of the latest one.
Result<std::string> version_path(Client& client, const ChangeOptions& options) {
  const std::string id = TRY(client.prompt_id(options.target));
  std::int64_t version = options.version;
  if (version == 0) version = TRY(client.latest_version(id));
  return prompt_path(id) + "/versions/" + std::to_string(version);
}

Status named(const ChangeOptions& options, const char* what) {
  if (options.target.empty()) return invalid(std::string("name a ") + what);
  return Ok{};
}

std::string review_path(const std::string& id) { return "/api/v1/reviews/" + percent_encode(id); }

// What to do next, for people.
void show_review(const Console& console, const json::value& review) {
  if (console.json) return console.print(review);
  render_review(console, review);
  const std::string id = harmless(text_in(review, "id")), state = text_in(review, "state");
  if (state == "open") {
    console.out << "next, as somebody who contributed nothing to it: imprimatur show " << id
                << ", then imprimatur approve " << id << "\n";
  } else if (state == "approved") {
    console.out << "next: imprimatur deploy --review " << id << "\n";
  }
}

void show_release(const Console& console, const json::value& release) {
  if (console.json) return console.print(release);
  render_release(console, release);
}

json::object with_comment(const ChangeOptions& options) {
  json::object body;
  if (!options.comment.empty()) body["comment"] = options.comment;
  if (!options.digest.empty()) body["digest"] = options.digest;
  return body;
}

// "brand=yes", or "brand=no:too stiff" with a note.
Result<json::object> answers_in(const std::vector<std::string>& told) {
  json::object out;
  for (const std::string& answer : told) {
    const std::size_t equals = answer.find('=');
    if (equals == std::string::npos || equals == 0) {
      return invalid("an answer is written QUESTION=yes, with a note QUESTION=yes:NOTE");
    }
    const std::string said = answer.substr(equals + 1);
    const std::size_t colon = std::min(said.find(':'), said.size());
    json::object given{{"answer", said.substr(0, colon)}};
    if (colon < said.size()) given["note"] = said.substr(colon + 1);
    out[answer.substr(0, equals)] = std::move(given);
  }
  return out;
}

Result<Exit> submit(const Console& console, const ChangeOptions& options) {
  TRY(named(options, "prompt"));
  Client client = TRY(Client::make(console, options.server));
  json::object body = with_comment(options);
  body["environment"] = options.environment;
  const std::string path = TRY(version_path(client, options));
  show_review(console, TRY(client.post(path + "/submit", body)));
  return Exit::done;
}

// Each item with what it would change, in a line.
Status show_judged(const Console& console, Client& client, const json::value& review) {
  const std::string environment = text_in(review, "environment");
  for (const json::value& item : list_in(review, "items")) {
    const std::string path = prompt_path(text_in(item, "prompt")) +
                             "/diff?from=" + percent_encode("live:" + environment) +
                             "&to=" + text_in(item, "version");
    const auto diff = client.get(path);
    if (!diff.ok() && diff.error().code != ErrorCode::not_found) return diff.error();
    console.out << harmless(text_in(item, "name")) << " version " << text_in(item, "version") << ", "
                << (diff.ok() ? diff_size(*diff) + " lines beside what is live in "
                              : "nothing of it is live yet in ")
                << harmless(environment) << "\n";
  }
  console.out << "(imprimatur show " << harmless(text_in(review, "id")) << " shows all of it)\n";
  return Ok{};
}

// The verdict is bound to what is shown here: a review that moved meanwhile is a conflict.
Result<Exit> give_verdict(const Console& console, const ChangeOptions& options, const std::string& verdict) {
  TRY(named(options, "review"));
  Client client = TRY(Client::make(console, options.server));
  json::object body = with_comment(options);
  const json::value review = TRY(client.get(review_path(options.target)));
  if (options.digest.empty()) body["digest"] = text_in(review, "itemsDigest");
  json::object answers = TRY(answers_in(options.answers));
  if (!answers.empty()) body["checklist"] = std::move(answers);
  if (!console.json) TRY(show_judged(console, client, review));
  show_review(console, TRY(client.post(review_path(options.target) + "/" + verdict, body)));
  return Exit::done;
}

Result<Exit> withdraw(const Console& console, const ChangeOptions& options) {
  TRY(named(options, "review"));
  Client client = TRY(Client::make(console, options.server));
  show_review(console, TRY(client.post(review_path(options.target) + "/withdraw", with_comment(options))));
  return Exit::done;
}

Result<Exit> dismiss(const Console& console, const ChangeOptions& options) {
  TRY(named(options, "review"));
  Client client = TRY(Client::make(console, options.server));
  json::object body{{"verdict", options.to}};
  if (!options.comment.empty()) body["reason"] = options.comment;
  show_review(console, TRY(client.post(review_path(options.target) + "/dismiss", body)));
  return Exit::done;
}

json::object with_freeze(json::object body, const ChangeOptions& options) {
  if (!options.pass_freeze.empty()) body["passFreeze"] = json::object{{"reason", options.pass_freeze}};
  return body;
}

Result<Exit> deploy(const Console& console, const ChangeOptions& options) {
  if (options.target.empty()) return invalid("name a prompt, or a review with --review");
  Client client = TRY(Client::make(console, options.server));
  if (options.is_review) {
    show_release(console,
                 TRY(client.post(review_path(options.target) + "/deploy", with_freeze({}, options))));
    return Exit::done;
  }
  const std::string path = TRY(version_path(client, options));
  const json::object body = with_freeze({{"environment", options.environment}}, options);
  show_release(console, TRY(client.post(path + "/deploy", body)));
  return Exit::done;
}

Result<Exit> roll_back(const Console& console, const ChangeOptions& options) {
  TRY(named(options, "prompt"));
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
  add_number(command, "--version", options.version, "Number of the version; the latest when left out");
  command.add_option("--environment", options.environment, "Where to; production when left out")
      ->type_name("NAME");
}

void add_answers(CLI::App& command, ChangeOptions& options) {
  command
      .add_option("--answer", options.answers,
                  "To a question of the checklist: ID=yes, ID=no or ID=not_applicable; ID=yes:NOTE")
      ->type_name("ANSWER");
}

std::shared_ptr<ChangeOptions> add_on_review(Commands& commands, const std::string& name,
                                             const std::string& says, const std::string& examples,
                                             Work work) {
  CLI::App* command = commands.add(name, says, examples);
  auto options = bind(commands, *command, work);
  if (work != withdraw) add_answers(*command, *options);
  command->add_option("review", options->target, "The review's id")->required();
  command->add_option("--comment", options->comment, "Why")->type_name("TEXT");
  command->add_option("--digest", options->digest, "Of the version that was looked at")->type_name("DIGEST");
  return options;
}

constexpr const char* kBound =
    "\n\nOnly a person who signed in gives verdicts; API keys cannot. The verdict is refused when the "
    "review\n"
    "moves to other content after it was read here, or is not at the content that --digest names.";

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
  add_on_review(
      commands, "approve", "Approve a review",
      std::string("  imprimatur approve rev_01k… --comment \"Reads well\"\n"
                  "  imprimatur approve rev_01k… --answer brand=yes --answer safety=yes:\"seen by Ann\"\n"
                  "  imprimatur approve rev_01k… --digest sha256:…") +
          kBound,
      [](const Console& console, const ChangeOptions& told) {
        return give_verdict(console, told, "approve");
      });
  add_on_review(
      commands, "reject", "Reject a review; its versions are drafts again",
      std::string("  imprimatur reject rev_01k… --comment \"Promises a refund that we do not give\"") +
          kBound,
      [](const Console& console, const ChangeOptions& told) {
        return give_verdict(console, told, "reject");
      });
  add_on_review(commands, "request-changes", "Say what has to change; blocks until you say otherwise",
                std::string("  imprimatur request-changes rev_01k… --comment \"Name the price\"") + kBound,
                [](const Console& console, const ChangeOptions& told) {
                  return give_verdict(console, told, "request-changes");
                });
  CLI::App* command_of_dismiss = commands.add(
      "dismiss", "Take back your objection, or set aside another's with a reason",
      "  imprimatur dismiss rev_01k… --verdict 2 --reason \"She left; version 5 names the price\"");
  const auto dismissed = bind(commands, *command_of_dismiss, dismiss);
  command_of_dismiss->add_option("review", dismissed->target, "The review's id")->required();
  add_number(*command_of_dismiss, "--verdict", dismissed->to, "Number of the verdict, as show prints it");
  command_of_dismiss->get_option("--verdict")->required();
  command_of_dismiss->add_option("--reason", dismissed->comment, "Why; needed for another's")
      ->type_name("TEXT");
  add_on_review(commands, "withdraw", "Take a change set back; its versions are drafts again",
                "  imprimatur withdraw rev_01k… --comment \"Superseded\"", withdraw);
}

void add_release_commands(Commands& commands) {
  CLI::App* command =
      commands.add("deploy", "Make a version live in an environment",
                   "  imprimatur deploy support/reply --project shop --environment production\n"
                   "  imprimatur deploy --review rev_01k…\n"
                   "  imprimatur deploy --review rev_01k… --pass-freeze \"Customers see the wrong price\"");
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
  command->add_option("--pass-freeze", options->pass_freeze, "Why it goes live in a freeze that lets you")
      ->type_name("REASON");
  // A review says itself which versions go where.
  for (const char* other : {"prompt", "--version", "--environment"})
    review->excludes(command->get_option(other));
  CLI::App* back = commands.add("rollback", "Make live again what was live before",
                                "  imprimatur rollback support/reply --project shop --reason \"Wrong tone\"\n"
                                "  imprimatur rollback support/reply --environment staging --to 4");
  const auto told = bind(commands, *back, roll_back);
  add_prompt(*back, *told);
  back->add_option("--environment", told->environment, "Where; production when left out")->type_name("NAME");
  add_number(*back, "--to", told->to, "The version to go back to; one step when left out");
  back->add_option("--reason", told->comment, "Why")->type_name("TEXT");
}

}  // namespace imprimatur::cli
