// SPDX-License-Identifier: BSD-3-Clause
// IdIndex<T>: things of a stream in the order of their ids: nodes of the log, entries that a group
// or a consumer has pending. An id stands with its T in a sorted run of up to kRunMax slots; a
// stream grows at its end and is used up at its beginning, so both are cheap: a run that is full is
// not halved when the newcomer goes to the very end, and runs that are used up in front are only
// counted. Elsewhere an insertion or removal moves one run and, seldom, the table of runs.
//
// A Position is good until the index changes. T is movable. Engine thread, or the one thread that
// owns the value.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "value/stream_id.h"

namespace backplane {

template <class T>
class IdIndex {
 public:
  struct Slot {
    StreamId id;
    [[no_unique_address]] T value;
  };
  struct Position {
    uint32_t run = 0;
    uint32_t slot = 0;
    friend bool operator==(const Position&, const Position&) = default;
  };

  uint64_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  Slot& At(Position p) { return runs_[p.run][p.slot]; }
  const Slot& At(Position p) const { return runs_[p.run][p.slot]; }

  // Walking: from Begin() with Next() while Valid(); backwards from Last(), with Back().
  Position Begin() const { return {first_run_, 0}; }
  bool Valid(Position p) const { return p.run < runs_.size(); }
  Position Next(Position p) const {
    if (++p.slot < runs_[p.run].size()) return p;
    return {p.run + 1, 0};
  }
  // REQUIRES: not empty.
  Position Last() const {
    return {static_cast<uint32_t>(runs_.size() - 1),
            static_cast<uint32_t>(runs_.back().size() - 1)};
  }
  // Goes one slot back; false at the beginning.
  bool Back(Position* p) const {
    if (p->slot > 0) {
      --p->slot;
    } else {
      if (p->run == first_run_) return false;
      --p->run;
      p->slot = static_cast<uint32_t>(runs_[p->run].size() - 1);
    }
    return true;
  }

  // The first slot whose id is not below (is above) `id`; not Valid() if there is none.
  Position LowerBound(StreamId id) const {
    const uint32_t run = RunFor(id);
    if (run == runs_.size()) return {run, 0};
    const auto& slots = runs_[run];
    const auto at = std::lower_bound(slots.begin(), slots.end(), id,
                                     [](const Slot& s, StreamId i) { return s.id < i; });
    return {run, static_cast<uint32_t>(at - slots.begin())};
  }
  Position UpperBound(StreamId id) const {
    Position p = LowerBound(id);
    return Valid(p) && At(p).id == id ? Next(p) : p;
  }
  T* Find(StreamId id) {
    const Position p = LowerBound(id);
    return Valid(p) && At(p).id == id ? &At(p).value : nullptr;
  }
  const T* Find(StreamId id) const { return const_cast<IdIndex*>(this)->Find(id); }

  // Adds `id`, which must not be there; returns its T, good until the next change.
  T* Insert(StreamId id, T value) {
    ++size_;
    if (runs_.empty() || runs_.back().back().id < id) return Append(id, std::move(value));
    Position p = LowerBound(id);
    auto* slots = &runs_[p.run];
    if (slots->size() >= kRunMax) {
      constexpr uint32_t kHalf = kRunMax / 2;
      std::vector<Slot> upper(std::make_move_iterator(slots->begin() + kHalf),
                              std::make_move_iterator(slots->end()));
      slots->erase(slots->begin() + kHalf, slots->end());
      runs_.insert(runs_.begin() + p.run + 1, std::move(upper));
      if (p.slot > kHalf) p = {p.run + 1, p.slot - kHalf};
      slots = &runs_[p.run];
    }
    return &slots->insert(slots->begin() + p.slot, Slot{id, std::move(value)})->value;
  }

  // Removes the slot; returns where the one behind it is now.
  Position Erase(Position p) {
    --size_;
    auto& slots = runs_[p.run];
    slots.erase(slots.begin() + p.slot);
    if (!slots.empty()) {
      return p.slot < slots.size() ? p : Position{p.run + 1, 0};
    }
    if (p.run != first_run_) {
      runs_.erase(runs_.begin() + p.run);
      return {p.run, 0};
    }
    std::vector<Slot>().swap(slots);
    ++first_run_;
    return {p.run + 1 - DropEmptyFront(), 0};
  }
  bool Erase(StreamId id) {
    const Position p = LowerBound(id);
    if (!Valid(p) || At(p).id != id) return false;
    Erase(p);
    return true;
  }
  void Clear() { *this = IdIndex(); }

  // Bytes allocated for slots and table, without what the Ts own.
  size_t MemoryBytes() const {
    size_t bytes = runs_.capacity() * sizeof(runs_[0]);
    for (const auto& run : runs_) bytes += run.capacity() * sizeof(Slot);
    return bytes;
  }

 private:
  static constexpr uint32_t kRunMax = 64;

  // The first run whose last id is not below `id`.
  uint32_t RunFor(StreamId id) const {
    const auto at = std::lower_bound(runs_.begin() + first_run_, runs_.end(), id,
                                     [](const auto& run, StreamId i) { return run.back().id < i; });
    return static_cast<uint32_t>(at - runs_.begin());
  }

  T* Append(StreamId id, T value) {
    if (runs_.empty() || runs_.back().size() >= kRunMax) runs_.emplace_back();
    return &runs_.back().emplace_back(Slot{id, std::move(value)}).value;
  }

  // Forgets the empty runs in front when they are the better part of the table; returns how many.
  uint32_t DropEmptyFront() {
    if (first_run_ * 2 <= runs_.size()) return 0;
    const uint32_t dropped = first_run_;
    runs_.erase(runs_.begin(), runs_.begin() + dropped);
    first_run_ = 0;
    return dropped;
  }

  std::vector<std::vector<Slot>> runs_;  // none is empty from first_run_ on
  uint32_t first_run_ = 0;
  uint64_t size_ = 0;
};

}  // namespace backplane
