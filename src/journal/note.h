// Checkpoints as other transparency logs write and witness them: C2SP signed-note, tlog-checkpoint and
// tlog-cosignature.
#pragma once

#include "base/clock.h"
#include "base/hash.h"
#include "base/result.h"
#include "journal/signing.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::journal {

inline constexpr std::size_t kMaxNoteBytes = 64 * 1024;
inline constexpr std::size_t kMaxNoteSignatures = 64;
inline constexpr std::size_t kMaxKeyNameBytes = 200;

// `log` signs the text itself, `witness` the text behind the time at which it was seen.
enum class NoteAlgorithm : unsigned char { log = 0x01, witness = 0x04 };

// Who may sign notes, and with what: "name+hash+key", as it is handed from one party to another.
struct NoteKey {
  std::string name;
  NoteAlgorithm algorithm = NoteAlgorithm::log;
  std::string public_key;  // 32 bytes
  std::string id() const;  // the 4 bytes that stand before a signature
  std::string text() const;
  bool operator==(const NoteKey&) const = default;
};
Result<NoteKey> note_key_from_text(std::string_view text);

struct NoteSignature {
  std::string name;
  std::string id;
  std::string bytes;  // of a witness: the time in 8 bytes, then 64
};

struct Note {
  std::string text;  // ends with a line feed
  std::vector<NoteSignature> signatures;
  std::string to_text() const;
};
// Refuses what no note may hold: control characters, bytes that are not UTF-8, a line that is no signature
// below the blank one.
Result<Note> note_from_text(std::string_view text);

// What a checkpoint says. Further lines that others may write behind the three are signed and mean nothing.
struct Checkpoint {
  std::string origin;  // which log
  std::uint64_t size = 0;
  Hash256 root{};
  std::string to_text() const;
};
Result<Checkpoint> checkpoint_in(const Note& note);

// "imprimatur/<first half of the signing key's digest in hex>/<journal>": the same for everybody who knows
// the key, and nothing else about the installation.
std::string origin_of(std::string_view public_key, std::string_view journal);
// What stands behind the last slash; empty for an origin of another form.
std::string journal_in(std::string_view origin);

NoteSignature sign_note(const Signer& signer, const std::string& name, std::string_view text);
NoteSignature cosign_note(const Signer& signer, const std::string& name, Time at, std::string_view text);

// How a note stands to a key. Signatures by other keys say nothing.
enum class Signed { missing, wrong, holds };
Signed signed_by(const Note& note, const NoteKey& key);
// The signature that names the key, whether it holds or not.
std::optional<NoteSignature> signature_of(const Note& note, const NoteKey& key);
// When a witness signed, in whole seconds. Nothing when it is no witness's signature.
std::optional<Time> time_of(const NoteSignature& signature);

}  // namespace imprimatur::journal
