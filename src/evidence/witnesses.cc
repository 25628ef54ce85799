// Who watches the journals from outside, and what they signed.
#include "evidence/events.h"
#include "evidence/evidence.h"
#include "identity/standing.h"
#include "journal/merkle.h"
#include "registry/caller.h"
#include "store/credential.h"
#include "store/cursor.h"

#include <algorithm>

namespace imprimatur::evidence {
namespace {

constexpr std::string_view kWitnessOutcome = "witness:";
constexpr std::string_view kCosignedOutcome = "cosigned:";

Error unknown_witness() { return not_found("There is no such witness."); }

Result<journal::NoteKey> checked_key(std::string_view text) {
  auto key = journal::note_key_from_text(text);
  if (!key.ok()) return invalid_field("verifierKey", key.error().detail);
  if (key->algorithm != journal::NoteAlgorithm::witness) {
    return invalid_field("verifierKey", "is the key of a log; a witness signs with a key of kind 4");
  }
  return key;
}

Status require_new(const std::vector<store::Witness>& known, const journal::NoteKey& key) {
  std::size_t present = 0;
  for (const store::Witness& other : known) {
    if (other.removed_at) continue;
    ++present;
    if (other.key.name == key.name) return conflict("There is already a witness of this name.");
    // The name is not signed: one key under two names would count as two witnesses.
    if (other.key.public_key == key.public_key) {
      return conflict("The key is already that of the witness " + other.key.name + ".");
    }
  }
  if (present >= kMaxWitnesses) {
    return unprocessable("There are " + std::to_string(kMaxWitnesses) + " witnesses; remove one first.");
  }
  return Ok{};
}

struct Parsed {
  journal::Note note;
  journal::Checkpoint checkpoint;
  std::string journal;
};

Result<Parsed> parsed_note(std::string_view text) {
  auto note = journal::note_from_text(text);
  if (!note.ok()) return invalid_field("note", note.error().detail);
  const auto checkpoint = journal::checkpoint_in(*note);
  if (!checkpoint.ok()) return invalid_field("note", checkpoint.error().detail);
  Parsed out{*std::move(note), *checkpoint, journal::journal_in(checkpoint->origin)};
  // An extension line would be signed, and lost when the note is written again.
  if (out.note.text != out.checkpoint.to_text()) {
    return invalid_field("note", "has lines that no checkpoint of this server has");
  }
  return out;
}

Error another_log() {
  return unprocessable("The checkpoint is of another log.",
                       {"its first line must be the origin that this server's checkpoint shows"});
}

// Reading is what a witness does, whoever brings its word.
Status require_reader(store::Tx& tx, const Principal& who, const std::string& journal) {
  if (journal == journal::kOrganisation) {
    const std::string own = TRY(registry::audited_journal(tx, who, ""));
    if (own == journal) return Ok{};
    return forbidden("The organisation's journal is for its admins.",
                     {"a key reads the journal of its own project only"});
  }
  const registry::Caller caller = TRY(registry::Caller::in(tx, who, ProjectId{journal}));
  return caller.require(Permission::read_audit);
}

// The checkpoint must be one that this journal has had.
Status require_true(store::Tx& tx, const store::Head& head, const journal::Checkpoint& seen) {
  if (seen.size == 0 || seen.size > head.size) {
    return unprocessable("The journal has never had that many entries.",
                         {"it has " + std::to_string(head.size) + " entries"});
  }
  const Hash256 root =
      seen.size == head.size
          ? head.frontier.root()
          : journal::root_of_first(seen.size, [&](std::uint64_t begin, std::uint64_t end, const auto& take) {
              store::each_leaf(tx, head.journal, begin, end, take);
            });
  if (root == seen.root) return Ok{};
  return unprocessable("The journal has another root at that size.",
                       {"keep the checkpoint: one of the two was signed over something else"});
}

Result<std::vector<store::Cosignature>> accepted(const std::vector<store::Witness>& known, const Parsed& seen,
                                                 Time now) {
  std::vector<store::Cosignature> out;
  for (const store::Witness& witness : known) {
    if (witness.removed_at) continue;
    switch (journal::signed_by(seen.note, witness.key)) {
      case journal::Signed::missing: continue;
      case journal::Signed::wrong:
        return unprocessable("The cosignature of " + witness.key.name + " does not hold.");
      case journal::Signed::holds: break;
    }
    const journal::NoteSignature signature = *journal::signature_of(seen.note, witness.key);
    if (*journal::time_of(signature) > now + kWitnessAhead) {
      return unprocessable("The clock of " + witness.key.name + " is more than an hour ahead.");
    }
    out.push_back({seen.journal, witness.id, seen.checkpoint.size, seen.checkpoint.root, signature.bytes});
  }
  if (out.empty()) {
    return unprocessable("The note carries no cosignature of a witness that is registered here.",
                         {"an organisation admin registers a witness by its verifier key"});
  }
  return out;
}

Time time_in(const store::Cosignature& cosignature) {
  const auto at = journal::time_of({"", "", cosignature.signature});
  if (!at) throw store::DataBroken("a cosignature of journal " + cosignature.journal + " has no time");
  return *at;
}

// False where what is kept is as new. A conflict where it is of a longer journal: a witness never goes back.
Result<bool> is_newer(const std::vector<store::Cosignature>& kept, const store::Cosignature& given) {
  for (const store::Cosignature& old : kept) {
    if (old.witness != given.witness) continue;
    if (old.size > given.size) {
      return conflict("A cosignature of this witness over " + std::to_string(old.size) +
                      " entries is kept already.");
    }
    return old.size < given.size || time_in(old) < time_in(given);
  }
  return true;
}

}  // namespace

Result<store::Witness> Evidence::add_witness(const store::Command& command, std::string_view verifier_key) {
  TRY(store_.read(
      [&](store::Tx& tx) { return identity::require_organisation_admin(tx, command.principal); }));
  const journal::NoteKey key = TRY(checked_key(verifier_key));
  return store_.write({std::string(journal::kOrganisation)}, [&](store::Tx& tx) -> Result<store::Witness> {
    TRY(identity::require_organisation_admin(tx, command.principal));
    if (const auto outcome = TRY(store::replayed(tx, command))) {
      auto made = store::witness(tx, {store::reference_in(*outcome, kWitnessOutcome)});
      if (!made) return unknown_witness();
      return *std::move(made);
    }
    TRY(require_new(store::witnesses(tx), key));
    const store::Witness made{
        {new_id("wit", tx.now().micros / 1000)}, key, command.principal.id, tx.now(), {}};
    store::insert_witness(tx, made);
    tx.append(journal::kOrganisation, witness_added(command.principal.id, made));
    store::remember(tx, command, std::string(kWitnessOutcome) + made.id.text);
    return made;
  });
}

Status Evidence::remove_witness(const store::Command& command, const WitnessId& id) {
  return store_.write({std::string(journal::kOrganisation)}, [&](store::Tx& tx) -> Status {
    TRY(identity::require_organisation_admin(tx, command.principal));
    const auto found = store::witness(tx, id);
    if (!found || found->removed_at) return unknown_witness();
    store::put_witness_removed(tx, id, tx.now());
    tx.append(journal::kOrganisation, witness_removed(command.principal.id, id));
    return Ok{};
  });
}

Result<Page<store::Witness>> Evidence::witnesses(const Principal& who, const PageRequest& page) {
  return store_.read([&](store::Tx& tx) -> Result<Page<store::Witness>> {
    TRY(store::still_valid(tx, who));
    const std::string after = TRY(store::text_after(page));
    auto all = store::witnesses(tx);
    std::erase_if(all, [&](const store::Witness& one) { return one.removed_at || one.id.text <= after; });
    return store::paged(std::move(all), page, [](const store::Witness& one) { return one.id.text; });
  });
}

Result<Cosigned> Evidence::cosign(const store::Command& command, std::string_view note) {
  const Parsed seen = TRY(parsed_note(note));
  if (seen.checkpoint.origin != origin(seen.journal)) return another_log();
  TRY(store_.read([&](store::Tx& tx) -> Status {
    TRY(require_reader(tx, command.principal, seen.journal));
    const store::Head head = TRY(own_head(tx, seen.journal));
    return require_true(tx, head, seen.checkpoint);
  }));
  // No journal: what a witness signed proves itself, and an event would change the very head it is about.
  return store_.write({}, [&](store::Tx& tx) -> Result<Cosigned> {
    TRY(require_reader(tx, command.principal, seen.journal));
    const auto known = store::witnesses(tx);
    const auto given = TRY(accepted(known, seen, tx.now()));
    Cosigned out{seen.checkpoint, signed_note(seen.checkpoint), {}};
    const bool repeated = TRY(store::replayed(tx, command)).has_value();
    const auto kept = store::cosignatures(tx, seen.journal);
    for (const store::Cosignature& one : given) {
      if (!repeated && TRY(is_newer(kept, one))) store::put_cosignature(tx, one);
      const auto witness = std::ranges::find(known, one.witness, &store::Witness::id);
      out.note.signatures.push_back({witness->key.name, witness->key.id(), one.signature});
      out.by.push_back({one.witness, witness->key.name, time_in(one)});
    }
    store::remember(tx, command, std::string(kCosignedOutcome) + seen.journal);
    return out;
  });
}

}  // namespace imprimatur::evidence
