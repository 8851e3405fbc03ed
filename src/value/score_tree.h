// SPDX-License-Identifier: BSD-3-Clause
// ScoreTree: the order of a large sorted set, a counted B+ tree over (score, member). It answers to
// "skiplist" outside. Used by ZSetValue only, and so are its threads.
//
//   leaf   up to 30 entries: their scores side by side, so that a search reads one or two cache
//          lines and no entry but on equal scores; then the entry pointers. Linked both ways.
//   inner  up to 31 children: for each the number of entries below it and its smallest entry.
//
// Against a skiplist: 16 bytes an entry at 70 to 100 % fill instead of some 40, a handful of cache
// misses for an insert instead of one for each of 20 hops; rank and select walk the same path.
// Leaves that fill in order (loading, growing time stamps) are packed full.
//
// Invariants: entries ascend by (score, member), no two are equal; scores are no NaN; an inner
// node's sizes are exact, and its smallest entries are the first entries below each child: they are
// compared with, so they must be alive. No node is empty but a lone root leaf.
#pragma once

#include <cstdint>
#include <string_view>

#include "value/zset_entry.h"

namespace backplane {

class ScoreTree {
  struct Leaf;
  struct Inner;

 public:
  // An entry's place, for walking. Good until the tree changes.
  class Position {
   public:
    Position() = default;
    explicit operator bool() const { return leaf_ != nullptr; }
    inline double score() const;
    inline const ZSetEntry& entry() const;
    // To the next or previous entry; false behind the ends.
    inline void Next();
    inline void Prev();
    // Fetches the entry that a walk reaches a few steps on, if it is in the same leaf.
    inline void PrefetchNeighbour(bool backwards) const;

   private:
    friend class ScoreTree;
    Position(const Leaf* leaf, uint32_t index) : leaf_(leaf), index_(index) {}
    const Leaf* leaf_ = nullptr;
    uint32_t index_ = 0;
  };

  ScoreTree() = default;
  ~ScoreTree();
  ScoreTree(const ScoreTree&) = delete;
  ScoreTree& operator=(const ScoreTree&) = delete;

  uint64_t size() const { return size_; }
  size_t MemoryBytes() const;

  // The tree does not own entries. REQUIRES: the entry's key is absent (present, for the others).
  void Insert(ZSetEntry* entry);
  void Erase(const ZSetEntry* entry);
  void SetScore(ZSetEntry* entry, double score);
  uint64_t RankOf(const ZSetEntry* entry) const;

  // REQUIRES: rank < size().
  Position At(uint64_t rank) const;

  // How many entries lead the order for which before(score, entry) holds. REQUIRES: it holds for a
  // prefix of the order.
  template <class Pred>
  uint64_t CountWhile(Pred&& before) const;

 private:
  static constexpr uint32_t kLeafEntries = 30;
  static constexpr uint32_t kFanOut = 31;
  static constexpr uint32_t kLeafMin = kLeafEntries / 3;
  static constexpr uint32_t kInnerMin = kFanOut / 3;

  struct Leaf {
    Leaf* prev = nullptr;
    Leaf* next = nullptr;
    uint32_t count = 0;
    double scores[kLeafEntries];
    ZSetEntry* entries[kLeafEntries];

    void OpenGap(uint32_t at, uint32_t width);
    void CloseGap(uint32_t at, uint32_t width);
    // Takes `width` elements of `from` over into a gap at `at`; `from` is left as it was.
    void Copy(uint32_t at, const Leaf& from, uint32_t from_at, uint32_t width);
  };

  struct Inner {
    uint32_t count = 0;
    uint64_t sizes[kFanOut];
    void* children[kFanOut];
    double min_scores[kFanOut];
    ZSetEntry* min_entries[kFanOut];

    void OpenGap(uint32_t at, uint32_t width);
    void CloseGap(uint32_t at, uint32_t width);
    void Copy(uint32_t at, const Inner& from, uint32_t from_at, uint32_t width);
  };

  // A node that a split produced, to be hung in right of the one that was split.
  struct Split {
    void* node = nullptr;
  };

