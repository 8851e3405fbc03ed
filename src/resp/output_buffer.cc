// SPDX-License-Identifier: BSD-3-Clause
// The chunk list of OutputBuffer.
//
//   block = chunk { chunk }             one allocation
//   chunk = header [ headroom ] bytes   the headroom is a hole: kHoleMax bytes right before `bytes`
//
// A hole splits the tail: the rest of the block becomes a chunk of its own, whose first bytes are
// the headroom. Filling it writes backwards from the chunk's first byte, so neither side moves. The
// chunks of a block stand next to each other in the list; the block goes with its last one.
#include "resp/output_buffer.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <new>

#include "base/assert.h"

namespace backplane {

struct OutputBuffer::Chunk {
  Chunk* next;
  char* block;        // the allocation that this chunk lies in
  size_t block_size;  // of the whole allocation
  char* begin;        // first unsent byte
  char* end;          // behind the last byte; for the tail cursor_ says it
  bool open;          // begins with an unfilled hole

  char* room() { return reinterpret_cast<char*>(this + 1); }
};

namespace {

// Blocks double from the first to the last of these, so that an idle client costs little and a
// large reply few allocations.
constexpr size_t kBlockMin = 8 * 1024;
constexpr size_t kBlockMax = 64 * 1024;
// The largest block that a drained buffer keeps.
constexpr size_t kSpareMax = 16 * 1024;
// A hole opens within the tail's block when at least this much room is left behind it.
constexpr size_t kRoomAfterHole = 64;
// A buffer with at most this many bytes is copied by Splice: cheaper than one more iovec.
constexpr size_t kSpliceCopyMax = 1024;

char* AlignUp(char* p, size_t alignment) {
  const size_t excess = reinterpret_cast<uintptr_t>(p) % alignment;
  return excess == 0 ? p : p + (alignment - excess);
}

}  // namespace

// Makes cursor_ the end that the tail remembers, before another chunk becomes the tail.
void OutputBuffer::SealTail() {
  if (tail_ != nullptr) tail_->end = cursor_;
}

void OutputBuffer::LinkTail(Chunk* chunk, char* limit) {
  SealTail();
  if (tail_ == nullptr) {
    head_ = chunk;
  } else {
    tail_->next = chunk;
  }
  tail_ = chunk;
  cursor_ = chunk->begin;
  limit_ = limit;
  ++chunk_count_;
}

void OutputBuffer::NewTail(size_t size) {
  const size_t usual = std::clamp(std::bit_ceil(memory_ + 1), kBlockMin, kBlockMax);
  const size_t block_size = std::max(usual, sizeof(Chunk) + size);
  char* block = static_cast<char*>(::operator new(block_size));
  memory_ += block_size;
  Chunk* chunk = new (block) Chunk{nullptr, block, block_size, nullptr, nullptr, false};
  chunk->begin = chunk->end = chunk->room();
  LinkTail(chunk, block + block_size);
}

void OutputBuffer::AppendSlow(std::string_view bytes) {
  if (bytes.empty()) return;
  const size_t fits = static_cast<size_t>(limit_ - cursor_);
  if (fits != 0) {
    std::memcpy(cursor_, bytes.data(), fits);
    Commit(fits);
    bytes.remove_prefix(fits);
  }
  NewTail(bytes.size());
  std::memcpy(cursor_, bytes.data(), bytes.size());
  Commit(bytes.size());
}

OutputBuffer::Hole OutputBuffer::OpenHole() {
  constexpr size_t kWanted = alignof(Chunk) + sizeof(Chunk) + kHoleMax + kRoomAfterHole;
  if (static_cast<size_t>(limit_ - cursor_) < kWanted) {
    NewTail(kHoleMax + kRoomAfterHole);
    tail_->begin = tail_->end = cursor_ = tail_->room() + kHoleMax;
  } else {
    char* const place = AlignUp(cursor_, alignof(Chunk));
    Chunk* chunk =
        new (place) Chunk{nullptr, tail_->block, tail_->block_size, nullptr, nullptr, false};
    chunk->begin = chunk->end = chunk->room() + kHoleMax;
    LinkTail(chunk, limit_);
  }
  tail_->open = true;
  ++open_holes_;
  return Hole(tail_);
}

void OutputBuffer::FillHole(Hole hole, std::string_view bytes) {
  Chunk* chunk = static_cast<Chunk*>(hole.handle());
  BP_ASSERT(chunk != nullptr && chunk->open && bytes.size() <= kHoleMax);
  chunk->begin -= bytes.size();
  if (!bytes.empty()) std::memcpy(chunk->begin, bytes.data(), bytes.size());
  chunk->open = false;
  --open_holes_;
  size_ += bytes.size();
}

int OutputBuffer::Gather(iovec* out, int max) const {
  int count = 0;
  for (Chunk* chunk = head_; chunk != nullptr && count < max && !chunk->open; chunk = chunk->next) {
    const char* const end = chunk == tail_ ? cursor_ : chunk->end;
    const size_t size = static_cast<size_t>(end - chunk->begin);
    if (size != 0) out[count++] = {chunk->begin, size};
  }
  return count;
}

void OutputBuffer::PopHead() {
  Chunk* chunk = head_;
  head_ = chunk->next;
  --chunk_count_;
  if (head_ == nullptr) {
    tail_ = nullptr;
    cursor_ = limit_ = nullptr;
  }
  if (head_ == nullptr || head_->block != chunk->block) {
    memory_ -= chunk->block_size;
    ::operator delete(chunk->block);
  }
}

// All bytes are sent: starts over at the front of the tail's block.
void OutputBuffer::KeepSpare() {
  while (head_ != tail_) PopHead();
  if (tail_->block_size > kSpareMax) {
    PopHead();
    return;
  }
  char* const block = tail_->block;
  Chunk* chunk = new (block) Chunk{nullptr, block, tail_->block_size, nullptr, nullptr, false};
  chunk->begin = chunk->end = cursor_ = chunk->room();
  head_ = tail_ = chunk;
}

void OutputBuffer::Consume(size_t size) {
  BP_ASSERT(size <= size_);
  size_ -= size;
  if (size_ == 0 && open_holes_ == 0) {
    if (tail_ != nullptr) KeepSpare();
    return;
  }
  while (size > 0) {
    BP_ASSERT(!head_->open);
    const char* const end = head_ == tail_ ? cursor_ : head_->end;
    const size_t here = static_cast<size_t>(end - head_->begin);
    if (size < here || head_ == tail_) {
      head_->begin += size;
      return;
    }
    size -= here;
    PopHead();
  }
}

void OutputBuffer::Splice(OutputBuffer& other) {
  BP_ASSERT(open_holes_ == 0 && other.open_holes_ == 0);
  if (other.size_ <= kSpliceCopyMax) {
    for (Chunk* chunk = other.head_; chunk != nullptr; chunk = chunk->next) {
      const char* const end = chunk == other.tail_ ? other.cursor_ : chunk->end;
      Append({chunk->begin, static_cast<size_t>(end - chunk->begin)});
    }
    other.Consume(other.size_);
    return;
  }
  if (size_ == 0) Clear();
  other.SealTail();
  SealTail();
  (tail_ == nullptr ? head_ : tail_->next) = other.head_;
  tail_ = other.tail_;
  cursor_ = other.cursor_;
  limit_ = other.limit_;
  size_ += other.size_;
  memory_ += other.memory_;
  chunk_count_ += other.chunk_count_;
  other.head_ = other.tail_ = nullptr;
  other.cursor_ = other.limit_ = nullptr;
  other.size_ = other.memory_ = other.chunk_count_ = 0;
}

void OutputBuffer::Clear() {
  while (head_ != nullptr) PopHead();
  size_ = 0;
  open_holes_ = 0;
}

}  // namespace backplane
