// SPDX-License-Identifier: BSD-3-Clause
// LuaMemory: where one Lua state's memory comes from. What is allocated until Seal() (the
// libraries, the globals) lies in one arena that nothing else ever lies in; a table in it is
// read-only from then on, which one comparison of its address tells (read_only_tables.cc). One
// thread at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace backplane {

class LuaMemory {
 public:
  LuaMemory();
  LuaMemory(const LuaMemory&) = delete;
  LuaMemory& operator=(const LuaMemory&) = delete;
  ~LuaMemory();

  // The function that Lua calls, `self` being a LuaMemory. Ends the process when there is no memory
  // left, so that no caller of Lua's interface need be prepared for that error.
  static void* Allocate(void* self, void* block, size_t old_size, size_t new_size);

  // Allocations come from the heap now, and tables made before are read-only.
  // REQUIRES: not sealed.
  void Seal();
  bool IsReadOnly(const void* table) const {
    return reinterpret_cast<uintptr_t>(table) - begin_ < read_only_bytes_;
  }
  // Lifts the protection while it lives. No code of scripts may run meanwhile.
  class Unprotected {
   public:
    explicit Unprotected(LuaMemory& memory)
        : memory_(memory), read_only_bytes_(memory.read_only_bytes_) {
      memory_.read_only_bytes_ = 0;
    }
    ~Unprotected() { memory_.read_only_bytes_ = read_only_bytes_; }
    Unprotected(const Unprotected&) = delete;
    Unprotected& operator=(const Unprotected&) = delete;

   private:
    LuaMemory& memory_;
    size_t read_only_bytes_;
  };

 private:
  // Blocks up to kSmallMax are kept in lists by size, cut from slabs: scripts make and drop many
  // small objects, and the process's free has to look where a block belongs first.
  static constexpr size_t kArenaBytes = 256 * 1024;
  static constexpr size_t kStep = 16;
  static constexpr size_t kSmallMax = 256;
  static constexpr size_t kSlabBytes = 16 * 1024;
  struct FreeBlock {
    FreeBlock* next;
  };

  bool InArena(const void* block) const {
    return reinterpret_cast<uintptr_t>(block) - begin_ < kArenaBytes;
  }
  void* New(size_t size);
  void Delete(void* block, size_t size);
  void* NewSlab(size_t index);

  std::unique_ptr<char[]> arena_;
  uintptr_t begin_;
  size_t arena_used_ = 0;
  size_t read_only_bytes_ = 0;
  bool sealed_ = false;
  std::array<FreeBlock*, kSmallMax / kStep> free_{};
  std::vector<std::unique_ptr<char[]>> slabs_;
};

}  // namespace backplane
