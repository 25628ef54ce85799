// The Merkle tree of RFC 6962 section 2.1, grown one leaf at a time.
#pragma once

#include "base/hash.h"
#include "base/result.h"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace imprimatur::journal {

Hash256 leaf_hash(std::string_view leaf);  // SHA-256(0x00 || leaf)
Hash256 node_hash(const Hash256& left, const Hash256& right);

// The roots of the perfect subtrees of a tree of `size` leaves, largest first: all that appending needs.
struct Frontier {
  std::uint64_t size = 0;
  std::vector<Hash256> roots;
  void append(const Hash256& leaf);
  Hash256 root() const;  // SHA-256 of nothing for an empty tree
  std::string to_text() const;
  static Result<Frontier> from_text(std::string_view text);
};

// Tells the leaf hashes of [begin, end) in order.
using EachLeaf = std::function<void(std::uint64_t begin, std::uint64_t end,
                                    const std::function<void(const Hash256&)>& take)>;

// The root of the first `size` leaves.
Hash256 root_of_first(std::uint64_t size, const EachLeaf& each_leaf);

// Proofs (RFC 6962 sections 2.1.1 and 2.1.2), each of which asks for no leaf twice and holds a few hashes
// only. Precondition: index < size. The inclusion proof asks for every leaf but that one.
std::vector<Hash256> inclusion_proof(std::uint64_t size, std::uint64_t index, const EachLeaf& each_leaf);
// Precondition: old_size <= size.
std::vector<Hash256> consistency_proof(std::uint64_t size, std::uint64_t old_size, const EachLeaf& each_leaf);

// Many inclusion proofs for the price of one, and the root that they lead to. Precondition: the indexes
// ascend, none stands twice, and all are below `size`.
struct InclusionProofs {
  Hash256 root{};
  std::vector<std::vector<Hash256>> paths;  // in the order of the indexes
};
InclusionProofs inclusion_proofs(std::uint64_t size, const std::vector<std::uint64_t>& indexes,
                                 const EachLeaf& each_leaf);

bool verify_inclusion(const Hash256& leaf, std::uint64_t index, std::uint64_t size,
                      const std::vector<Hash256>& proof, const Hash256& root);
bool verify_consistency(std::uint64_t old_size, const Hash256& old_root, std::uint64_t size,
                        const Hash256& root, const std::vector<Hash256>& proof);

}  // namespace imprimatur::journal
