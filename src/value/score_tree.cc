// SPDX-License-Identifier: BSD-3-Clause
// Insertion, erasure and balance of the counted B+ tree; invariants in score_tree.h.
#include "value/score_tree.h"

#include <cstring>
#include <utility>

#include "base/assert.h"

namespace backplane {
namespace {

template <class T>
void MoveItems(T* items, uint32_t from, uint32_t to, uint32_t count) {
  std::memmove(items + to, items + from, count * sizeof(T));
}

template <class T>
void CopyItems(T* to, const T* from, uint32_t count) {
  std::memcpy(to, from, count * sizeof(T));
}

}  // namespace

void ScoreTree::Leaf::OpenGap(uint32_t at, uint32_t width) {
  MoveItems(scores, at, at + width, count - at);
  MoveItems(entries, at, at + width, count - at);
  count += width;
}

void ScoreTree::Leaf::CloseGap(uint32_t at, uint32_t width) {
  count -= width;
  MoveItems(scores, at + width, at, count - at);
  MoveItems(entries, at + width, at, count - at);
}

void ScoreTree::Leaf::Copy(uint32_t at, const Leaf& from, uint32_t from_at, uint32_t width) {
  CopyItems(scores + at, from.scores + from_at, width);
  CopyItems(entries + at, from.entries + from_at, width);
}

void ScoreTree::Inner::OpenGap(uint32_t at, uint32_t width) {
  MoveItems(sizes, at, at + width, count - at);
  MoveItems(children, at, at + width, count - at);
  MoveItems(min_scores, at, at + width, count - at);
  MoveItems(min_entries, at, at + width, count - at);
  count += width;
}

void ScoreTree::Inner::CloseGap(uint32_t at, uint32_t width) {
  count -= width;
  MoveItems(sizes, at + width, at, count - at);
  MoveItems(children, at + width, at, count - at);
  MoveItems(min_scores, at + width, at, count - at);
  MoveItems(min_entries, at + width, at, count - at);
}

void ScoreTree::Inner::Copy(uint32_t at, const Inner& from, uint32_t from_at, uint32_t width) {
  CopyItems(sizes + at, from.sizes + from_at, width);
  CopyItems(children + at, from.children + from_at, width);
  CopyItems(min_scores + at, from.min_scores + from_at, width);
  CopyItems(min_entries + at, from.min_entries + from_at, width);
}

ScoreTree::~ScoreTree() {
  if (root_ != nullptr) FreeNode(root_, height_);
}

void ScoreTree::FreeNode(void* node, int level) {
  if (level == 0) {
    delete static_cast<Leaf*>(node);
    return;
  }
  auto* inner = static_cast<Inner*>(node);
  for (uint32_t i = 0; i < inner->count; ++i) FreeNode(inner->children[i], level - 1);
  delete inner;
}

size_t ScoreTree::MemoryBytes() const {
  return leaf_count_ * sizeof(Leaf) + inner_count_ * sizeof(Inner);
}

uint32_t ScoreTree::ChildFor(const Inner& inner, double score, const ZSetEntry* entry) {
  auto not_after = [&](double min_score, const ZSetEntry* min_entry) {
    return min_entry == entry || !Less(score, entry, min_score, min_entry);
  };
  return PartitionPoint(inner.min_scores, inner.min_entries, 1, inner.count, not_after) - 1;
}

uint32_t ScoreTree::IndexIn(const Leaf& leaf, double score, const ZSetEntry* entry) {
  auto before = [&](double other_score, const ZSetEntry* other) {
    return other != entry && Less(other_score, other, score, entry);
  };
  return PartitionPoint(leaf.scores, leaf.entries, 0, leaf.count, before);
}

uint64_t ScoreTree::SizeOf(const void* node, int level) {
  if (level == 0) return static_cast<const Leaf*>(node)->count;
  const auto* inner = static_cast<const Inner*>(node);
  uint64_t size = 0;
  for (uint32_t i = 0; i < inner->count; ++i) size += inner->sizes[i];
  return size;
}

void ScoreTree::RefreshChild(Inner& inner, uint32_t at, int child_level) {
  inner.sizes[at] = SizeOf(inner.children[at], child_level);
  RefreshMin(inner, at, child_level);
}

void ScoreTree::RefreshMin(Inner& inner, uint32_t at, int child_level) {
  const void* child = inner.children[at];
  if (child_level == 0) {
    const auto* leaf = static_cast<const Leaf*>(child);
    inner.min_scores[at] = leaf->scores[0];
    inner.min_entries[at] = leaf->entries[0];
  } else {
    const auto* below = static_cast<const Inner*>(child);
    inner.min_scores[at] = below->min_scores[0];
    inner.min_entries[at] = below->min_entries[0];
  }
}

void ScoreTree::Insert(ZSetEntry* entry) {
  if (root_ == nullptr) {
    root_ = new Leaf();
    ++leaf_count_;
  }
  const Split split = InsertInto(root_, height_, entry);
  ++size_;
  if (split.node == nullptr) return;
  auto* root = new Inner();
  ++inner_count_;
  root->count = 2;
  root->children[0] = root_;
  root->children[1] = split.node;
  RefreshChild(*root, 0, height_);
  RefreshChild(*root, 1, height_);
  root_ = root;
  ++height_;
}

ScoreTree::Split ScoreTree::InsertInto(void* node, int level, ZSetEntry* entry) {
  if (level == 0) return InsertIntoLeaf(*static_cast<Leaf*>(node), entry);
  auto& inner = *static_cast<Inner*>(node);
  const uint32_t child = ChildFor(inner, entry->score(), entry);
  PrefetchScores(inner.children[child], level - 1);
  const Split split = InsertInto(inner.children[child], level - 1, entry);
  if (split.node == nullptr) {
    ++inner.sizes[child];
    // Only the leftmost child of all can have got a smaller entry than it had.
    if (child == 0) RefreshMin(inner, 0, level - 1);
    return {};
  }
  RefreshChild(inner, child, level - 1);
  return InsertChild(inner, child + 1, split.node, level - 1);
}

ScoreTree::Split ScoreTree::InsertIntoLeaf(Leaf& leaf, ZSetEntry* entry) {
  uint32_t index = IndexIn(leaf, entry->score(), entry);
  Leaf* target = &leaf;
  Leaf* right = nullptr;
  if (leaf.count == kLeafEntries) {
    // Where the order grows at an end, the full leaf stays full and the new one starts empty.
    const bool at_end = index == leaf.count && leaf.next == nullptr;
    const bool at_start = index == 0 && leaf.prev == nullptr;
    const uint32_t keep = at_end ? leaf.count : at_start ? 0 : leaf.count / 2;
    right = new Leaf();
    ++leaf_count_;
    right->count = leaf.count - keep;
    right->Copy(0, leaf, keep, right->count);
    leaf.count = keep;
    right->prev = &leaf;
    right->next = leaf.next;
    if (right->next != nullptr) right->next->prev = right;
    leaf.next = right;
    if (index > keep || at_end) {
      target = right;
      index -= keep;
    }
  }
  target->OpenGap(index, 1);
  target->scores[index] = entry->score();
  target->entries[index] = entry;
  return {right};
}

ScoreTree::Split ScoreTree::InsertChild(Inner& inner, uint32_t at, void* child, int child_level) {
  Inner* target = &inner;
  Inner* right = nullptr;
  if (inner.count == kFanOut) {
    const uint32_t keep = at == inner.count ? inner.count - 1 : inner.count / 2;
    right = new Inner();
    ++inner_count_;
    right->count = inner.count - keep;
    right->Copy(0, inner, keep, right->count);
    inner.count = keep;
    if (at > keep) {
      target = right;
      at -= keep;
    }
  }
  target->OpenGap(at, 1);
  target->children[at] = child;
  RefreshChild(*target, at, child_level);
  return {right};
}

void ScoreTree::Erase(const ZSetEntry* entry) {
  BP_ASSERT(root_ != nullptr);
  EraseFrom(root_, height_, entry);
  --size_;
  while (height_ > 0 && static_cast<Inner*>(root_)->count == 1) {
    auto* old = static_cast<Inner*>(root_);
    root_ = old->children[0];
    delete old;
    --inner_count_;
    --height_;
  }
}

void ScoreTree::EraseFrom(void* node, int level, const ZSetEntry* entry) {
  if (level == 0) {
    auto& leaf = *static_cast<Leaf*>(node);
    const uint32_t index = IndexIn(leaf, entry->score(), entry);
    BP_ASSERT(index < leaf.count && leaf.entries[index] == entry);
    leaf.CloseGap(index, 1);
    return;
  }
  auto& inner = *static_cast<Inner*>(node);
  const uint32_t child = ChildFor(inner, entry->score(), entry);
  EraseFrom(inner.children[child], level - 1, entry);
  --inner.sizes[child];
  RefreshMin(inner, child, level - 1);
  Rebalance(inner, child, level - 1);
}

template <class Node>
bool ScoreTree::Level(Node& left, Node& right, uint32_t capacity) {
  const uint32_t total = left.count + right.count;
  if (total <= capacity) {
    left.Copy(left.count, right, 0, right.count);
    left.count = total;
    return true;
  }
  const uint32_t want = total / 2;
  if (left.count < want) {
    const uint32_t moved = want - left.count;
    left.Copy(left.count, right, 0, moved);
    left.count = want;
    right.CloseGap(0, moved);
  } else {
    const uint32_t moved = left.count - want;
    right.OpenGap(0, moved);
    right.Copy(0, left, want, moved);
    left.count = want;
  }
  return false;
}

void ScoreTree::Rebalance(Inner& inner, uint32_t at, int child_level) {
  const bool leaves = child_level == 0;
  const uint32_t count = leaves ? static_cast<Leaf*>(inner.children[at])->count
                                : static_cast<Inner*>(inner.children[at])->count;
  if (count >= (leaves ? kLeafMin : kInnerMin) || inner.count < 2) return;
  const uint32_t first = at + 1 < inner.count ? at : at - 1;
  void* left = inner.children[first];
  void* right = inner.children[first + 1];
  const bool joined =
      leaves ? Level(*static_cast<Leaf*>(left), *static_cast<Leaf*>(right), kLeafEntries)
             : Level(*static_cast<Inner*>(left), *static_cast<Inner*>(right), kFanOut);
  if (joined) {
    inner.CloseGap(first + 1, 1);
    if (leaves) {
      auto* gone = static_cast<Leaf*>(right);
      gone->prev->next = gone->next;
      if (gone->next != nullptr) gone->next->prev = gone->prev;
      delete gone;
      --leaf_count_;
    } else {
      delete static_cast<Inner*>(right);
      --inner_count_;
    }
  } else {
    RefreshChild(inner, first + 1, child_level);
  }
  RefreshChild(inner, first, child_level);
}

void ScoreTree::SetScore(ZSetEntry* entry, double score) {
  void* node = root_;
  for (int level = height_; level > 0; --level) {
    const auto& inner = *static_cast<Inner*>(node);
    node = inner.children[ChildFor(inner, entry->score(), entry)];
    PrefetchScores(node, level - 1);
  }
  auto& leaf = *static_cast<Leaf*>(node);
  const uint32_t at = IndexIn(leaf, entry->score(), entry);
  // Between the same neighbours it can stay; a leaf's first entry is known to the nodes above.
  if (at > 0 && at + 1 < leaf.count &&
      Less(leaf.scores[at - 1], leaf.entries[at - 1], score, entry) &&
      Less(score, entry, leaf.scores[at + 1], leaf.entries[at + 1])) {
    leaf.scores[at] = score;
    entry->set_score(score);
    return;
  }
  Erase(entry);
  entry->set_score(score);
  Insert(entry);
}

uint64_t ScoreTree::RankOf(const ZSetEntry* entry) const {
  const double score = entry->score();
  return CountWhile([&](double other_score, const ZSetEntry* other) {
    return other != entry && Less(other_score, other, score, entry);
  });
}

ScoreTree::Position ScoreTree::At(uint64_t rank) const {
  BP_ASSERT(rank < size_);
  const void* node = root_;
  for (int level = height_; level > 0; --level) {
    const auto* inner = static_cast<const Inner*>(node);
    uint32_t child = 0;
    while (rank >= inner->sizes[child]) rank -= inner->sizes[child++];
    node = inner->children[child];
  }
  return {static_cast<const Leaf*>(node), static_cast<uint32_t>(rank)};
}

}  // namespace backplane
