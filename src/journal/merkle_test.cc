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
  EXPECT_EQ(hex_of(consistency_proof(leaves, 1)), hex_of(proof_of(leaves, 0)));
  EXPECT_EQ(hex_of(consistency_proof(leaves, 6)),
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
      auto proof = consistency_proof(leaves, old_size);
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
