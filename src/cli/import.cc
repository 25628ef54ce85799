#include "base/utf8.h"
#include "cli/commands.h"
#include "cli/importing.h"
#include "cli/prompt_sources.h"

#include <filesystem>
#include <map>
#include <memory>
#include <set>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

namespace imprimatur::cli {
namespace {

namespace json = boost::json;

struct ImportOptions {
  std::vector<std::string> paths;
  ServerOptions server;
  std::string data;
  ImportRules rules;
  std::vector<std::string> tags;
};

// Collects prompts into batches and what became of them into a report.
class Importer {
 public:
  Importer(const Console& console, ImportTarget& target, const ImportOptions& options,
           std::uint64_t total_bytes)
      : target_(target), options_(options), bar_(console, "Importing"), total_bytes_(total_bytes) {}

  Status add(Sourced sourced) {
    Place place{sourced.place(), sourced.name};
    if (!sourced.prompt.ok()) return skip(std::move(place), sourced.prompt.error().detail);
    PromptFile& prompt = *sourced.prompt;
    if (first_invalid_utf8(prompt.content.name)) {
      return skip(std::move(place), "the name would come from the path, which is not UTF-8");
    }
    if (prompt.fence_in_text) fences_.push_back(place.path);
    for (const std::string& key : prompt.ignored) ++ignored_keys_[key];
    prompt.tags.insert(prompt.tags.end(), options_.tags.begin(), options_.tags.end());
    const std::size_t bytes = json::serialize(to_json(prompt)).size() + 1;
    if (!batch_.empty() && (batch_.size() == kBatchItems || batch_bytes_ + bytes > kBatchBytes)) TRY(flush());
    batch_bytes_ += bytes;
    places_.push_back(std::move(place));
    batch_.push_back(std::move(prompt));
    return Ok{};
  }

  Status flush() {
    if (batch_.empty()) return Ok{};
    const auto outcomes = TRY(target_.take(batch_));
    CHECK(outcomes.size() == batch_.size(), "an outcome for each prompt");
    for (std::size_t i = 0; i < outcomes.size(); ++i) report(places_[i], outcomes[i]);
    batch_.clear();
    places_.clear();
    batch_bytes_ = 0;
    return Ok{};
  }

  void file_done(std::uint64_t bytes) {
    done_bytes_ += bytes;
    bar_.show(done_bytes_, total_bytes_);
  }
  void passed_over(const SourceList& sources) {
    unusable_ = sources.ignored;
    for (const Unreadable& folder : sources.unreadable) {
      report({folder.path, ""}, {"skipped", "", 0, folder.why});
    }
  }
  bool all_taken() const { return !counts_.contains("skipped"); }
  void show(const Console& console) const;

 private:
  struct Place {
    std::string path, name;
  };
  Status skip(Place place, const std::string& why) {
    report(place, {"skipped", "", 0, why});
    return Ok{};
  }
  void report(const Place& place, const Imported& imported) {
    ++counts_[imported.status];
    if (imported.status == "skipped") skipped_.push_back({place, imported});
    json::object item = {{"path", place.path}, {"name", place.name}, {"status", imported.status}};
    item["id"] = imported.id.empty() ? json::value() : json::value(imported.id);
    item["version"] = imported.version == 0 ? json::value() : json::value(imported.version);
    item["reason"] = imported.reason.empty() ? json::value() : json::value(imported.reason);
    items_.push_back(std::move(item));
  }
  std::uint64_t count(const std::string& status) const {
    const auto found = counts_.find(status);
    return found == counts_.end() ? 0 : found->second;
  }

