#include "base/hash.h"
#include "cli/commands.h"
#include "cli/data_directory.h"
#include "cli/prompt_sources.h"
#include "journal/envelope.h"
#include "journal/evidence_file.h"
#include "journal/exported.h"
#include "journal/signing.h"
#include "store/journal_rows.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>

#include <CLI/CLI.hpp>
#include <boost/json.hpp>

namespace imprimatur::cli {
namespace {

namespace json = boost::json;

struct VerifyOptions {
  std::string target;
  std::string checkpoint;
  std::string key;
  std::vector<std::string> witnesses;
};

Error in_file(const std::string& path, Error error, const std::string& is) {
  error.detail = path + " is " + is + ": " + error.detail;
  return error;
}

Result<journal::Checkpoints> checkpoints(const std::string& path) {
  if (path.empty()) return journal::Checkpoints();
  const std::string text = TRY(read_file(path));
  auto found = journal::checkpoints_from_text(text);
  if (!found.ok()) return in_file(path, found.error(), "no checkpoint");
  return found;
}

Result<std::vector<journal::NoteKey>> witnesses(const VerifyOptions& options,
                                                const std::vector<journal::Note>& notes) {
  std::vector<journal::NoteKey> out;
  for (const std::string& text : options.witnesses) {
    const auto key = journal::note_key_from_text(text);
    if (!key.ok()) return invalid("--witness takes a verifier key: " + key.error().detail);
    if (key->algorithm != journal::NoteAlgorithm::witness) {
      return invalid("--witness takes the verifier key of a witness; this one is a log's");
    }
    out.push_back(*key);
  }
  if (!out.empty() && notes.empty()) {
    return invalid("--witness needs --checkpoint with a signed note, which the witness cosigned");
  }
  return out;
}

struct Checked {
  journal::Verification found;
  std::vector<journal::SignedHead> heads;
  std::vector<std::string> against;  // what the key was compared with
  std::string unchecked;             // why not with the secret file; empty when it was
  bool evidence = false;             // of a release, and no journal
};

constexpr std::string_view kDigestPrefix = "sha256:";

Result<std::string> checked_key(const std::string& key) {
  const auto hash =
      key.starts_with(kDigestPrefix) ? hash_from_hex(key.substr(kDigestPrefix.size())) : std::nullopt;
  if (!hash) return invalid("--key takes the digest of the signing key: sha256: and 64 hexadecimal digits");
  return std::string(kDigestPrefix) + to_hex(*hash);
}

// What is known from elsewhere than the journals: options first, then the directory's own secret.
Result<journal::Trusted> trusted(const Commands& commands, const VerifyOptions& options, bool directory,
                                 Checked& checked) {
  journal::Trusted out;
  journal::Checkpoints seen = TRY(checkpoints(options.checkpoint));
  out.witnesses = TRY(witnesses(options, seen.notes));
  out.checkpoints = std::move(seen.heads);
  out.notes = std::move(seen.notes);
  if (!options.checkpoint.empty()) checked.against.push_back("--checkpoint");
  if (!out.witnesses.empty()) checked.against.push_back("--witness");
  if (!options.key.empty()) {
    out.key = TRY(checked_key(options.key));
    checked.against.push_back("--key");
  }
  if (!directory) {
    checked.unchecked = "an export holds no secret";
    return out;
  }
  const auto seed = commands.program.signing_seed(options.target);
  if (!seed.ok()) {
    checked.unchecked = seed.error().detail;
    return out;
  }
  const std::string own = journal::key_digest(journal::Signer(*seed).public_key());
  if (!out.key.empty() && out.key != own) {
    return unprocessable("the secret file holds the key " + own + ", not " + out.key);
  }
  out.key = own;
  checked.against.push_back("the secret file");
  return out;
}

Status check_directory(const Console& console, const std::string& directory, const journal::Trusted& trusted,
                       Checked& out) {
  const auto database = TRY(open_for_reading(directory));
  store::Tx tx(*database, Time{});
  ProgressBar bar(console, "Verifying");
  out.found = store::verify(
      tx, [&](std::uint64_t done, std::uint64_t total) { bar.show(done, total); }, trusted);
  if (!out.found.ok()) return Ok{};  // heads that may not be read are not shown
  for (const store::Head& head : store::heads(tx)) out.heads.push_back(store::signed_head(head));
  return Ok{};
}

Status check_file(const std::string& path, const journal::Trusted& trusted, Checked& out) {
  if (is_database(path)) {
    return invalid(path + " is a database; name the data directory that it lies in, or an exported journal");
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) return unavailable("cannot open " + path);
  std::string begin(journal::kEvidenceBegins.size(), ' ');
  file.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  if (begin == journal::kEvidenceBegins) {
    std::error_code failed;
    if (std::filesystem::file_size(path, failed) > journal::kMaxEnvelopeBytes || failed) {
      return too_large(path + " is larger than any evidence of a release");
    }
    const std::string rest{std::istreambuf_iterator<char>(file), {}};
    auto evidence = journal::verify_evidence(begin + rest, trusted);
    if (!evidence.ok()) return in_file(path, evidence.error(), "no evidence of a release");
    out.found = *std::move(evidence);
    out.evidence = true;
    return Ok{};
  }
  file.clear();
  file.seekg(0);
  auto found = journal::verify_export(file, trusted);
  if (!found.ok()) return in_file(path, found.error(), "neither a data directory nor an exported journal");
  out.found = *std::move(found);
  return Ok{};
}

std::string joined(const auto& items) {
  std::string out;
  for (const std::string& item : items) out.append(out.empty() ? "" : ", ").append(item);
  return out;
}

void show_key(const Console& console, const Checked& checked) {
  console.out << "signing key: "
              << (checked.found.keys.empty() ? "none" : harmless(joined(checked.found.keys))) << "\n";
  if (!checked.against.empty()) {
    console.out << "  compared with " << joined(checked.against) << "\n";
    return;
  }
  console.out << console.painted(Colour::yellow, "  NOT compared with anything outside the data")
              << ": whoever can write all of it can have signed it with a key of their own.\n"
              << "  (" << harmless(checked.unchecked) << "; give --key or --checkpoint)\n";
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
                   {"signingKeys", json::array(checked.found.keys.begin(), checked.found.keys.end())},
                   {"keyComparedWith", json::array(checked.against.begin(), checked.against.end())},
                   {"faults", std::move(faults)},
                   {"heads", std::move(heads)}});
    return;
  }
  if (checked.found.ok()) {
    console.out << console.painted(Colour::green, "verified") << ": " << checked.found.entries
                << (checked.found.entries == 1 ? " entry" : " entries")
                << (checked.evidence ? "; signature, paths, words and digests hold\n"
                                     : "; chain, tree, signature and replay hold\n");
    show_key(console, checked);
    return;
  }
  // Of each journal only the first are named.
  const std::size_t faults = checked.found.faults.size();
  console.out << console.painted(Colour::red, "broken") << ": "
              << (faults < journal::kMaxFaults ? "" : "at least ") << counted(faults, "fault") << "\n";
  for (const journal::Fault& fault : checked.found.faults) {
    console.out << "  journal " << harmless(fault.journal)
                << (fault.seq == 0 ? std::string() : ", entry " + std::to_string(fault.seq)) << ": "
                << harmless(fault.what) << "\n";
  }
  show_key(console, checked);
}

