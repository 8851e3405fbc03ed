// SPDX-License-Identifier: BSD-3-Clause
// WriteAccess: /proc/self/maps names the writable private mappings, /proc/self/pagemap their pages
// that are in memory; to those, and only those, the kernel is told that they will be written.
//
//   pagemap = 8 bytes for each page of the address space; bit 63: the page is in memory
#include "base/write_access.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <string_view>
#include <utility>
#include <vector>

#include "base/memory_info.h"

namespace backplane {
namespace {

constexpr uint64_t kPresent = uint64_t{1} << 63;
// Pages of one call: what changes mappings waits for it, so it takes no longer than a tenth of a
// millisecond or two.
constexpr size_t kPagesMax = 256;

// A mapping that is so much larger than all memory in use is nearly empty (a sanitizer's, a
// module's reserve): to look for its pages would take too long.
constexpr size_t kSparseRatio = 16;

std::vector<std::pair<uintptr_t, uintptr_t>> WritableRanges() {
  std::vector<std::pair<uintptr_t, uintptr_t>> ranges;
  const size_t size_max = kSparseRatio * ResidentBytes();
  FILE* maps = std::fopen("/proc/self/maps", "re");
  if (maps == nullptr) return ranges;
  char line[512];
  while (std::fgets(line, sizeof(line), maps) != nullptr) {
    uintptr_t begin = 0;
    uintptr_t end = 0;
    char access[5] = "";
    if (std::sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &begin, &end, access) != 3) continue;
    if (std::string_view(access) != "rw-p" || end - begin > size_max) continue;
    ranges.emplace_back(begin, end);
  }
  std::fclose(maps);
  return ranges;
}

}  // namespace

WriteAccess::WriteAccess() : thread_([this] { Run(); }) {}

WriteAccess::~WriteAccess() {
  stop_.store(true, std::memory_order_relaxed);
  thread_.join();
}

void WriteAccess::Run() {
  const int pagemap = ::open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
  if (pagemap >= 0) {
    for (const auto& [begin, end] : WritableRanges()) {
      if (!Restore(begin, end, pagemap)) break;
    }
    ::close(pagemap);
  }
  done_.store(true, std::memory_order_release);
}

// False when there is no use in going on.
bool WriteAccess::Restore(uintptr_t begin, uintptr_t end, int pagemap) {
  const auto page = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  uint64_t states[kPagesMax];
  for (uintptr_t at = begin; at < end;) {
    if (stop_.load(std::memory_order_relaxed)) return false;
    const size_t count = std::min(kPagesMax, (end - at) / page);
    const ssize_t got = ::pread(pagemap, states, count * sizeof(uint64_t),
                                static_cast<off_t>(at / page * sizeof(uint64_t)));
    if (got <= 0) return got == 0;
    const size_t known = static_cast<size_t>(got) / sizeof(uint64_t);
    for (size_t i = 0; i < known;) {
      size_t run = i;
      while (run < known && (states[run] & kPresent) != 0) ++run;
      // It may fail for a range that was unmapped meanwhile, or for want of a kernel that knows it.
      if (run > i &&
          madvise(reinterpret_cast<void*>(at + i * page), (run - i) * page, MADV_POPULATE_WRITE) !=
              0 &&
          errno == EINVAL) {
        return false;
      }
      i = std::max(run, i + 1);
    }
    at += known * page;
  }
  return true;
}

}  // namespace backplane
