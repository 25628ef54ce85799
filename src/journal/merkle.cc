#include "journal/merkle.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <utility>

namespace imprimatur::journal {
namespace {

// The largest power of two below `size`: where RFC 6962 splits a tree. Precondition: size > 1.
std::uint64_t split_of(std::uint64_t size) { return std::bit_floor(size - 1); }

// A subtree's root depends on its leaves alone, so it is that of a tree of its own.
Hash256 root_of(const EachLeaf& each_leaf, std::uint64_t begin, std::uint64_t end) {
  Frontier tree;
  each_leaf(begin, end, [&](const Hash256& leaf) { tree.append(leaf); });
  CHECK(tree.size == end - begin, "a leaf that the tree counts is missing");
  return tree.root();
}

// SUBPROOF of RFC 6962 section 2.1.2 over the leaves of [begin, end); `whole` while the old tree is a
// complete subtree that the verifier knows.
void append_subproof(std::vector<Hash256>& out, const EachLeaf& each_leaf, std::uint64_t begin,
                     std::uint64_t end, std::uint64_t old_end, bool whole) {
  if (old_end == end) {
    if (!whole) out.push_back(root_of(each_leaf, begin, end));
    return;
  }
  const std::uint64_t middle = begin + split_of(end - begin);
  if (old_end <= middle) {
    append_subproof(out, each_leaf, begin, middle, old_end, whole);
    out.push_back(root_of(each_leaf, middle, end));
  } else {
    append_subproof(out, each_leaf, middle, end, old_end, false);
    out.push_back(root_of(each_leaf, begin, middle));
  }
}

// Walks a tree from the top and meets every leaf once, from the left.
class ProofsOfMany {
 public:
  ProofsOfMany(const std::vector<std::uint64_t>& indexes, const EachLeaf& each_leaf)
      : indexes_(indexes), each_leaf_(each_leaf), paths_(indexes.size()) {}

  Hash256 walk(std::uint64_t begin, std::uint64_t end) {
    const std::size_t first = place_of(begin), last = place_of(end);
    if (first == last || end - begin == 1) return root_of(each_leaf_, begin, end);
    const std::uint64_t middle = begin + split_of(end - begin);
    const std::size_t between = place_of(middle);
    const Hash256 left = walk(begin, middle), right = walk(middle, end);
    // Deeper ones came first, so that each path grows from its leaf upwards.
    for (std::size_t i = first; i < last; ++i) paths_[i].push_back(i < between ? right : left);
    return node_hash(left, right);
  }
  std::vector<std::vector<Hash256>> take_paths() { return std::move(paths_); }

 private:
  // Of the first index that is not below.
  std::size_t place_of(std::uint64_t leaf) const {
    return static_cast<std::size_t>(std::lower_bound(indexes_.begin(), indexes_.end(), leaf) -
                                    indexes_.begin());
  }
  const std::vector<std::uint64_t>& indexes_;
  const EachLeaf& each_leaf_;
  std::vector<std::vector<Hash256>> paths_;
};

}  // namespace

Hash256 leaf_hash(std::string_view leaf) {
  return Sha256().add(std::string_view("\0", 1)).add(leaf).finish();
}

Hash256 node_hash(const Hash256& left, const Hash256& right) {
  return Sha256().add("\x01").add(bytes_of(left)).add(bytes_of(right)).finish();
}

void Frontier::append(const Hash256& leaf) {
  Hash256 node = leaf;
  for (std::uint64_t filled = size; filled & 1; filled >>= 1) {
    node = node_hash(roots.back(), node);
    roots.pop_back();
  }
  roots.push_back(node);
  ++size;
}

Hash256 Frontier::root() const {
  if (roots.empty()) return sha256({});
  Hash256 node = roots.back();
  for (std::size_t i = roots.size() - 1; i-- > 0;) node = node_hash(roots[i], node);
  return node;
}

std::string Frontier::to_text() const {
  std::string out = std::to_string(size);
  char separator = ':';
  for (const Hash256& root : roots) {
    out.push_back(std::exchange(separator, ','));
    out += to_hex(root);
  }
  return out;
}

Result<Frontier> Frontier::from_text(std::string_view text) {
  Frontier frontier;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), frontier.size);
  if (error != std::errc{}) return invalid("a tree's frontier must begin with its size");
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  for (char separator = ':'; !text.empty(); separator = ',') {
    const auto hash = hash_from_hex(text.substr(1, 64));
    if (text.front() != separator || !hash) return invalid("a tree's frontier must list hashes");
    frontier.roots.push_back(*hash);
    text.remove_prefix(65);
  }
  if (static_cast<std::size_t>(std::popcount(frontier.size)) != frontier.roots.size()) {
    return invalid("a tree's frontier must hold one hash for each perfect subtree");
  }
  return frontier;
}