  static bool Less(double score_a, const ZSetEntry* a, double score_b, const ZSetEntry* b) {
    return score_a != score_b ? score_a < score_b : a->member() < b->member();
  }
  // First index in [low, high) for which before(scores[i], entries[i]) does not hold, or high.
  template <class Pred>
  static uint32_t PartitionPoint(const double* scores, ZSetEntry* const* entries, uint32_t low,
                                 uint32_t high, Pred& before) {
    while (low < high) {
      const uint32_t middle = (low + high) / 2;
      if (before(scores[middle], entries[middle])) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
  // The child under which an entry of this key is, or belongs.
  static uint32_t ChildFor(const Inner& inner, double score, const ZSetEntry* entry);
  static uint32_t IndexIn(const Leaf& leaf, double score, const ZSetEntry* entry);
  static uint64_t SizeOf(const void* node, int level);
  // Starts fetching what a search of the node reads: all lines of its scores at once, instead of
  // one after the other as the binary search comes to them.
  static void PrefetchScores(const void* node, int level) {
    const auto* line =
        reinterpret_cast<const char*>(level == 0 ? static_cast<const Leaf*>(node)->scores
                                                 : static_cast<const Inner*>(node)->min_scores);
    for (int i = 0; i < 4; ++i) __builtin_prefetch(line + 64 * i);
  }
  // Writes what `inner` knows of its child `at` anew.
  static void RefreshChild(Inner& inner, uint32_t at, int child_level);
  // The same without the size.
  static void RefreshMin(Inner& inner, uint32_t at, int child_level);

  Split InsertInto(void* node, int level, ZSetEntry* entry);
  Split InsertIntoLeaf(Leaf& leaf, ZSetEntry* entry);
  Split InsertChild(Inner& inner, uint32_t at, void* child, int child_level);
  void EraseFrom(void* node, int level, const ZSetEntry* entry);
  void Rebalance(Inner& inner, uint32_t at, int child_level);
  // Makes neighbours share evenly, or moves all to the left one: then true.
  template <class Node>
  static bool Level(Node& left, Node& right, uint32_t capacity);
  void FreeNode(void* node, int level);

  void* root_ = nullptr;
  int height_ = 0;  // levels of inner nodes above the leaves
  uint64_t size_ = 0;
  size_t leaf_count_ = 0;
  size_t inner_count_ = 0;
};

inline double ScoreTree::Position::score() const { return leaf_->scores[index_]; }
inline const ZSetEntry& ScoreTree::Position::entry() const { return *leaf_->entries[index_]; }

inline void ScoreTree::Position::Next() {
  if (++index_ == leaf_->count) {
    leaf_ = leaf_->next;
    index_ = 0;
  }
}

inline void ScoreTree::Position::Prev() {
  if (index_-- == 0) {
    leaf_ = leaf_->prev;
    index_ = leaf_ != nullptr ? leaf_->count - 1 : 0;
  }
}

inline void ScoreTree::Position::PrefetchNeighbour(bool backwards) const {
  constexpr uint32_t kSteps = 6;
  // Going backwards past the start wraps to a large index.
  const uint32_t ahead = backwards ? index_ - kSteps : index_ + kSteps;
  if (ahead < leaf_->count) __builtin_prefetch(leaf_->entries[ahead]);
}

template <class Pred>
uint64_t ScoreTree::CountWhile(Pred&& before) const {
  if (root_ == nullptr) return 0;
  uint64_t rank = 0;
  const void* node = root_;
  for (int level = height_; level > 0; --level) {
    const auto* inner = static_cast<const Inner*>(node);
    const uint32_t child =
        PartitionPoint(inner->min_scores, inner->min_entries, 1, inner->count, before) - 1;
    node = inner->children[child];
    PrefetchScores(node, level - 1);
    for (uint32_t i = 0; i < child; ++i) rank += inner->sizes[i];
  }
  const auto* leaf = static_cast<const Leaf*>(node);
  return rank + PartitionPoint(leaf->scores, leaf->entries, 0, leaf->count, before);
}

}  // namespace backplane
