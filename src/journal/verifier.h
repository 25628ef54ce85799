// The check of journals against themselves, their signed heads, earlier heads, and the tables.
#pragma once

#include "base/result.h"
#include "journal/entry.h"
#include "journal/merkle.h"
#include "journal/note.h"
#include "journal/replay.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::journal {

inline constexpr std::size_t kMaxFaults = 100;  // of each journal; the first ones are named

// A signed tree head: what an auditor keeps.
struct SignedHead {
  std::string journal;
  std::uint64_t size = 0;
  Hash256 root{};
  Hash256 last_hash{};
  std::string signature;   // over head_bytes
  std::string public_key;  // 32 bytes
};

// {"journal","lastHash","publicKey","rootHash","signature","size"}: hashes as sha256:<hex>, the others in
// base64. Other members are ignored when read: the signature covers what counts.
std::string head_to_json(const SignedHead& head);
Result<SignedHead> head_from_json(std::string_view text);
// What a file with earlier heads may hold: one signed note, one head as JSON, or an object whose "heads"
// lists several.
struct Checkpoints {
  std::vector<SignedHead> heads;
  std::vector<Note> notes;
};
Result<Checkpoints> checkpoints_from_text(std::string_view text);

inline constexpr std::string_view kEverything = "everything";

// What somebody knows from elsewhere. Without it a journal is only compared with itself, and whoever can
// write all of it can also sign all of it with a key of their own.
struct Trusted {
  std::vector<SignedHead> checkpoints;  // seen earlier: each must be a prefix of its journal, by the same key
  std::string key;                      // digest of the public key that signs; empty when it is not known
  std::vector<Note> notes = {};         // the same as checkpoints, as signed notes
  std::vector<NoteKey> witnesses = {};  // each must have cosigned every note
};

// "sha256:<hex>" of a public key.
std::string key_digest(std::string_view public_key);

struct Fault {
  std::string journal;
  std::uint64_t seq = 0;  // the first entry that does not fit; 0: the head, or a row no entry accounts for
  std::string what;
};
struct Verification {
  std::vector<Fault> faults;
  std::uint64_t entries = 0;
  // What the runtime must not serve (served_by in journal/rows.h); kEverything where the tables themselves
  // are not to be believed.
  std::set<std::string> doubtful;
  std::set<std::string> keys;  // digests of the public keys that signed the heads
  bool ok() const { return faults.empty(); }
};

// What is to be judged: a whole store, or the log of some journals without the tables.
enum class Scope { store, log };

// Feed each journal's entries in order and its rows and head in any order (rows after entries take no
// memory), then close it; the organisation's journal first, because it names the signing key and the
// projects.
class Verifier {
 public:
  explicit Verifier(Scope scope) : scope_(scope) {}

  // Before any entry.
  void expect(const Trusted& trusted);
  // A stored cosignature: it must hold, over what the journal was at that size.
  void expect_cosigned(const Note& note, const NoteKey& witness);

  void take(const Entry& entry);
  void take_head(const SignedHead& head);
  // A row of the tables that belongs to `journal`.
  void take_row(std::string_view journal, std::string key, std::string text);
  // Any other fault that the caller found.
  void fault(Fault fault);

  // Judges the journal and forgets its rows.
  void close(std::string_view journal);
  // Closes what is still open. After this the verifier is empty.
  Verification finish();

 private:
  struct Open {
    std::optional<Entry> last;
    Frontier tree;
    Replay replay;
    TableRows tables;  // those that were not what the events gave so far
    std::optional<SignedHead> head;
    std::vector<Fault> faults;
    bool chained = true;   // until an entry does not fit the chain
    bool replayed = true;  // until an event does not fit what came before
  };
  struct SeenNote {
    Note note;
    Checkpoint checkpoint;
    std::vector<NoteKey> witnesses;  // that must have signed
    bool by_log = true;              // the log must have signed, too
  };
  Open& open(std::string_view journal);
  void compare_with_seen(Open& state, const Entry& entry);
  void judge_head(const std::string& name, Open& state);
  void judge_rows(const std::string& name, Open& state);
  void judge_checkpoints(const std::string& name, Open& state);
  void judge_notes(const std::string& name, Open& state);
  void learn(Open& organisation);

  Scope scope_;
  std::map<std::string, Open, std::less<>> open_;
  std::set<std::string, std::less<>> closed_;
  std::multimap<std::string, SignedHead> checkpoints_;
  std::multimap<std::string, SeenNote> notes_;
  std::string trusted_key_;
  std::optional<std::string> signing_key_;  // digest of it, from the organisation's first entry
  std::set<std::string> projects_;          // registered with the organisation
  Verification result_;
};

}  // namespace imprimatur::journal