std::vector<Hash256> inclusion_proof(std::uint64_t size, std::uint64_t index, const EachLeaf& each_leaf) {
  CHECK(index < size, "no such leaf");
  std::vector<Hash256> out;
  for (std::uint64_t begin = 0, end = size; end - begin > 1;) {
    const std::uint64_t middle = begin + split_of(end - begin);
    if (index < middle) {
      out.push_back(root_of(each_leaf, middle, end));
      end = middle;
    } else {
      out.push_back(root_of(each_leaf, begin, middle));
      begin = middle;
    }
  }
  std::reverse(out.begin(), out.end());  // lowest first
  return out;
}

Hash256 root_of_first(std::uint64_t size, const EachLeaf& each_leaf) { return root_of(each_leaf, 0, size); }

std::vector<Hash256> consistency_proof(std::uint64_t size, std::uint64_t old_size,
                                       const EachLeaf& each_leaf) {
  CHECK(old_size <= size, "the old tree is larger");
  std::vector<Hash256> out;
  if (old_size > 0) append_subproof(out, each_leaf, 0, size, old_size, true);
  return out;
}

InclusionProofs inclusion_proofs(std::uint64_t size, const std::vector<std::uint64_t>& indexes,
                                 const EachLeaf& each_leaf) {
  CHECK(indexes.empty() || indexes.back() < size, "no such leaf");
  ProofsOfMany proofs(indexes, each_leaf);
  InclusionProofs out;
  out.root = proofs.walk(0, size);
  out.paths = proofs.take_paths();
  return out;
}

// RFC 9162 section 2.1.3.2.
bool verify_inclusion(const Hash256& leaf, std::uint64_t index, std::uint64_t size,
                      const std::vector<Hash256>& proof, const Hash256& root) {
  if (index >= size) return false;
  std::uint64_t node = index, last = size - 1;
  Hash256 hash = leaf;
  for (const Hash256& sibling : proof) {
    if (last == 0) return false;
    if ((node & 1) != 0 || node == last) {
      hash = node_hash(sibling, hash);
      for (; (node & 1) == 0 && node != 0; node >>= 1) last >>= 1;
    } else {
      hash = node_hash(hash, sibling);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && hash == root;
}

// RFC 9162 section 2.1.4.2.
bool verify_consistency(std::uint64_t old_size, const Hash256& old_root, std::uint64_t size,
                        const Hash256& root, const std::vector<Hash256>& proof) {
  if (old_size > size) return false;
  if (old_size == size) return proof.empty() && old_root == root;
  if (old_size == 0) return proof.empty() && old_root == sha256({});
  std::vector<Hash256> path = proof;
  if (std::has_single_bit(old_size)) path.insert(path.begin(), old_root);
  if (path.empty()) return false;
  std::uint64_t node = old_size - 1, last = size - 1;
  for (; (node & 1) != 0; node >>= 1) last >>= 1;
  Hash256 of_old = path.front(), of_new = path.front();
  for (std::size_t i = 1; i < path.size(); ++i) {
    if (last == 0) return false;
    if ((node & 1) != 0 || node == last) {
      of_old = node_hash(path[i], of_old);
      of_new = node_hash(path[i], of_new);
      for (; (node & 1) == 0 && node != 0; node >>= 1) last >>= 1;
    } else {
      of_new = node_hash(of_new, path[i]);
    }
    node >>= 1;
    last >>= 1;
  }
  return last == 0 && of_old == old_root && of_new == root;
}

}  // namespace imprimatur::journal
