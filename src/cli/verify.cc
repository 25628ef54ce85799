#include "base/hash.h"
#include "cli/commands.h"
#include "cli/data_directory.h"
#include "cli/prompt_sources.h"
#include "journal/exported.h"
#include "store/journal_rows.h"

#include <filesystem>
#include <fstream>
#include <memory>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

namespace imprimatur::cli {
namespace {

namespace json = boost::json;

struct VerifyOptions {
  std::string target;
  std::string checkpoint;
};

Result<std::vector<journal::SignedHead>> checkpoints(const std::string& path) {
  if (path.empty()) return std::vector<journal::SignedHead>();
  const std::string text = TRY(read_file(path));
  return journal::checkpoints_from_json(text);
}

struct Checked {
  journal::Verification found;
  std::vector<journal::SignedHead> heads;
};

Result<Checked> check_directory(const Console& console, const std::string& directory,
                                const std::vector<journal::SignedHead>& seen) {
  const auto database = TRY(open_for_reading(directory));
  store::Tx tx(*database, Time{});
  ProgressBar bar(console, "Verifying");
  Checked out;
  out.found = store::verify(
      tx, [&](std::uint64_t done, std::uint64_t total) { bar.show(done, total); }, seen);
  if (!out.found.ok()) return out;  // heads that may not be read are not shown
  for (const store::Head& head : store::heads(tx)) out.heads.push_back(store::signed_head(head));
  return out;
}

Result<Checked> check_file(const std::string& path, const std::vector<journal::SignedHead>& seen) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return unavailable("cannot open " + path);
  Checked out;
  out.found = TRY(journal::verify_export(file, seen));
  return out;
}

void show(const Console& console, const Checked& checked) {
  if (console.json) {
    json::array faults, heads;
    for (const journal::Fault& fault : checked.found.faults) {
      faults.push_back({{"journal", fault.journal}, {"seq", fault.seq}, {"what", fault.what}});
    }
    for (const journal::SignedHead& head : checked.heads)
      heads.push_back(json::parse(journal::head_to_json(head)));
    console.print({{"ok", checked.found.ok()},
                   {"entries", checked.found.entries},
                   {"faults", std::move(faults)},
                   {"heads", std::move(heads)}});
    return;
  }
  if (checked.found.ok()) {
    console.out << console.painted(Colour::green, "verified") << ": " << checked.found.entries
                << " entries; chain, tree, signature and replay hold\n";
    return;
  }
  console.out << console.painted(Colour::red, "broken") << ": " << checked.found.faults.size() << " faults\n";
  for (const journal::Fault& fault : checked.found.faults) {
    console.out << "  journal " << harmless(fault.journal)
                << (fault.seq == 0 ? std::string() : ", entry " + std::to_string(fault.seq)) << ": "
                << harmless(fault.what) << "\n";
  }
}

Result<Exit> verify_target(const Console& console, const VerifyOptions& options) {
  const auto seen = TRY(checkpoints(options.checkpoint));
  std::error_code ignored;
  if (!std::filesystem::exists(options.target, ignored)) return invalid("there is no " + options.target);
  const bool directory = std::filesystem::is_directory(options.target, ignored);
  const Checked checked =
      TRY(directory ? check_directory(console, options.target, seen) : check_file(options.target, seen));
  show(console, checked);
  return checked.found.ok() ? Exit::done : Exit::refused;
}

Result<Exit> export_journals(const Console& console, const std::string& directory) {
  const auto database = TRY(open_for_reading(directory));
  store::Tx tx(*database, Time{});
  store::each_export_line(tx, [&](std::string_view line) { console.out << line << "\n"; });
  console.out.flush();
  if (!console.out) return unavailable("the export could not be written");
  return Exit::done;
}

}  // namespace

void add_verify(Commands& commands) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* verify =
      commands.add("verify", "Check the journals of a data directory, or of an export, without a server",
                   "  imprimatur verify /var/lib/imprimatur\n"
                   "  imprimatur verify /var/lib/imprimatur --json > checkpoint.json\n"
                   "  imprimatur verify /var/lib/imprimatur --checkpoint checkpoint.json\n"
                   "  imprimatur verify audit.jsonl --checkpoint checkpoint.json\n\n"
                   "Checks the hash chain, the Merkle tree, the signed heads, that times never go back, and "
                   "that replaying\n"
                   "the events gives the tables; names the first entry that does not fit. With an earlier "
                   "checkpoint, also\n"
                   "that nothing was cut off or rewritten since. Exit 1 when something does not hold.");
  verify->add_option("target", options->target, "A data directory, or an exported file")->required();
  verify->add_option("--checkpoint", options->checkpoint, "Heads that were kept earlier")->type_name("FILE");
  verify->callback([&commands, options] {
    commands.chosen = [&commands, options] { return verify_target(commands.console, *options); };
  });
  auto directory = std::make_shared<std::string>();
  CLI::App* exported =
      commands.add("export", "Write the journals of a data directory as JSON Lines of ids and digests",
                   "  imprimatur export --data /var/lib/imprimatur > audit.jsonl\n"
                   "  imprimatur verify audit.jsonl");
  exported->add_option("--data", *directory, "The data directory")->required()->type_name("DIR");
  exported->callback([&commands, directory] {
    commands.chosen = [&commands, directory] { return export_journals(commands.console, *directory); };
  });
}

}  // namespace imprimatur::cli
