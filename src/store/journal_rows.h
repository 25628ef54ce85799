// Entries, heads and their signatures, and the check of a whole store against its journals.
#pragma once

#include "journal/entry.h"
#include "journal/merkle.h"
#include "journal/verifier.h"
#include "store/registry_rows.h"
#include "store/store.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imprimatur::store {

// A signed tree head: what an auditor keeps.
struct Head {
  std::string journal;
  std::uint64_t size = 0;
  Hash256 last_hash{};
  journal::Frontier frontier;
  std::string
      signature;  // Ed25519 over "imprimatur-head-v1\n<journal>\n<size>\n<root hex>\n<last hash hex>\n"
  std::string public_key;  // 32 bytes
};
std::optional<Head> head(Tx& tx, std::string_view journal);
std::vector<Head> heads(Tx& tx);

std::vector<journal::Entry> entries(Tx& tx, std::string_view journal, std::uint64_t from_seq, int limit);
// The number of the first entry whose time is not before `time`; behind the last one when there is none.
std::uint64_t seq_not_before(Tx& tx, std::string_view journal, Time time);
struct AuditQuery {
  std::string journal;
  std::string actor, action, resource;  // exact; an action ending in ".*" is a prefix
  std::optional<Time> since, until;     // from `since` on, before `until`
};
Result<Page<journal::Entry>> audit(Tx& tx, const AuditQuery& query, const PageRequest& page);  // newest first
// The leaves of the tree from `begin` to before `end`, counted from 0. Throws DataBroken when one is missing.
void each_leaf(Tx& tx, std::string_view journal, std::uint64_t begin, std::uint64_t end,
               const std::function<void(const Hash256&)>& take);

using journal::Fault;
using journal::Verification;

// Chain, tree, signature, order of times, and that replaying the events gives the tables. `progress` hears
// how many entries of how many were checked.
using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;
Verification verify(Tx& tx, const Progress& progress, const journal::Trusted& trusted = {});

journal::SignedHead signed_head(const Head& head);
// Writes the whole store's journals, heads and the rows they account for in the form of journal/exported.h, a
// line a call, without the line feed.
void each_export_line(Tx& tx, const std::function<void(std::string_view line)>& take);

}  // namespace imprimatur::store
