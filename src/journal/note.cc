#include "journal/note.h"

#include "base/utf8.h"

#include <algorithm>
#include <charconv>

namespace imprimatur::journal {
namespace {

constexpr std::string_view kDash = "\u2014 ";  // before the name of whoever signed
constexpr std::string_view kOriginPrefix = "imprimatur/";
constexpr std::size_t kOriginKeyDigits = 32;
constexpr std::size_t kIdBytes = 4, kTimeBytes = 8;
constexpr std::uint64_t kMaxSeconds = 253'402'300'799;  // 9999-12-31T23:59:59Z

char byte_of(NoteAlgorithm algorithm) { return static_cast<char>(algorithm); }

bool is_key_name(std::string_view name) {
  return !name.empty() && name.size() <= kMaxKeyNameBytes && !first_invalid_utf8(name) &&
         std::none_of(name.begin(), name.end(), [](char c) {
           const auto byte = static_cast<unsigned char>(c);
           return byte <= 0x20 || byte == 0x7f || c == '+';
         });
}

std::string big_endian(std::uint64_t number) {
  std::string out(kTimeBytes, '\0');
  for (std::size_t i = kTimeBytes; i-- > 0; number >>= 8) out[i] = static_cast<char>(number & 0xff);
  return out;
}

std::uint64_t from_big_endian(std::string_view bytes) {
  std::uint64_t out = 0;
  for (const char c : bytes) out = out << 8 | static_cast<unsigned char>(c);
  return out;
}

std::string cosigned_message(std::uint64_t at, std::string_view text) {
  return "cosignature/v1\ntime " + std::to_string(at) + "\n" + std::string(text);
}

Result<NoteSignature> signature_in(std::string_view line) {
  const Error bad = invalid("below the blank line of a note stand signatures: a dash, a name and base64");
  if (!line.starts_with(kDash)) return bad;
  line.remove_prefix(kDash.size());
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos) return bad;
  const auto bytes = from_base64(line.substr(blank + 1));
  if (!bytes || bytes->size() <= kIdBytes || !is_key_name(line.substr(0, blank))) return bad;
  return NoteSignature{std::string(line.substr(0, blank)), bytes->substr(0, kIdBytes),
                       bytes->substr(kIdBytes)};
}

// The next line without its line feed, taken off `rest`.
std::string_view next_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

}  // namespace

std::string NoteKey::id() const {
  const std::string hashed = name + "\n" + byte_of(algorithm) + public_key;
  return std::string(bytes_of(sha256(hashed)).substr(0, kIdBytes));
}

std::string NoteKey::text() const {
  return name + "+" + to_hex(id()) + "+" + to_base64(byte_of(algorithm) + public_key);
}

Result<NoteKey> note_key_from_text(std::string_view text) {
  const Error bad = invalid("a verifier key is name+hash+key, as its owner shows it");
  const std::size_t first = text.find('+');
  const std::size_t second = first == std::string_view::npos ? first : text.find('+', first + 1);
  if (second == std::string_view::npos) return bad;
  const auto bytes = from_base64(text.substr(second + 1));
  if (!bytes || bytes->size() != 1 + kPublicKeyBytes || !is_key_name(text.substr(0, first))) return bad;
  NoteKey key;
  key.name = text.substr(0, first);
  key.public_key = bytes->substr(1);
  if (bytes->front() == byte_of(NoteAlgorithm::log)) {
    key.algorithm = NoteAlgorithm::log;
  } else if (bytes->front() == byte_of(NoteAlgorithm::witness)) {
    key.algorithm = NoteAlgorithm::witness;
  } else {
    return invalid("the verifier key is of a kind that is not spoken here (Ed25519: 1, or 4 of a witness)");
  }
  // Covers the hash: a key that was copied wrongly does not have it.
  if (key.text() != text) return invalid("the verifier key does not have the hash that it names");
  return key;
}

std::string Note::to_text() const {
  std::string out = text + "\n";
  for (const NoteSignature& signature : signatures) {
    out.append(kDash).append(signature.name).append(" ");
    out.append(to_base64(signature.id + signature.bytes)).append("\n");
  }
  return out;
}

