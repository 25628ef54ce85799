// A persistent hash trie: a change copies the few nodes on its way down and shares the rest with the trie
// before, so a million entries take a change in microseconds while readers go on with the old root. 64 ways a
// level; a leaf of more than kLeafItems splits while there are hash bits left.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <memory>
#include <vector>

namespace imprimatur::delivery {

template <class T>
class Trie {
 public:
  using Item = std::shared_ptr<const T>;

  // `same` tells the one meant among those with the same hash. The pointer lives as long as this trie.
  template <class Same>
  const Item* find(std::uint64_t hash, Same same) const {
    const Node* node = root_.get();
    for (int shift = 0; node != nullptr; shift += kBits) {
      if (node->leaf) {
        for (const Slot& each : static_cast<const Leaf*>(node)->slots) {
          if (each.hash == hash && same(*each.item)) return &each.item;
        }
        return nullptr;
      }
      node = static_cast<const Inner*>(node)->children[way(hash, shift)].get();
    }
    return nullptr;
  }

  // With `item` in the place of the one that `same` tells, or beside the others.
  template <class Same>
  Trie with(std::uint64_t hash, Item item, Same same) const {
    return Trie(put(root_, hash, 0, std::move(item), same));
  }

  template <class Same>
  Trie without(std::uint64_t hash, Same same) const {
    return find(hash, same) == nullptr ? *this : Trie(put(root_, hash, 0, nullptr, same));
  }

  template <class Visit>
  void for_each(Visit visit) const {
    walk(root_.get(), visit);
  }

  Trie() = default;

 private:
  static constexpr int kBits = 6;
  static constexpr std::size_t kWays = 1 << kBits;
  static constexpr std::size_t kLeafItems = 16;

  // The hash stands beside the item, so that a look touches the item that is meant and no other.
  struct Slot {
    std::uint64_t hash;
    Item item;
  };
  struct Node {
    bool leaf;
  };
  using NodePtr = std::shared_ptr<const Node>;
  struct Inner : Node {
    Inner() : Node{false} {}
    std::array<NodePtr, kWays> children;
  };
  struct Leaf : Node {
    Leaf() : Node{true} {}
    std::vector<Slot> slots;
  };

  explicit Trie(NodePtr root) : root_(std::move(root)) {}

  static std::size_t way(std::uint64_t hash, int shift) { return (hash >> shift) & (kWays - 1); }

  // A null `item` removes.
  template <class Same>
  static NodePtr put(const NodePtr& node, std::uint64_t hash, int shift, Item item, Same same) {
    if (node != nullptr && !node->leaf) {
      auto next = std::make_shared<Inner>(*static_cast<const Inner*>(node.get()));
      NodePtr& child = next->children[way(hash, shift)];
      child = put(child, hash, shift + kBits, std::move(item), same);
      return next;
    }
    std::vector<Slot> slots;
    if (node != nullptr) slots = static_cast<const Leaf*>(node.get())->slots;
    std::erase_if(slots, [&](const Slot& each) { return each.hash == hash && same(*each.item); });
    if (item != nullptr) slots.push_back({hash, std::move(item)});
    return made_of(std::move(slots), shift);
  }

  static NodePtr made_of(std::vector<Slot> slots, int shift) {
    if (slots.empty()) return nullptr;
    if (slots.size() <= kLeafItems || shift + kBits >= 64) {
      auto leaf = std::make_shared<Leaf>();
      leaf->slots.reserve(slots.size());
      std::move(slots.begin(), slots.end(), std::back_inserter(leaf->slots));
      return leaf;
    }
    std::array<std::vector<Slot>, kWays> parts;
    for (Slot& slot : slots) parts[way(slot.hash, shift)].push_back(std::move(slot));
    auto inner = std::make_shared<Inner>();
    for (std::size_t i = 0; i < kWays; ++i) inner->children[i] = made_of(std::move(parts[i]), shift + kBits);
    return inner;
  }

  template <class Visit>
  static void walk(const Node* node, Visit& visit) {
    if (node == nullptr) return;
    if (node->leaf) {
      for (const Slot& each : static_cast<const Leaf*>(node)->slots) visit(*each.item);
    } else {
      for (const NodePtr& child : static_cast<const Inner*>(node)->children) walk(child.get(), visit);
    }
  }

  NodePtr root_;
};

}  // namespace imprimatur::delivery
