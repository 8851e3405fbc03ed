// SPDX-License-Identifier: BSD-3-Clause
// What the allocator and the kernel say about this process's memory: INFO memory, MEMORY commands,
// maxmemory, defragmentation advice. Any thread; each ReadAllocatorInfo costs some microseconds to
// tens of them, so once per cron turn, not per command.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace backplane {

// All in bytes. What the C library cannot tell without jemalloc is approximated as noted.
struct AllocatorInfo {
  size_t allocated = 0;  // handed out to the program, as rounded up by the allocator
  size_t active = 0;     // pages with allocations in them (without jemalloc: = resident)
  size_t resident = 0;   // pages that the allocator keeps in memory, its own data included
  size_t mapped = 0;     // address space in use by it
  size_t retained = 0;   // address space given back but kept reserved (without jemalloc: 0)
  size_t metadata = 0;   // the allocator's own data (without jemalloc: 0)

  // Pages in memory that hold nothing.
  size_t unused() const { return resident > active + metadata ? resident - active - metadata : 0; }
};

AllocatorInfo ReadAllocatorInfo();
// Its `allocated` alone, for less.
size_t AllocatedBytes();

// What the allocator itself has to report, for its experts; empty when it has nothing.
std::string AllocatorReport();

// A number of jemalloc by the name that its manual gives it ("arenas.page"): its statistics and
// options, nothing whose reading does something. nullopt: no such number, or another allocator.
std::optional<int64_t> AllocatorNumber(const std::string& name);

// A text of jemalloc likewise: its version and those of its options that are texts.
std::optional<std::string> AllocatorText(const std::string& name);

// What this thread keeps of blocks that it has freed goes back to all ("thread.tcache.flush").
// False: the allocator has no such thing.
bool FlushThreadCache();

// Gives all unused pages back to the kernel.
void PurgeAllocator();

// Whether threads of the allocator give unused pages back, or whoever frees next. No-op where the
// allocator has none.
void SetAllocatorThreads(bool on);

// Bytes that the allocator set aside for `block`, which it handed out; 0 for null.
// (Not const: the compiler would take a fresh block for one that is read before it is written.)
size_t UsableSize(void* block);

// Resident set of the process; 0 when /proc does not say.
size_t ResidentBytes();

// "jemalloc-5.3.0" or "libc", as INFO memory shows mem_allocator.
const char* AllocatorName();

}  // namespace backplane
