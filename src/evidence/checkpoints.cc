// Signed heads for those who keep them elsewhere, and proofs between them.
#include "evidence/evidence.h"
#include "journal/merkle.h"
#include "registry/caller.h"

#include <functional>
#include <map>
#include <set>

namespace imprimatur::evidence {
namespace {

Error no_such_size() { return not_found("The journal has never had that many entries."); }

journal::EachLeaf leaves_of(store::Tx& tx, const std::string& journal) {
  return [&tx, journal](std::uint64_t begin, std::uint64_t end, const auto& take) {
    store::each_leaf(tx, journal, begin, end, take);
  };
}

Hash256 root_at(store::Tx& tx, const store::Head& head, std::uint64_t size) {
  if (size == head.size) return head.frontier.root();
  return journal::root_of_first(size, leaves_of(tx, head.journal));
}

// The roots that the journal had at these sizes, in one pass.
std::map<std::uint64_t, Hash256> roots_at(store::Tx& tx, const store::Head& head,
                                          const std::set<std::uint64_t>& sizes) {
  std::map<std::uint64_t, Hash256> out = {{head.size, head.frontier.root()}};
  std::uint64_t last = 0;
  for (const std::uint64_t size : sizes) last = size < head.size ? size : last;
  journal::Frontier tree;
  store::each_leaf(tx, head.journal, 0, last, [&](const Hash256& leaf) {
    tree.append(leaf);
    if (sizes.contains(tree.size)) out[tree.size] = tree.root();
  });
  return out;
}

struct Seen {
  journal::Checkpoint checkpoint;
  WitnessId witness;
  journal::NoteSignature signature;
};

// By witnesses that were not removed since. Throws DataBroken where one does not hold: this key puts its name
// beside nothing but its own journal.
std::vector<Seen> seen_by_witnesses(store::Tx& tx, const std::string& origin, const store::Head& head) {
  std::map<WitnessId, journal::NoteKey> keys;
  for (const store::Witness& witness : store::witnesses(tx)) {
    if (!witness.removed_at) keys.emplace(witness.id, witness.key);
  }
  std::vector<Seen> out;
  std::set<std::uint64_t> sizes;
  for (const store::Cosignature& stored : store::cosignatures(tx, head.journal)) {
    const auto key = keys.find(stored.witness);
    if (key == keys.end()) continue;
    const journal::NoteSignature signature{key->second.name, key->second.id(), stored.signature};
    out.push_back({{origin, stored.size, stored.root}, stored.witness, signature});
    sizes.insert(stored.size);
  }
  const auto roots = roots_at(tx, head, sizes);
  for (const Seen& seen : out) {
    const auto root = roots.find(seen.checkpoint.size);
    const journal::Note note{seen.checkpoint.to_text(), {seen.signature}};
    if (root == roots.end() || root->second != seen.checkpoint.root ||
        journal::signed_by(note, keys.at(seen.witness)) != journal::Signed::holds) {
      throw store::DataBroken("a cosignature of journal " + head.journal + " does not hold");
    }
  }
  return out;
}

}  // namespace

Evidence::Evidence(store::Store& store, std::string_view signing_seed)
    : store_(store), signer_(signing_seed) {}

std::string Evidence::origin(std::string_view journal) const {
  return journal::origin_of(signer_.public_key(), journal);
}

Result<store::Head> Evidence::own_head(store::Tx& tx, const std::string& journal) const {
  auto head = store::head(tx, journal);
  if (!head) return not_found("The journal is empty.");
  const std::string signed_bytes =
      journal::head_bytes(journal, head->size, head->frontier.root(), head->last_hash);
  if (!journal::verify_signature(signer_.public_key(), signed_bytes, head->signature)) {
    throw store::DataBroken("the head of journal " + journal + " is not signed by the key of this server");
  }
  return *std::move(head);
}

journal::Note Evidence::signed_note(const journal::Checkpoint& checkpoint) const {
  journal::Note note{checkpoint.to_text(), {}};
  note.signatures.push_back(journal::sign_note(signer_, checkpoint.origin, note.text));
  return note;
}

Result<CheckpointView> Evidence::checkpoint(const Principal& who, std::string_view project) {
  return store_.read([&](store::Tx& tx) -> Result<CheckpointView> {
    const std::string journal = TRY(registry::audited_journal(tx, who, project));
    CheckpointView view;
    view.head = TRY(own_head(tx, journal));
    view.log = {origin(journal), journal::NoteAlgorithm::log, signer_.public_key()};
    const std::vector<Seen> all = seen_by_witnesses(tx, view.log.name, view.head);
    std::map<std::uint64_t, Cosigned, std::greater<>> of_size;
    for (const Seen& seen : all) {
      Cosigned& cosigned = of_size[seen.checkpoint.size];
      if (cosigned.by.empty()) {
        cosigned.checkpoint = seen.checkpoint;
        cosigned.note = signed_note(seen.checkpoint);
      }
      cosigned.note.signatures.push_back(seen.signature);
      cosigned.by.push_back({seen.witness, seen.signature.name, *journal::time_of(seen.signature)});
    }
    const auto whole = of_size.find(view.head.size);
    view.note = whole != of_size.end()
                    ? whole->second.note
                    : signed_note({view.log.name, view.head.size, view.head.frontier.root()});
    for (auto& [size, cosigned] : of_size) view.cosigned.push_back(std::move(cosigned));
    return view;
  });
}

Result<Consistency> Evidence::consistency(const Principal& who, std::string_view project, std::uint64_t from,
                                          std::optional<std::uint64_t> to) {
  return store_.read([&](store::Tx& tx) -> Result<Consistency> {
    const std::string journal = TRY(registry::audited_journal(tx, who, project));
    Consistency out;
    out.head = TRY(own_head(tx, journal));
    out.from = from;
    out.to = to.value_or(out.head.size);
    if (out.from > out.to && to) return invalid_field("from", "must not be above `to`");
    if (out.from > out.to || out.to > out.head.size) return no_such_size();
    out.from_root = root_at(tx, out.head, out.from);
    out.to_root = root_at(tx, out.head, out.to);
    out.path = journal::consistency_proof(out.to, out.from, leaves_of(tx, journal));
    return out;
  });
}

}  // namespace imprimatur::evidence
