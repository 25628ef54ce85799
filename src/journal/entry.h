// One event, as it is hashed, chained and proved.
#pragma once

#include "base/clock.h"
#include "base/hash.h"
#include "base/result.h"
#include "domain/ids.h"

#include <cstdint>
#include <string>
#include <string_view>

#include <boost/json/fwd.hpp>

namespace imprimatur::journal {

// The journal of a project is named by its id, the organisation's by "org".
inline constexpr std::string_view kOrganisation = "org";

struct Event {
  std::string action;    // "version.saved": see api/events.yaml
  std::string resource;  // "artifact:art_…", "review:rev_…"
  std::string details;   // canonical JSON object: ids, digests, enumerators and numbers only
  PrincipalId actor;
};

struct Entry {
  std::string journal;
  std::uint64_t seq = 0;  // 1, 2, 3… without a gap
  Time time;              // never before the entry before it
  Event event;
  Hash256 previous{};  // hash of entry seq - 1; zeros for the first
  Hash256 hash{};
};

// The canonical JSON that is hashed: action, actor, details, journal, previousHash, resource, seq, time.
std::string canonical_entry(const Entry& entry);
// SHA-256 over "imprimatur-entry-v1\n" and canonical_entry.
Hash256 hash_of(const Entry& entry);
// The leaf that stands for the entry in the Merkle tree of its journal: leaf_hash of the 32 bytes of its
// hash.
Hash256 leaf_of(const Entry& entry);

// canonical_entry with its "hash" member: one line of an export.
std::string exported_entry(const Entry& entry);
// Reads canonical_entry (the hash is computed) or exported_entry (the hash is taken as it is claimed).
Result<Entry> entry_from_json(std::string_view json);

// Why `entry` cannot stand behind `before` (null for the first one); empty when it can. Looks at its journal,
// number, time, previous hash, own hash, and that its details are a canonical JSON object, which it leaves in
// `details` for whoever reads on.
std::string misfit(const Entry* before, const Entry& entry, boost::json::value* details = nullptr);

}  // namespace imprimatur::journal