Result<Note> note_from_text(std::string_view text) {
  if (text.size() > kMaxNoteBytes) return too_large("a note has at most 64 KiB");
  if (first_invalid_utf8(text)) return invalid("a note is UTF-8");
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; };
  if (std::any_of(text.begin(), text.end(), control)) return invalid("a note holds no control characters");
  const std::size_t blank = text.rfind("\n\n");
  if (blank == std::string_view::npos || !text.ends_with('\n')) {
    return invalid("a note is text, a blank line and signatures, each line with a line feed");
  }
  Note note;
  note.text = text.substr(0, blank + 1);
  std::string_view rest = text.substr(blank + 2);
  while (!rest.empty()) {
    if (note.signatures.size() == kMaxNoteSignatures) return invalid("a note has at most 64 signatures");
    note.signatures.push_back(TRY(signature_in(next_line(rest))));
  }
  if (note.signatures.empty()) return invalid("the note is not signed");
  return note;
}

std::string Checkpoint::to_text() const {
  return origin + "\n" + std::to_string(size) + "\n" + to_base64(bytes_of(root)) + "\n";
}

Result<Checkpoint> checkpoint_in(const Note& note) {
  std::string_view rest = note.text;
  Checkpoint out;
  out.origin = next_line(rest);
  const std::string_view size = next_line(rest);
  const auto [end, error] = std::from_chars(size.data(), size.data() + size.size(), out.size);
  const auto root = from_base64(next_line(rest));
  if (out.origin.empty() || error != std::errc() || end != size.data() + size.size() || !root ||
      root->size() != out.root.size()) {
    return invalid("a checkpoint is the log's origin, its size and its root in base64, a line each");
  }
  std::copy(root->begin(), root->end(), out.root.begin());
  // Numbers and base64 can be written in more ways than one; only one is signed.
  if (!note.text.starts_with(out.to_text())) return invalid("the checkpoint is not in its one form");
  return out;
}

std::string origin_of(std::string_view public_key, std::string_view journal) {
  const std::string digest = to_hex(sha256(public_key));
  return std::string(kOriginPrefix) + digest.substr(0, kOriginKeyDigits) + "/" + std::string(journal);
}

std::string journal_in(std::string_view origin) {
  const std::size_t journal = kOriginPrefix.size() + kOriginKeyDigits + 1;
  if (!origin.starts_with(kOriginPrefix) || origin.size() <= journal || origin[journal - 1] != '/') return {};
  return std::string(origin.substr(journal));
}

NoteSignature sign_note(const Signer& signer, const std::string& name, std::string_view text) {
  const NoteKey key{name, NoteAlgorithm::log, signer.public_key()};
  return {name, key.id(), signer.sign(text)};
}

NoteSignature cosign_note(const Signer& signer, const std::string& name, Time at, std::string_view text) {
  const NoteKey key{name, NoteAlgorithm::witness, signer.public_key()};
  const auto second = static_cast<std::uint64_t>(at.micros / seconds(1).micros);
  return {name, key.id(), big_endian(second) + signer.sign(cosigned_message(second, text))};
}

std::optional<NoteSignature> signature_of(const Note& note, const NoteKey& key) {
  const std::string id = key.id();
  for (const NoteSignature& signature : note.signatures) {
    if (signature.name == key.name && signature.id == id) return signature;
  }
  return std::nullopt;
}

std::optional<Time> time_of(const NoteSignature& signature) {
  if (signature.bytes.size() != kTimeBytes + kSignatureBytes) return std::nullopt;
  const std::uint64_t at = from_big_endian(std::string_view(signature.bytes).substr(0, kTimeBytes));
  if (at > kMaxSeconds) return std::nullopt;
  return Time{static_cast<std::int64_t>(at) * seconds(1).micros};
}

Signed signed_by(const Note& note, const NoteKey& key) {
  const auto signature = signature_of(note, key);
  if (!signature) return Signed::missing;
  const std::string_view bytes = signature->bytes;
  switch (key.algorithm) {
    case NoteAlgorithm::log:
      return verify_signature(key.public_key, note.text, bytes) ? Signed::holds : Signed::wrong;
    case NoteAlgorithm::witness: {
      const auto at = time_of(*signature);
      if (!at) return Signed::wrong;
      const auto second = static_cast<std::uint64_t>(at->micros / seconds(1).micros);
      const std::string message = cosigned_message(second, note.text);
      return verify_signature(key.public_key, message, bytes.substr(kTimeBytes)) ? Signed::holds
                                                                                 : Signed::wrong;
    }
  }
  CHECK(false, "unknown algorithm");
}

}  // namespace imprimatur::journal
