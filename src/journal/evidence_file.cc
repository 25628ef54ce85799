#include "journal/evidence_file.h"

#include "base/json.h"
#include "domain/content.h"
#include "journal/commitment.h"
#include "journal/envelope.h"

#include <set>

#include <boost/json.hpp>

namespace imprimatur::journal {
namespace {

namespace json = boost::json;

constexpr std::string_view kPredicate = "urn:imprimatur:release-evidence:v1";
constexpr JsonLimits kLimits{.bytes = kMaxEnvelopeBytes, .depth = 128, .values = 10'000'000};

const json::value& in(const json::value& value, std::string_view name) {
  static const json::value kNull;
  const json::value* found = value.is_object() ? value.get_object().if_contains(name) : nullptr;
  return found == nullptr ? kNull : *found;
}

std::string text_in(const json::value& value, std::string_view name) {
  const json::value& found = in(value, name);
  return found.is_string() ? std::string(found.get_string()) : std::string();
}

std::string digest_of_json(const json::value& value) {
  const auto text = canonical_json(value);
  return text.ok() ? "sha256:" + to_hex(sha256(*text)) : std::string();
}

class EvidenceFile {
 public:
  EvidenceFile(const json::value& statement, const Trusted& trusted)
      : statement_(statement),
        predicate_(in(statement, "predicate")),
        journal_(in(predicate_, "journal")),
        name_(text_in(journal_, "id")),
        trusted_(trusted) {}

  Verification check(const Envelope& envelope) {
    check_key(envelope);
    check_checkpoint();
    const json::value& entries = in(journal_, "entries");
    if (!entries.is_array() || entries.get_array().empty()) {
      fault(0, "it rests on no entry");
    } else {
      for (const json::value& entry : entries.get_array()) check_entry(entry);
    }
    check_words(predicate_);
    check_digests();
    return std::move(out_);
  }

 private:
  void fault(std::uint64_t seq, std::string what) { out_.faults.push_back({name_, seq, std::move(what)}); }

  void check_key(const Envelope& envelope) {
    key_ = from_base64(text_in(journal_, "publicKey")).value_or("");
    const std::string digest = key_digest(key_);
    out_.keys.insert(digest);
    if (envelope.key != digest || !signed_by(envelope, key_))
      fault(0, "the signature of the file does not hold");
    if (!trusted_.key.empty() && trusted_.key != digest) {
      fault(0, "the file is signed by the key " + digest + ", not by " + trusted_.key);
    }
  }

  void check_checkpoint() {
    const auto note = note_from_text(text_in(journal_, "checkpoint"));
    const auto checkpoint = note.ok() ? checkpoint_in(*note) : Result<Checkpoint>(note.error());
    if (!checkpoint.ok()) return fault(0, "its checkpoint is none: " + checkpoint.error().detail);
    checkpoint_ = *checkpoint;
    const NoteKey log{checkpoint->origin, NoteAlgorithm::log, key_};
    if (checkpoint->origin != origin_of(key_, name_) || signed_by(*note, log) != Signed::holds) {
      fault(0, "its checkpoint is not signed by the key of its journal");
    }
    for (const SignedHead& seen : trusted_.checkpoints) compare(seen.journal, seen.size, seen.root);
    for (const Note& seen : trusted_.notes) {
      const Checkpoint kept = checkpoint_in(seen).value();
      compare(journal_in(kept.origin), kept.size, kept.root);
      const NoteKey by{kept.origin, NoteAlgorithm::log, key_};
      if (signed_by(seen, by) != Signed::holds)
        fault(0, "the checkpoint given is not signed by the same key");
      for (const NoteKey& witness : trusted_.witnesses) {
        if (signed_by(seen, witness) != Signed::holds) {
          fault(0, "the checkpoint given is not cosigned by " + witness.name);
        }
      }
    }
  }

  void compare(const std::string& journal, std::uint64_t size, const Hash256& root) {
    if (journal != name_) return;  // of another one: a file may hold several
    if (size != checkpoint_.size) {
      fault(0, "its checkpoint is of " + std::to_string(checkpoint_.size) + " entries, the one given of " +
                   std::to_string(size) + ": only a consistency proof leads from one to the other");
    } else if (root != checkpoint_.root) {
      fault(0, "its checkpoint is not the one given");
    }
  }

