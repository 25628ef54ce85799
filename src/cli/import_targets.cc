#include "cli/answers.h"
#include "cli/data_directory.h"
#include "cli/importing.h"
#include "registry/registry.h"

#include <boost/json.hpp>

namespace imprimatur::cli {
namespace {

namespace json = boost::json;

class ServerTarget final : public ImportTarget {
 public:
  ServerTarget(Client client, const ImportRules& rules) : client_(std::move(client)) {
    path_ = std::string("/api/v1/prompts/batch?onConflict=") + (rules.new_versions ? "newVersion" : "skip") +
            (rules.dry_run ? "&dryRun=true" : "") + client_.project_query();
  }

  Result<std::vector<Imported>> take(const std::vector<PromptFile>& prompts) override {
    json::array items;
    for (const PromptFile& prompt : prompts) items.push_back(to_json(prompt));
    const json::value answer = TRY(client_.post(path_, {{"items", std::move(items)}}));
    const json::array& told = list_in(answer, "items");
    if (told.size() != prompts.size()) return unavailable("the server's answer cannot be understood");
    std::vector<Imported> out;
    for (const json::value& item : told) {
      out.push_back({text_in(item, "status"), text_in(item, "id"), number_in(item, "version"),
                     text_in(item, "reason")});
    }
    return out;
  }

 private:
  Client client_;
  std::string path_;
};

registry::NewArtifact artifact_of(const PromptFile& prompt) {
  const Content& content = prompt.content;
  registry::NewArtifact out;
  out.name = content.name;
  out.kind = content.kind;
  out.type = content.type;
  out.tags = prompt.tags;
  out.message = prompt.message;
  registry::ContentPatch& patch = out.content;
  if (content.type == ContentType::text) {
    patch.text = content.text;
  } else {
    patch.messages = content.messages;
  }
  if (!content.variables.empty()) patch.variables = content.variables;
  if (content.model) patch.model = content.model;
  if (!content.config.empty()) patch.config = content.config;
  if (!content.tools.empty()) patch.tools = content.tools;
  if (!content.output_schema.empty()) patch.output_schema = content.output_schema;
  if (!content.layers.empty()) patch.layers = content.layers;
  if (!content.semver.empty()) patch.semver = content.semver;
  return out;
}

class DirectoryTarget final : public ImportTarget {
 public:
  DirectoryTarget(std::unique_ptr<SystemClock> clock, std::unique_ptr<store::Store> store,
                  scan::Ruleset ruleset, std::string project, const ImportRules& rules)
      : clock_(std::move(clock)),
        store_(std::move(store)),
        ruleset_(std::move(ruleset)),
        registry_(*store_, ruleset_),
        project_(std::move(project)),
        rules_(rules) {}

  Result<std::vector<Imported>> take(const std::vector<PromptFile>& prompts) override {
    std::vector<registry::NewArtifact> items;
    for (const PromptFile& prompt : prompts) items.push_back(artifact_of(prompt));
    const auto on_conflict =
        rules_.new_versions ? registry::OnConflict::new_version : registry::OnConflict::skip;
    store::Command command;
    command.principal = registry::offline_principal();
    const auto outcomes =
        TRY(registry_.import(command, project_, std::move(items), on_conflict, rules_.dry_run));
    std::vector<Imported> out;
    for (const registry::ImportOutcome& outcome : outcomes) {
      out.push_back(
          {std::string(name_of(outcome.status)), outcome.artifact.text, outcome.version, outcome.reason});
    }
    return out;
  }

 private:
  std::unique_ptr<SystemClock> clock_;  // outlives the store
  std::unique_ptr<store::Store> store_;
  const scan::Ruleset ruleset_;
  registry::Registry registry_;
  std::string project_;
  ImportRules rules_;
};

}  // namespace

Result<std::unique_ptr<ImportTarget>> server_target(const Console& console, const ServerOptions& options,
                                                    const ImportRules& rules) {
  return std::unique_ptr<ImportTarget>(
      std::make_unique<ServerTarget>(TRY(Client::make(console, options)), rules));
}

Result<std::unique_ptr<ImportTarget>> directory_target(const Program& program, const Console& console,
                                                       const std::string& directory,
                                                       const std::string& project, const ImportRules& rules) {
  if (project.empty()) return invalid("no project was named: give --project, or set IMPRIMATUR_PROJECT");
  auto clock = std::make_unique<SystemClock>();
  auto store = TRY(open_for_writing(program, console, *clock, directory));
  scan::Ruleset ruleset = TRY(scan::Ruleset::built_in());
  return std::unique_ptr<ImportTarget>(std::make_unique<DirectoryTarget>(std::move(clock), std::move(store),
                                                                         std::move(ruleset), project, rules));
}

}  // namespace imprimatur::cli
