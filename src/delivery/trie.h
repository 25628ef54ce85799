// A persistent hash trie: a change copies the few nodes on its way down and shares the rest with the trie
// before, so a million entries take a change in microseconds while readers go on with the old root. 64 ways a
// level; a leaf of more than kLeafItems splits while there are hash bits left.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace imprimatur::delivery {

template <class T>
class Trie {
 public:
  using Item = std::shared_ptr<const T>;

  // `same` tells the one meant among those with close hashes. The pointer lives as long as this trie.
  template <class Same>
  const Item* find(std::uint64_t hash, Same same) const {
    const Node* node = root_.get();
    for (int shift = 0; node != nullptr; shift += kBits) {
      if (node->children.empty()) {
        for (const Item& item : node->items) {
          if (same(*item)) return &item;
        }
        return nullptr;
      }
      node = node->children[slot(hash, shift)].get();
    }
    return nullptr;
  }

  // With `item` in the place of the one that `same` tells, or beside the others. T needs hash_of(const T&).
  template <class Same>
  Trie with(std::uint64_t hash, Item item, Same same) const {
    return Trie(put(root_.get(), hash, 0, std::move(item), same));
  }

  template <class Same>
  Trie without(std::uint64_t hash, Same same) const {
    return find(hash, same) == nullptr ? *this : Trie(put(root_.get(), hash, 0, nullptr, same));
  }

  template <class Visit>
  void for_each(Visit visit) const {
    walk(root_.get(), visit);
  }

 private:
  static constexpr int kBits = 6;
  static constexpr std::size_t kWays = 1 << kBits;
  static constexpr std::size_t kLeafItems = 16;

  // Inner nodes have kWays children, some null; leaves have none.
  struct Node {
    std::vector<std::shared_ptr<const Node>> children;
    std::vector<Item> items;
  };

  Trie(std::shared_ptr<const Node> root) : root_(std::move(root)) {}  // NOLINT: private

 public:
  Trie() = default;

 private:
  static std::size_t slot(std::uint64_t hash, int shift) { return (hash >> shift) & (kWays - 1); }

  // A null `item` removes.
  template <class Same>
  static std::shared_ptr<const Node> put(const Node* node, std::uint64_t hash, int shift, Item item,
                                         Same same) {
    auto next = node == nullptr ? std::make_shared<Node>() : std::make_shared<Node>(*node);
    if (!next->children.empty()) {
      auto& child = next->children[slot(hash, shift)];
      child = put(child.get(), hash, shift + kBits, std::move(item), same);
      return next;
    }
    std::erase_if(next->items, [&](const Item& each) { return same(*each); });
    if (item != nullptr) next->items.push_back(std::move(item));
    if (next->items.empty()) return nullptr;
    if (next->items.size() > kLeafItems && shift + kBits < 64) split(*next, shift);
    next->items.shrink_to_fit();
    return next;
  }

  static void split(Node& node, int shift) {
    std::vector<Node> parts(kWays);
    for (Item& item : node.items) parts[slot(hash_of(*item), shift)].items.push_back(std::move(item));
    node.items = {};
    node.children.resize(kWays);
    for (std::size_t i = 0; i < kWays; ++i) {
      if (parts[i].items.empty()) continue;
      if (parts[i].items.size() > kLeafItems && shift + 2 * kBits < 64) split(parts[i], shift + kBits);
      parts[i].items.shrink_to_fit();
      node.children[i] = std::make_shared<Node>(std::move(parts[i]));
    }
  }

  template <class Visit>
  static void walk(const Node* node, Visit& visit) {
    if (node == nullptr) return;
    for (const Item& item : node->items) visit(*item);
    for (const auto& child : node->children) walk(child.get(), visit);
  }

  std::shared_ptr<const Node> root_;
};

}  // namespace imprimatur::delivery