  void check_entry(json::value shown) {
    ++out_.entries;
    std::vector<Hash256> path;
    bool readable = shown.is_object();
    if (const json::value& hashes = in(shown, "path"); hashes.is_array()) {
      for (const json::value& hash : hashes.get_array()) {
        const auto read = hash.is_string() && std::string_view(hash.get_string()).starts_with("sha256:")
                              ? hash_from_hex(std::string_view(hash.get_string()).substr(7))
                              : std::nullopt;
        readable = readable && read.has_value();
        path.push_back(read.value_or(Hash256{}));
      }
    }
    if (readable) shown.get_object().erase("path");
    const auto text = canonical_json(shown);
    const auto entry = readable && text.ok() ? entry_from_json(*text) : Result<Entry>(invalid("no object"));
    if (!entry.ok()) return fault(0, "one of its entries is not readable: " + entry.error().detail);
    if (entry->journal != name_ || hash_of(*entry) != entry->hash) {
      return fault(entry->seq, "the entry does not have its hash");
    }
    if (!verify_inclusion(leaf_of(*entry), entry->seq - 1, checkpoint_.size, path, checkpoint_.root)) {
      return fault(entry->seq, "the entry is not under the checkpoint");
    }
    for (const auto& member : in(shown, "details").get_object()) {
      if (member.value().is_string()) told_.emplace(member.value().get_string());
    }
  }

  // Whatever is said anywhere must be what an entry commits to.
  void check_words(const json::value& value) {
    if (value.is_array()) {
      for (const json::value& item : value.get_array()) check_words(item);
      return;
    }
    if (!value.is_object()) return;
    const std::string commitment_shown = text_in(value, "commitment");
    if (!commitment_shown.empty() && value.get_object().contains("salt")) {
      if (!told_.contains(commitment_shown)) fault(0, "no entry holds the commitment " + commitment_shown);
      const std::string salt = text_in(value, "salt");
      if (in(value, "text").is_string() &&
          (salt.empty() || commitment(salt, text_in(value, "text")) != commitment_shown)) {
        fault(0, "a text is not the one of its commitment " + commitment_shown);
      }
      return;
    }
    for (const auto& member : value.get_object()) {
      if (member.key() != "content" && member.key() != "entries") check_words(member.value());
    }
  }

  void check_digests() {
    const json::value& version = in(predicate_, "version");
    const std::string digest = text_in(version, "digest");
    const json::value& subject = in(statement_, "subject");
    const json::value& first =
        subject.is_array() && !subject.get_array().empty() ? subject.get_array()[0] : subject;
    if ("sha256:" + text_in(in(first, "digest"), "sha256") != digest || !told_.contains(digest)) {
      fault(0, "no entry tells of the version that the file is about");
    }
    if (const json::value& content = in(version, "content"); !content.is_null()) {
      const auto text = canonical_json(content);
      if (!text.ok() || digest_of_canonical(*text) != digest)
        fault(0, "the content does not have its digest");
    }
    const json::value& gate = in(predicate_, "gate");
    if (digest_of_json(in(gate, "answer")) != text_in(gate, "digest") ||
        !told_.contains(text_in(gate, "digest"))) {
      fault(0, "the gate answer is not the one of the journal");
    }
  }

  const json::value& statement_;
  const json::value& predicate_;
  const json::value& journal_;
  const std::string name_;
  const Trusted& trusted_;
  Verification out_;
  std::string key_;
  Checkpoint checkpoint_;
  std::set<std::string, std::less<>> told_;  // strings in the details of entries that are proved
};

}  // namespace

Result<Verification> verify_evidence(std::string_view text, const Trusted& trusted) {
  const Envelope envelope = TRY(envelope_from_json(text));
  if (envelope.type != kInTotoPayload) return invalid("it holds no in-toto statement");
  const json::value statement = TRY(parse_json(envelope.payload, kLimits));
  if (text_in(statement, "predicateType") != kPredicate) {
    return invalid("it is a statement of another kind than " + std::string(kPredicate));
  }
  return EvidenceFile(statement, trusted).check(envelope);
}

}  // namespace imprimatur::journal