  ImportTarget& target_;
  const ImportOptions& options_;
  ProgressBar bar_;
  std::uint64_t total_bytes_, done_bytes_ = 0;
  std::vector<PromptFile> batch_;
  std::vector<Place> places_;
  std::size_t batch_bytes_ = 0;
  std::map<std::string, std::uint64_t> counts_, ignored_keys_;
  std::vector<std::pair<Place, Imported>> skipped_;
  std::vector<std::string> unusable_, fences_;
  json::array items_;
};

void Importer::show(const Console& console) const {
  if (!fences_.empty()) {
    console.warn(counted(fences_.size(), "text") + " with a first line of \"---\", such as " +
                 fences_.front() +
                 ": front matter is read in .prompt files only, here it is part of the prompt");
  }
  if (console.json) {
    json::object ignored;
    for (const auto& [key, times] : ignored_keys_) ignored[key] = times;
    console.print({{"created", count("created")},
                   {"newVersions", count("newVersion")},
                   {"unchanged", count("unchanged")},
                   {"skipped", count("skipped")},
                   {"dryRun", options_.rules.dry_run},
                   {"items", items_},
                   {"ignoredKeys", std::move(ignored)},
                   {"otherFiles", json::array(unusable_.begin(), unusable_.end())}});
    return;
  }
  for (const auto& [place, imported] : skipped_) {
    console.out << console.painted(Colour::yellow, "skipped") << " " << harmless(place.path) << ": "
                << harmless(imported.reason) << "\n";
  }
  for (const auto& [key, times] : ignored_keys_) {
    console.out << "ignored the key \"" << harmless(key) << "\" in " << counted(times, "prompt") << "\n";
  }
  if (!unusable_.empty())
    console.out << "passed over " << counted(unusable_.size(), "file") << " of other kinds\n";
  console.out << (options_.rules.dry_run ? "Would import: " : "Imported: ") << count("created")
              << " created, " << counted(count("newVersion"), "new version") << ", " << count("unchanged")
              << " unchanged, " << count("skipped") << " skipped\n";
}

std::uint64_t size_of(const std::string& path) {
  std::error_code failed;
  const auto size = std::filesystem::file_size(path, failed);
  return failed ? 0 : size;
}

Result<Exit> import_prompts(const Program& program, const Console& console, const ImportOptions& options) {
  const SourceList sources = TRY(list_sources(options.paths));
  std::string project = options.server.project;
  if (project.empty()) project = console.environment("IMPRIMATUR_PROJECT").value_or(std::string());
  if (sources.files.empty() && sources.unreadable.empty()) return nothing_found(sources);
  const auto target = options.data.empty()
                          ? TRY(server_target(console, options.server, options.rules))
                          : TRY(directory_target(program, console, options.data, project, options.rules));
  std::uint64_t total = 0;
  for (const SourceFile& file : sources.files) total += size_of(file.path);
  Importer importer(console, *target, options, total);
  importer.passed_over(sources);
  for (const SourceFile& file : sources.files) {
    Status taken = Ok{};
    each_prompt(file, [&](Sourced sourced) {
      if (taken.ok()) taken = importer.add(std::move(sourced));
    });
    TRY(std::move(taken));
    importer.file_done(size_of(file.path));
  }
  TRY(importer.flush());
  importer.show(console);
  return importer.all_taken() ? Exit::done : Exit::refused;
}

}  // namespace

void add_import(Commands& commands) {
  auto options = std::make_shared<ImportOptions>();
  CLI::App* command = commands.add(
      "import", "Bring prompts from files into a project, as drafts",
      "  imprimatur import prompts/ --project support\n"
      "  imprimatur import prompts.jsonl --server https://prompts.example.com --project support\n"
      "  imprimatur import prompts/ --data /var/lib/imprimatur --project support --on-conflict newVersion\n\n"
      "A folder's .prompt, .md, .txt, .json and .jsonl files; names come from the paths below it. Texts are\n"
      "kept byte for byte. Front matter is read in .prompt files only; docs/prompt-files.md describes each "
      "form.\n"
      "Run it again to go on where it stopped: what is there unchanged is left alone. Exit 1 when something\n"
      "was skipped; the report says why.");
  command->add_option("paths", options->paths, "Folders or files")->required()->type_name("PATH");
  add_server_options(*command, options->server);
  command->add_option("--data", options->data, "A data directory that no server has open")
      ->type_name("DIR")
      ->excludes(command->get_option("--server"));
  command
      ->add_option_function<std::string>(
          "--on-conflict",
          [options](const std::string& what) { options->rules.new_versions = what == "newVersion"; },
          "Where a prompt of that name has other content or other tags: leave it (skip), or save a new "
          "version")
      ->check(CLI::IsMember({"skip", "newVersion"}))
      ->type_name("skip|newVersion");
  command->add_flag("--dry-run", options->rules.dry_run, "Say what would happen, change nothing");
  command->add_option("--tag", options->tags, "Add this tag to every prompt")->type_name("TAG");
  command->callback([&commands, options] {
    commands.chosen = [&commands, options] {
      return import_prompts(commands.program, commands.console, *options);
    };
  });
}

}  // namespace imprimatur::cli