Result<Exit> verify_target(const Commands& commands, const VerifyOptions& options) {
  const Console& console = commands.console;
  std::error_code ignored;
  if (!std::filesystem::exists(options.target, ignored)) return invalid("there is no " + options.target);
  const bool directory = std::filesystem::is_directory(options.target, ignored);
  Checked checked;
  const journal::Trusted known = TRY(trusted(commands, options, directory, checked));
  TRY(directory ? check_directory(console, options.target, known, checked)
                : check_file(options.target, known, checked));
  show(console, checked);
  return checked.found.ok() ? Exit::done : Exit::refused;
}

Result<Exit> export_journals(const Console& console, const std::string& directory) {
  const auto database = TRY(open_for_reading(directory));
  store::Tx tx(*database, Time{});
  store::each_export_line(tx, [&](std::string_view line) { console.out << line << "\n"; });
  return Exit::done;
}

}  // namespace

void add_verify(Commands& commands) {
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* verify =
      commands.add("verify",
                   "Check the journals of a data directory or of an export, or the evidence of a release, "
                   "without a server",
                   "  imprimatur verify /var/lib/imprimatur\n"
                   "  imprimatur verify /var/lib/imprimatur --json > checkpoint.json\n"
                   "  imprimatur verify /var/lib/imprimatur --checkpoint checkpoint.json\n"
                   "  imprimatur verify audit.jsonl --checkpoint checkpoint.txt --witness "
                   "witness.example/w1+8d66cf3f+BG…\n"
                   "  imprimatur verify release.dsse.json --key sha256:6b0c…\n"
                   "  imprimatur verify audit.jsonl --key sha256:6b0c…\n\n"
                   "Checks the hash chain, the Merkle tree, the signed heads, that times never go back, and "
                   "that replaying\n"
                   "the events gives the tables; names the first entry that does not fit. With an earlier "
                   "checkpoint (a signed note, or JSON), also\n"
                   "that nothing was cut off or rewritten since, and that the witnesses named have cosigned "
                   "it. The key that signed is compared with the secret "
                   "file where it\n"
                   "can be read, with --key and with the checkpoint. Exit 1 when something does not hold.");
  verify->add_option("target", options->target, "A data directory, an exported file, or a release's evidence")
      ->required();
  verify->add_option("--checkpoint", options->checkpoint, "Heads that were kept earlier")->type_name("FILE");
  verify->add_option("--witness", options->witnesses, "Verifier key of a witness that must have cosigned it")
      ->type_name("VKEY");
  verify->add_option("--key", options->key, "Digest of the signing key, as it was noted down earlier")
      ->type_name("sha256:…");
  verify->callback([&commands, options] {
    commands.chosen = [&commands, options] { return verify_target(commands, *options); };
  });
}

void add_journal(Commands& commands) {
  CLI::App* journal = commands.add("journal", "What there is to do with the journals of a data directory",
                                   "  imprimatur journal export --data /var/lib/imprimatur > audit.jsonl");
  say_json(*journal, "Errors as JSON, too");
  journal->require_subcommand(1);
  auto directory = std::make_shared<std::string>();
  CLI::App* exported =
      commands.add("export", "Write the journals of a data directory as JSON Lines of ids and digests",
                   "  imprimatur journal export --data /var/lib/imprimatur > audit.jsonl\n"
                   "  imprimatur verify audit.jsonl",
                   journal);
  say_json(*exported, "Errors as JSON, too; the export itself is JSON Lines");
  exported->add_option("--data", *directory, "The data directory")->required()->type_name("DIR");
  exported->callback([&commands, directory] {
    commands.chosen = [&commands, directory] { return export_journals(commands.console, *directory); };
  });
}

}  // namespace imprimatur::cli
