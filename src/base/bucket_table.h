// SPDX-License-Identifier: BSD-3-Clause
// BucketTable: the hash table behind the keyspace, its TTL index, hashes and sets. Engine thread
// only.
//
// A set of pointers to items that know their own key. Cache-line buckets: one line holds seven
// items and a byte of hash for each, compared in one SIMD step; an item pointer carries 16 more
// hash bits in its unused top bits, so a line is almost never left for a key that differs.
//
//   bucket (64 bytes)   fingerprints[7]  one byte of hash per slot
//                       meta             bits 0..6: slot in use; bit 7: slots[6] is the pointer of
//                       an overflow bucket slots[7]         bits 0..47 item pointer, bits 48..63
//                       hash bits 8..23
//
// Growth is linear hashing: buckets [0, split) have been split at the next level, one bucket is
// split per few inserts and one merged per few erases. So there is never a pause, never a second
// table, and the memory per item hardly depends on where between two powers of two the size lies.
// At 5 items per bucket (the split threshold) a table costs about 15 bytes per item including
// overflow. Buckets live in segments of 64 KiB found through a directory; a table below one segment
// has a single smaller block.
//
// Invariants: an item is in the chain of bucket Index(hash); an overflow bucket is never empty;
// pointers fit 48 bits. Any insert or erase invalidates Positions. Scan() guarantees that an item
// present from begin to end of a full scan is returned at least once, whatever is inserted or
// erased between the calls (the cursor walks bucket numbers in reverse-binary order).
#pragma once

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "base/assert.h"
#include "base/hash.h"
#include "base/random.h"
#include "base/same_bytes.h"

namespace backplane {

// Traits: `using Item = T;` and `static std::string_view Key(const T& item)`. The table does not
// own the items unless the user says so by freeing them in Clear's callback.
template <class Traits>
class BucketTable {
 public:
  using Item = typename Traits::Item;

 private:
  static constexpr int kSlots = 7;
  static constexpr uint8_t kOverflowBit = 0x80;
  static constexpr uint8_t kUsedMask = 0x7f;
  static constexpr int kTagShift = 48;
  static constexpr uint64_t kPointerMask = (uint64_t{1} << kTagShift) - 1;
  static constexpr int kTagFirstBit = 8;  // tag = hash bits 8..23
  static constexpr size_t kSegmentBits = 10;
  static constexpr size_t kSegmentBuckets = size_t{1} << kSegmentBits;
  static constexpr size_t kSplitLoad = 5;

  struct alignas(64) Bucket {
    uint8_t fingerprints[kSlots];
    uint8_t meta;
    uint64_t slots[kSlots];

    bool has_overflow() const { return (meta & kOverflowBit) != 0; }
    Bucket* overflow() const {
      return has_overflow() ? reinterpret_cast<Bucket*>(slots[kSlots - 1]) : nullptr;
    }
    int capacity() const { return has_overflow() ? kSlots - 1 : kSlots; }
    unsigned used() const { return has_overflow() ? meta & 0x3fu : meta & kUsedMask; }
    // Bit i set: slot i is in use and its fingerprint equals `fp`.
    unsigned Match(uint8_t fp) const {
#if defined(__SSE2__)
      __m128i line = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(fingerprints));
      auto equal = static_cast<unsigned>(
          _mm_movemask_epi8(_mm_cmpeq_epi8(line, _mm_set1_epi8(static_cast<char>(fp)))));
      return equal & used();
#else
      unsigned equal = 0;
      for (int i = 0; i < kSlots; ++i) equal |= static_cast<unsigned>(fingerprints[i] == fp) << i;
      return equal & used();
#endif
    }
    Item* item(int i) const { return reinterpret_cast<Item*>(slots[i] & kPointerMask); }
  };
  static_assert(sizeof(Bucket) == 64);

 public:
  // Where an item sits. Valid until the next insert or erase.
  class Position {
   public:
    Position() = default;
    explicit operator bool() const { return bucket_ != nullptr; }
    Item* item() const { return bucket_->item(slot_); }

   private:
    friend class BucketTable;
    Position(Bucket* bucket, int slot) : bucket_(bucket), slot_(slot) {}
    Bucket* bucket_ = nullptr;
    int slot_ = 0;
  };

