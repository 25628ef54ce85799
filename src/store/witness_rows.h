// Rows of witnesses, and of what they cosigned.
#pragma once

#include "base/hash.h"
#include "domain/ids.h"
#include "journal/note.h"
#include "store/store.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::store {

struct Witness {
  WitnessId id;
  journal::NoteKey key;
  PrincipalId added_by;
  Time added_at;
  std::optional<Time> removed_at;
};
void insert_witness(Tx& tx, const Witness& witness);
void put_witness_removed(Tx& tx, const WitnessId& id, Time at);
std::optional<Witness> witness(Tx& tx, const WitnessId& id);
std::vector<Witness> witnesses(Tx& tx);  // by id, with those that were removed

// What a witness says it saw of a journal. Not evidence of this program's: it may change without an event.
struct Cosignature {
  std::string journal;
  WitnessId witness;
  std::uint64_t size = 0;
  Hash256 root{};
  std::string signature;  // with its time, as it stands in a note
};
void put_cosignature(Tx& tx, const Cosignature& cosignature);
// The latest of each witness.
std::vector<Cosignature> cosignatures(Tx& tx, std::string_view journal);

}  // namespace imprimatur::store
