// SPDX-License-Identifier: BSD-3-Clause
// OutputBuffer: the bytes on their way to one client, as a list of chunks, so that replies are
// encoded once, in place, and leave with one writev. Used by RespEncoder (fills) and net/ (drains).
// One thread at a time.
//
// Invariants: size() is the sum of all chunks' unsent bytes; bytes never move once written, so a
// Hole stays valid until it is filled. A buffer that has been drained keeps one block of memory,
// so that request and reply in turn allocate nothing; Clear() gives it back.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace backplane {

class OutputBuffer {
  struct Chunk;

 public:
  // A place reserved for bytes that are known only later (a deferred array length). See OpenHole.
  class Hole {
   public:
    Hole() = default;
    // For keeping it in another type, and back.
    explicit Hole(void* handle) : handle_(handle) {}
    void* handle() const { return handle_; }

   private:
    void* handle_ = nullptr;
  };

  OutputBuffer() = default;
  OutputBuffer(const OutputBuffer&) = delete;
  OutputBuffer& operator=(const OutputBuffer&) = delete;
  ~OutputBuffer() { Clear(); }

  // At least `size` (<= kReserveMax) contiguous writable bytes at the end; follow with Commit(bytes
  // really written).
  static constexpr size_t kReserveMax = 4096;
  char* Reserve(size_t size) {
    if (static_cast<size_t>(limit_ - cursor_) < size) [[unlikely]]
      NewTail(size);
    return cursor_;
  }
  void Commit(size_t size) {
    cursor_ += size;
    size_ += size;
  }
  void Append(std::string_view bytes) {
    // The subtraction sends empty bytes the slow way: there may be no chunk yet.
    if (bytes.size() - 1 < static_cast<size_t>(limit_ - cursor_)) [[likely]] {
      __builtin_memcpy(cursor_, bytes.data(), bytes.size());
      Commit(bytes.size());
    } else {
      AppendSlow(bytes);
    }
  }

  // Reserves a place in the stream; bytes appended later come after it. FillHole may be called
  // once, with at most kHoleMax bytes; an unfilled hole is empty. Bytes at and behind an open hole
  // are not handed out by Gather until it is filled. A hole costs no allocation as a rule.
  static constexpr size_t kHoleMax = 32;
  Hole OpenHole();
  void FillHole(Hole hole, std::string_view bytes);

  bool empty() const { return size_ == 0; }
  // Unsent bytes.
  size_t size() const { return size_; }
  // Bytes of memory held, for client output limits and CLIENT LIST.
  size_t memory() const { return memory_; }
  // Chunks with unsent bytes, about; 0 when empty.
  size_t chunk_count() const { return size_ == 0 ? 0 : chunk_count_; }

  // Fills up to `max` iovecs from the front; returns how many. Then Consume(bytes that the kernel
  // took).
  int Gather(iovec* out, int max) const;
  void Consume(size_t size);
  // Moves all bytes of `other` behind ours; `other` is empty afterwards. REQUIRES: no open holes.
  void Splice(OutputBuffer& other);
  bool has_open_hole() const { return open_holes_ != 0; }
  // Drops all bytes and frees all memory. Open holes become invalid.
  void Clear();

 private:
  void NewTail(size_t size);
  void AppendSlow(std::string_view bytes);
  void SealTail();
  void LinkTail(Chunk* chunk, char* limit);
  void PopHead();
  void KeepSpare();

  Chunk* head_ = nullptr;
  Chunk* tail_ = nullptr;
  char* cursor_ = nullptr;  // end of the tail's bytes
  char* limit_ = nullptr;   // end of the tail's room
  size_t size_ = 0;
  size_t memory_ = 0;
  size_t chunk_count_ = 0;
  size_t open_holes_ = 0;
};

}  // namespace backplane