  BucketTable() = default;
  BucketTable(const BucketTable&) = delete;
  BucketTable& operator=(const BucketTable&) = delete;
  BucketTable(BucketTable&& other) noexcept { Swap(other); }
  BucketTable& operator=(BucketTable&& other) noexcept {
    Swap(other);
    return *this;
  }
  // REQUIRES: items have been taken out (Clear) if the table was their owner.
  ~BucketTable() { FreeBuckets(); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  size_t bucket_count() const { return count_; }
  // Bytes held by the table itself, without the items.
  size_t MemoryBytes() const {
    return (SegmentCapacity() + overflow_count_) * sizeof(Bucket) +
           directory_capacity_ * sizeof(Bucket*);
  }

  Item* Find(std::string_view key) const { return Find(key, HashBytes(key)); }
  Item* Find(std::string_view key, uint64_t hash) const {
    Position p = Locate(key, hash);
    return p ? p.item() : nullptr;
  }
  Position Locate(std::string_view key, uint64_t hash) const {
    if (count_ == 0) return Position();
    uint8_t fp = Fingerprint(hash);
    uint64_t tag = Tag(hash);
    for (Bucket* b = At(Index(hash)); b != nullptr; b = b->overflow()) {
      for (unsigned m = b->Match(fp); m != 0; m &= m - 1) {
        int i = std::countr_zero(m);
        if ((b->slots[i] >> kTagShift) != tag) continue;
        if (SameBytes(Traits::Key(*b->item(i)), key)) return Position(b, i);
      }
    }
    return Position();
  }

  // Fetches the bucket's line; the next step PrefetchItem reads it.
  void PrefetchBucket(uint64_t hash) const {
    if (count_ != 0) __builtin_prefetch(At(Index(hash)));
  }
  // Fetches the first candidate's item (two lines: header and key may straddle). Reads the bucket.
  void PrefetchItem(uint64_t hash) const {
    if (count_ == 0) return;
    const Bucket* b = At(Index(hash));
    unsigned m = b->Match(Fingerprint(hash));
    if (m != 0) {
      const char* p = reinterpret_cast<const char*>(b->item(std::countr_zero(m)));
      __builtin_prefetch(p);
      __builtin_prefetch(p + 64);
    } else if (b->has_overflow()) {
      __builtin_prefetch(b->overflow());
    }
  }
  // The first candidate for the hash, unverified: prefetchers use it to look one pointer further.
  // May be null or another key's item.
  Item* Candidate(uint64_t hash) const {
    if (count_ == 0) return nullptr;
    const Bucket* b = At(Index(hash));
    unsigned m = b->Match(Fingerprint(hash));
    return m != 0 ? b->item(std::countr_zero(m)) : nullptr;
  }

  // REQUIRES: no item with this key is present; hash == HashBytes(key).
  void Insert(Item* item, uint64_t hash) {
    if (count_ == 0) AllocateInitial(1);
    Place(At(Index(hash)), Fingerprint(hash), PackedSlot(item, hash));
    ++size_;
    while (size_ > count_ * kSplitLoad && SplitOne()) {
    }
  }
  void Insert(Item* item) { Insert(item, HashBytes(Traits::Key(*item))); }

  // Puts a moved (reallocated) item of the same key in place of the old pointer.
  void Replace(Position p, Item* item) {
    uint64_t& slot = p.bucket_->slots[p.slot_];
    slot = (slot & ~kPointerMask) | reinterpret_cast<uint64_t>(item);
  }

  // Takes the item out; the caller owns it.
  Item* Erase(Position p, uint64_t hash) {
    Item* item = p.item();
    RemoveFromChain(At(Index(hash)), p.bucket_, p.slot_);
    --size_;
    if (count_ > 1 && size_ < count_ + count_ / 4) MergeOne();
    return item;
  }
  Item* Erase(std::string_view key, uint64_t hash) {
    Position p = Locate(key, hash);
    return p ? Erase(p, hash) : nullptr;
  }
  Item* Erase(std::string_view key) { return Erase(key, HashBytes(key)); }

  // Makes room for `items` without splitting on the way. Only has an effect on an empty table.
  void Reserve(size_t items) {
    if (size_ != 0) return;
    FreeBuckets();
    if (items > 0) AllocateInitial(std::bit_ceil((items + kSplitLoad - 1) / kSplitLoad));
  }

  // Calls f(Item*) for every item; f must not change the table (it may free the item on the way to
  // Clear/Release).
  template <class F>
  void ForEach(F&& f) const {
    for (size_t i = 0; i < count_; ++i) {
      for (Bucket* b = At(i); b != nullptr;) {
        Bucket* next = b->overflow();
        for (unsigned m = b->used(); m != 0; m &= m - 1) f(b->item(std::countr_zero(m)));
        b = next;
      }
    }
  }

  // Empties the table, handing every item to f.
  template <class F>
  void Clear(F&& f) {
    ForEach(f);
    FreeBuckets();
  }

  // One step of a full iteration: calls f(Item*) for the items of one logical bucket, returns the
  // next cursor, 0 at the end. Begin with 0. f may erase the item that it was given, nothing else
  // of the table.
  template <class F>
  uint64_t Scan(uint64_t cursor, F&& f) const {
    if (count_ == 0) return 0;
    // Everything is read before the first callback: an erase inside f may merge buckets and lower
    // the mask.
    const uint64_t mask = mask_;
    uint64_t index = cursor & mask;
    const Bucket* chains[2] = {At(index), index < split_ ? At(index + mask + 1) : nullptr};
    Emit(chains, f);
    cursor |= ~mask;
    cursor = ReverseBits(cursor);
    ++cursor;
    return ReverseBits(cursor);
  }

  // A uniformly drawn item; nullptr when empty.
  Item* Sample(Random& random) const {
    if (size_ == 0) return nullptr;
    // Rejection over (bucket, place) pairs makes the draw uniform as long as no chain is longer
    // than kPlaces.
    constexpr uint64_t kPlaces = 16;
    for (;;) {
      Bucket* b = At(random.Below(count_));
      uint64_t chain = ChainLength(b);
      if (chain == 0) continue;
      uint64_t place = random.Below(chain > kPlaces ? chain : kPlaces);
      if (place >= chain) continue;
      for (; b != nullptr; b = b->overflow()) {
        unsigned m = b->used();
        auto here = static_cast<uint64_t>(std::popcount(m));
        if (place >= here) {
          place -= here;
          continue;
        }
        for (; place > 0; --place) m &= m - 1;
        return b->item(std::countr_zero(m));
      }
    }
  }

  void Swap(BucketTable& other) noexcept {
    std::swap(segments_, other.segments_);
    std::swap(count_, other.count_);
    std::swap(mask_, other.mask_);
    std::swap(split_, other.split_);
    std::swap(size_, other.size_);
    std::swap(overflow_count_, other.overflow_count_);
    std::swap(directory_capacity_, other.directory_capacity_);
    std::swap(first_capacity_, other.first_capacity_);
  }

 private:
  static uint8_t Fingerprint(uint64_t hash) { return static_cast<uint8_t>(hash >> 56); }
  static uint64_t Tag(uint64_t hash) { return (hash >> kTagFirstBit) & 0xffff; }
  static uint64_t PackedSlot(Item* item, uint64_t hash) {
    auto bits = reinterpret_cast<uint64_t>(item);
    BP_DCHECK((bits & ~kPointerMask) == 0);
    return bits | Tag(hash) << kTagShift;
  }
  static uint64_t ReverseBits(uint64_t v) {
    v = ((v >> 1) & 0x5555555555555555ull) | ((v & 0x5555555555555555ull) << 1);
    v = ((v >> 2) & 0x3333333333333333ull) | ((v & 0x3333333333333333ull) << 2);
    v = ((v >> 4) & 0x0f0f0f0f0f0f0f0full) | ((v & 0x0f0f0f0f0f0f0f0full) << 4);
    return __builtin_bswap64(v);
  }

  Bucket* At(size_t index) const {
    return segments_[index >> kSegmentBits] + (index & (kSegmentBuckets - 1));
  }
  size_t Index(uint64_t hash) const {
    size_t index = hash & mask_;
    return index < split_ ? hash & (2 * mask_ + 1) : index;
  }
  size_t SegmentCapacity() const {
    return count_ <= kSegmentBuckets
               ? first_capacity_
               : ((count_ + kSegmentBuckets - 1) >> kSegmentBits) << kSegmentBits;
  }

  static Bucket* NewBuckets(size_t count) {
    void* p = std::aligned_alloc(64, count * sizeof(Bucket));
    BP_ASSERT(p != nullptr);
    std::memset(p, 0, count * sizeof(Bucket));
    return static_cast<Bucket*>(p);
  }

  void AllocateInitial(size_t buckets) {
    size_t segments = (buckets + kSegmentBuckets - 1) >> kSegmentBits;
    for (size_t i = 0; i < segments; ++i) {
      AddSegment(i, segments == 1 ? buckets : kSegmentBuckets);
    }
    count_ = buckets;
    mask_ = buckets - 1;
    split_ = 0;
  }

  void AddSegment(size_t number, size_t buckets) {
    if (number >= directory_capacity_) {
      size_t capacity = directory_capacity_ == 0 ? 1 : directory_capacity_ * 2;
      auto** grown = static_cast<Bucket**>(std::realloc(segments_, capacity * sizeof(Bucket*)));
      BP_ASSERT(grown != nullptr);
      segments_ = grown;
      directory_capacity_ = capacity;
    }
    segments_[number] = NewBuckets(buckets);
    if (number == 0) first_capacity_ = buckets;
  }

  // Makes bucket number count_ addressable.
  void ReserveBucket() {
    if (count_ < kSegmentBuckets) {
      if (count_ < first_capacity_) return;
      size_t capacity = first_capacity_ * 2;
      Bucket* grown = NewBuckets(capacity);
      std::memcpy(static_cast<void*>(grown), segments_[0], count_ * sizeof(Bucket));
      std::free(segments_[0]);
      segments_[0] = grown;
      first_capacity_ = capacity;
    } else if ((count_ & (kSegmentBuckets - 1)) == 0) {
      AddSegment(count_ >> kSegmentBits, kSegmentBuckets);
    }
  }

  void Place(Bucket* b, uint8_t fp, uint64_t packed) {
    for (;;) {
      unsigned free_slots = ~b->used() & ((1u << b->capacity()) - 1);
      if (free_slots != 0) {
        int i = std::countr_zero(free_slots);
        b->fingerprints[i] = fp;
        b->slots[i] = packed;
        b->meta = static_cast<uint8_t>(b->meta | 1u << i);
        return;
      }
      if (!b->has_overflow()) {
        Bucket* child = NewBuckets(1);
        ++overflow_count_;
        child->fingerprints[0] = b->fingerprints[kSlots - 1];
        child->slots[0] = b->slots[kSlots - 1];
        child->meta = 1;
        b->slots[kSlots - 1] = reinterpret_cast<uint64_t>(child);
        b->meta = 0x3f | kOverflowBit;
      }
      b = b->overflow();
    }
  }

  // Clears slot i of b; the hole is filled from the end of the chain so that overflow buckets never
  // stand empty.
  void RemoveFromChain(Bucket* head, Bucket* b, int i) {
    Bucket* parent = nullptr;
    Bucket* last = head;
    while (last->has_overflow()) {
      parent = last;
      last = last->overflow();
    }
    if (last != b && last->used() != 0) {
      int from = std::countr_zero(last->used());
      b->fingerprints[i] = last->fingerprints[from];
      b->slots[i] = last->slots[from];
      last->meta = static_cast<uint8_t>(last->meta & ~(1u << from));
    } else {
      b->meta = static_cast<uint8_t>(b->meta & ~(1u << i));
    }
    if (parent != nullptr && last->used() == 0) {
      std::free(last);
      --overflow_count_;
      parent->slots[kSlots - 1] = 0;
      parent->meta = static_cast<uint8_t>(parent->meta & ~kOverflowBit & 0x3f);
    }
  }

  // Takes all slots out of a chain and frees its overflow buckets; calls f(fingerprint, packed
  // slot).
  template <class F>
  void DrainChain(Bucket* head, F&& f) {
    Bucket copy = *head;
    std::memset(static_cast<void*>(head), 0, sizeof(Bucket));
    const Bucket* b = &copy;
    Bucket* owned = nullptr;
    for (;;) {
      for (unsigned m = b->used(); m != 0; m &= m - 1) {
        int i = std::countr_zero(m);
        f(b->fingerprints[i], b->slots[i]);
      }
      Bucket* next = b->overflow();
      if (owned != nullptr) {
        std::free(owned);
        --overflow_count_;
      }
      if (next == nullptr) return;
      b = owned = next;
    }
  }

  // Splits bucket split_ into itself and bucket count_. False when the table has its maximal size.
  bool SplitOne() {
    if (count_ >= (size_t{1} << 40)) return false;
    ReserveBucket();
    uint64_t high_bit = mask_ + 1;
    Bucket* low = At(split_);
    Bucket* high = At(count_);
    std::memset(static_cast<void*>(high), 0, sizeof(Bucket));
    int bit = std::countr_zero(high_bit);
    bool in_tag = bit >= kTagFirstBit && bit < kTagFirstBit + 16;
    ++count_;
    ++split_;
    DrainChain(low, [&](uint8_t fp, uint64_t packed) {
      uint64_t set;
      if (in_tag) {
        set = packed >> (kTagShift + bit - kTagFirstBit) & 1;
      } else {
        auto* item = reinterpret_cast<Item*>(packed & kPointerMask);
        set = HashBytes(Traits::Key(*item)) >> bit & 1;
      }
      Place(set != 0 ? high : low, fp, packed);
    });
    if (split_ > mask_) {
      mask_ = 2 * mask_ + 1;
      split_ = 0;
    }
    return true;
  }

  // The reverse of SplitOne: the last bucket goes back into its twin.
  void MergeOne() {
    if (split_ == 0) {
      mask_ >>= 1;
      split_ = mask_ + 1;
    }
    --split_;
    --count_;
    Bucket* low = At(split_);
    DrainChain(At(count_), [&](uint8_t fp, uint64_t packed) { Place(low, fp, packed); });
    if (count_ >= kSegmentBuckets && (count_ & (kSegmentBuckets - 1)) == 0) {
      std::free(segments_[count_ >> kSegmentBits]);
    } else if (count_ < kSegmentBuckets && count_ * 4 <= first_capacity_ && first_capacity_ > 1) {
      ShrinkFirstSegment();
    }
  }

  void ShrinkFirstSegment() {
    size_t capacity = first_capacity_ / 2;
    Bucket* small = NewBuckets(capacity);
    std::memcpy(static_cast<void*>(small), segments_[0], count_ * sizeof(Bucket));
    std::free(segments_[0]);
    segments_[0] = small;
    first_capacity_ = capacity;
  }

  static uint64_t ChainLength(const Bucket* b) {
    uint64_t n = 0;
    for (; b != nullptr; b = b->overflow()) n += static_cast<uint64_t>(std::popcount(b->used()));
    return n;
  }

  // Calls f for every item of two chains (the second may be null), safe against f erasing that item
  // (which moves others). Chains are short, but erasing in scan order concentrates what is left in
  // few buckets, hence the heap fallback.
  template <class F>
  static void Emit(const Bucket* const (&chains)[2], F&& f) {
    constexpr size_t kInline = 32;
    Item* few[kInline];
    std::vector<Item*> many;
    size_t n = ChainLength(chains[0]) + ChainLength(chains[1]);
    Item** items = few;
    if (n > kInline) {
      many.resize(n);
      items = many.data();
    }
    size_t next = 0;
    for (const Bucket* head : chains) {
      for (const Bucket* b = head; b != nullptr; b = b->overflow()) {
        for (unsigned m = b->used(); m != 0; m &= m - 1)
          items[next++] = b->item(std::countr_zero(m));
      }
    }
    for (size_t k = 0; k < n; ++k) f(items[k]);
  }

  void FreeBuckets() {
    if (overflow_count_ != 0) {
      for (size_t i = 0; i < count_; ++i) {
        Bucket* b = At(i)->overflow();
        while (b != nullptr) {
          Bucket* next = b->overflow();
          std::free(b);
          b = next;
        }
      }
    }
    size_t segments = (count_ + kSegmentBuckets - 1) >> kSegmentBits;
    for (size_t i = 0; i < segments; ++i) std::free(segments_[i]);
    std::free(segments_);
    segments_ = nullptr;
    count_ = mask_ = split_ = size_ = overflow_count_ = directory_capacity_ = first_capacity_ = 0;
  }

  Bucket** segments_ = nullptr;
  size_t count_ = 0;  // buckets in use: mask_ + 1 + split_
  size_t mask_ = 0;
  size_t split_ = 0;
  size_t size_ = 0;
  size_t overflow_count_ = 0;
  size_t directory_capacity_ = 0;
  size_t first_capacity_ = 0;  // buckets allocated in segment 0
};

}  // namespace backplane
