#include "journal/merkle.h"

#include <gtest/gtest.h>

namespace imprimatur::journal {
namespace {

// The eight leaves, roots and proofs that every implementation of RFC 6962 is tried on.
const std::vector<std::string> kLeaves = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
const std::vector<std::string> kRoots = {"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                         "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                         "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                         "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                         "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                         "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                         "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                         "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

std::vector<Hash256> known_leaves() {
  std::vector<Hash256> out;
  for (const auto& leaf : kLeaves) out.push_back(leaf_hash(*from_hex(leaf)));
  return out;
}

std::vector<std::string> hex_of(const std::vector<Hash256>& proof) {
  std::vector<std::string> out;
  for (const auto& hash : proof) out.push_back(to_hex(hash));
  return out;
}

std::vector<Hash256> many_leaves(std::size_t count) {
  std::vector<Hash256> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(leaf_hash(std::to_string(i)));
  return out;
}

Hash256 root_of(const std::vector<Hash256>& leaves, std::size_t count) {
  Frontier frontier;
  for (std::size_t i = 0; i < count; ++i) frontier.append(leaves[i]);
  return frontier.root();
}

Hash256 flipped(Hash256 hash, std::size_t bit) {
  hash[bit / 8] = static_cast<std::uint8_t>(hash[bit / 8] ^ (1u << (bit % 8)));
  return hash;
}

constexpr std::size_t kSizes = 70;

TEST(Merkle, RootsOfTheKnownVectors) {
  Frontier frontier;
  EXPECT_EQ(to_hex(frontier.root()), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  const auto leaves = known_leaves();
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    frontier.append(leaves[i]);
    EXPECT_EQ(to_hex(frontier.root()), kRoots[i]);
  }
}

EachLeaf of(const std::vector<Hash256>& leaves) {
  return [&leaves](std::uint64_t begin, std::uint64_t end, const auto& take) {
    for (; begin < end; ++begin) take(leaves[begin]);
  };
}

std::vector<Hash256> consistency_of(const std::vector<Hash256>& leaves, std::uint64_t old_size) {
  return consistency_proof(leaves.size(), old_size, of(leaves));
}

// MTH, PATH and PROOF, written from the definitions of RFC 6962 alone, over lists in memory.
using List = std::vector<Hash256>;
std::size_t half(std::size_t n) {
  std::size_t k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}
List part(const List& d, std::size_t from, std::size_t to) {
  return {d.begin() + static_cast<std::ptrdiff_t>(from), d.begin() + static_cast<std::ptrdiff_t>(to)};
}
Hash256 defined_root(const List& d) {
  if (d.empty()) return sha256({});
  if (d.size() == 1) return d[0];
  const std::size_t k = half(d.size());
  return sha256("\x01" + std::string(bytes_of(defined_root(part(d, 0, k)))) +
                std::string(bytes_of(defined_root(part(d, k, d.size())))));
}
List defined_path(std::size_t m, const List& d) {
  if (d.size() == 1) return {};
  const std::size_t k = half(d.size());
  List out = m < k ? defined_path(m, part(d, 0, k)) : defined_path(m - k, part(d, k, d.size()));
  out.push_back(defined_root(m < k ? part(d, k, d.size()) : part(d, 0, k)));
  return out;
}
List defined_subproof(std::size_t m, const List& d, bool b) {
  if (m == d.size()) return b ? List{} : List{defined_root(d)};
  const std::size_t k = half(d.size());
  List out =
      m <= k ? defined_subproof(m, part(d, 0, k), b) : defined_subproof(m - k, part(d, k, d.size()), false);
  out.push_back(defined_root(m <= k ? part(d, k, d.size()) : part(d, 0, k)));
  return out;
}

std::vector<Hash256> proof_of(const std::vector<Hash256>& leaves, std::uint64_t index) {
  std::uint64_t told = 0;
  auto proof =
      inclusion_proof(leaves.size(), index, [&](std::uint64_t begin, std::uint64_t end, const auto& take) {
        told += end - begin;
        for (; begin < end; ++begin) take(leaves[begin]);
      });
  EXPECT_EQ(told, leaves.size() - 1) << "each of the others once";
  return proof;
}

TEST(Merkle, ProofsOfTheKnownVectors) {
  const auto leaves = known_leaves();
  EXPECT_EQ(hex_of(proof_of(leaves, 0)),
            (std::vector<std::string>{"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                                      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}));
  EXPECT_EQ(hex_of(consistency_of(leaves, 1)), hex_of(proof_of(leaves, 0)));
  EXPECT_EQ(hex_of(consistency_of(leaves, 6)),
            (std::vector<std::string>{"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                                      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                                      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}));
}

TEST(Merkle, EveryInclusionProofHoldsAndNoOther) {
  const auto all = many_leaves(kSizes);
  for (std::size_t size = 1; size <= kSizes; ++size) {
    const std::vector<Hash256> leaves(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(size));
    const Hash256 root = root_of(all, size);
    for (std::size_t index = 0; index < size; ++index) {
      auto proof = proof_of(leaves, index);
      ASSERT_TRUE(verify_inclusion(leaves[index], index, size, proof, root)) << size << " " << index;
      EXPECT_FALSE(verify_inclusion(leaves[index], size, size, proof, root));
      if (size > 1) {
        EXPECT_FALSE(verify_inclusion(leaves[index], (index + 1) % size, size, proof, root));
        EXPECT_FALSE(verify_inclusion(leaves[(index + 1) % size], index, size, proof, root));
        const std::vector<Hash256> shorter(proof.begin(), proof.end() - 1);
        EXPECT_FALSE(verify_inclusion(leaves[index], index, size, shorter, root));
      }
      // All 256 bits of each hash in small trees, one of each in the others.
      const std::size_t step = size <= 9 ? 1 : 256;
      for (std::size_t bit = (size * 31 + index) % step; bit < 256; bit += step) {
        EXPECT_FALSE(verify_inclusion(flipped(leaves[index], bit), index, size, proof, root));
        EXPECT_FALSE(verify_inclusion(leaves[index], index, size, proof, flipped(root, bit)));
        for (Hash256& hash : proof) {
          const Hash256 kept = std::exchange(hash, flipped(hash, bit));
          EXPECT_FALSE(verify_inclusion(leaves[index], index, size, proof, root));
          hash = kept;
        }
      }
      proof.push_back(root);
      EXPECT_FALSE(verify_inclusion(leaves[index], index, size, proof, root));
    }
  }
}

TEST(Merkle, EveryConsistencyProofHoldsAndNoOther) {
  const auto all = many_leaves(kSizes);
  for (std::size_t size = 0; size <= kSizes; ++size) {
    const std::vector<Hash256> leaves(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(size));
    const Hash256 root = root_of(all, size);
    for (std::size_t old_size = 0; old_size <= size; ++old_size) {
      const Hash256 old_root = root_of(all, old_size);
      auto proof = consistency_of(leaves, old_size);
      ASSERT_TRUE(verify_consistency(old_size, old_root, size, root, proof)) << old_size << " " << size;
      EXPECT_FALSE(verify_consistency(size + 1, old_root, size, root, proof));
      const std::size_t step = size <= 9 ? 1 : 256;
      for (std::size_t bit = (size * 31 + old_size) % step; bit < 256; bit += step) {
        EXPECT_FALSE(verify_consistency(old_size, flipped(old_root, bit), size, root, proof));
        if (old_size > 0) {
          EXPECT_FALSE(verify_consistency(old_size, old_root, size, flipped(root, bit), proof));
        }
        for (Hash256& hash : proof) {
          const Hash256 kept = std::exchange(hash, flipped(hash, bit));
          EXPECT_FALSE(verify_consistency(old_size, old_root, size, root, proof));
          hash = kept;
        }
      }
      if (!proof.empty()) {
        const std::vector<Hash256> shorter(proof.begin(), proof.end() - 1);
        EXPECT_FALSE(verify_consistency(old_size, old_root, size, root, shorter));
      }
      proof.push_back(root);
      EXPECT_FALSE(verify_consistency(old_size, old_root, size, root, proof));
    }
  }
}

TEST(Merkle, ProofsAreThoseOfTheDefinition) {
  const auto all = many_leaves(kSizes);
  for (std::size_t size = 0; size <= kSizes; ++size) {
    const List leaves = part(all, 0, size);
    EXPECT_EQ(root_of_first(size, of(all)), defined_root(leaves)) << size;
    for (std::size_t index = 0; index < size; ++index) {
      EXPECT_EQ(proof_of(leaves, index), defined_path(index, leaves)) << index << " of " << size;
    }
    for (std::size_t old_size = 1; old_size <= size; ++old_size) {
      EXPECT_EQ(consistency_of(leaves, old_size), defined_subproof(old_size, leaves, true))
          << old_size << " of " << size;
    }
  }
}

// Every choice of leaves in small trees, and some in larger ones.
TEST(Merkle, ManyProofsAreThoseOfEach) {
  const auto all = many_leaves(kSizes);
  const auto check = [&](std::size_t size, const std::vector<std::uint64_t>& indexes) {
    const List leaves = part(all, 0, size);
    std::uint64_t told = 0;
    const auto proofs =
        inclusion_proofs(size, indexes, [&](std::uint64_t begin, std::uint64_t end, const auto& take) {
          EXPECT_EQ(begin, told) << "from the left, each leaf once";
          for (; begin < end; ++begin) take(leaves[begin]);
          told = end;
        });
    EXPECT_EQ(told, size);
    EXPECT_EQ(proofs.root, defined_root(leaves));
    ASSERT_EQ(proofs.paths.size(), indexes.size());
    for (std::size_t i = 0; i < indexes.size(); ++i) {
      EXPECT_EQ(proofs.paths[i], defined_path(indexes[i], leaves)) << indexes[i] << " of " << size;
    }
  };
  check(0, {});
  for (std::size_t size = 1; size <= 9; ++size) {
    for (unsigned choice = 0; choice < 1u << size; ++choice) {
      std::vector<std::uint64_t> indexes;
      for (std::size_t i = 0; i < size; ++i) {
        if ((choice >> i & 1) != 0) indexes.push_back(i);
      }
      check(size, indexes);
    }
  }
  for (std::size_t size = 10; size <= kSizes; ++size) {
    std::vector<std::uint64_t> indexes;
    for (std::size_t i = size % 3; i < size; i += 1 + size % 7) indexes.push_back(i);
    check(size, indexes);
  }
}

TEST(Merkle, FrontierSurvivesItsText) {
  Frontier frontier;
  for (std::size_t i = 0; i < kSizes; ++i) {
    const auto read = Frontier::from_text(frontier.to_text());
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->size, frontier.size);
    EXPECT_EQ(read->roots, frontier.roots);
    frontier.append(leaf_hash(std::to_string(i)));
  }
  const std::string hash(64, 'a');
  for (const std::string& bad :
       {std::string(), std::string("x"), std::string("1"), "1," + hash, "1:" + hash + "x", "3:" + hash,
        "2:" + hash + "," + hash, "1:" + hash.substr(1), "-1:" + hash}) {
    EXPECT_FALSE(Frontier::from_text(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace imprimatur::journal
