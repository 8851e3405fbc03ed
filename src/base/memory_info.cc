// SPDX-License-Identifier: BSD-3-Clause
// Allocator statistics by jemalloc's mallctl, or by the C library in builds without jemalloc.
#include "base/memory_info.h"

#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <string_view>

#ifdef BACKPLANE_JEMALLOC
#include <jemalloc/jemalloc.h>
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
// The compiler's package has the function, not its header.
extern "C" size_t __sanitizer_get_current_allocated_bytes();
#endif

namespace backplane {

#ifdef BACKPLANE_JEMALLOC

namespace {

#define BP_TEXT_INNER_(x) #x
#define BP_TEXT_(x) BP_TEXT_INNER_(x)

size_t ReadStat(const char* name) {
  size_t value = 0;
  size_t size = sizeof(value);
  return mallctl(name, &value, &size, nullptr, 0) == 0 ? value : 0;
}

// jemalloc's figures are a snapshot that this takes anew.
void TakeSnapshot() {
  uint64_t epoch = 1;
  size_t size = sizeof(epoch);
  mallctl("epoch", &epoch, &size, &epoch, size);
}

// jemalloc counts what its caches for each thread hold as handed out.
size_t HandedOut() {
  const size_t allocated = ReadStat("stats.allocated");
  const size_t cached = ReadStat("stats.arenas." BP_TEXT_(MALLCTL_ARENAS_ALL) ".tcache_bytes");
  return allocated > cached ? allocated - cached : 0;
}

}  // namespace

size_t AllocatedBytes() {
  TakeSnapshot();
  return HandedOut();
}

AllocatorInfo ReadAllocatorInfo() {
  TakeSnapshot();
  return {
      .allocated = HandedOut(),
      .active = ReadStat("stats.active"),
      .resident = ReadStat("stats.resident"),
      .mapped = ReadStat("stats.mapped"),
      .retained = ReadStat("stats.retained"),
      .metadata = ReadStat("stats.metadata"),
  };
}

std::string AllocatorReport() {
  TakeSnapshot();
  std::string report;
  malloc_stats_print(
      [](void* out, const char* text) { static_cast<std::string*>(out)->append(text); }, &report,
      nullptr);
  return report;
}

std::optional<int64_t> AllocatorNumber(const std::string& name) {
  const bool readable = name.starts_with("stats.") || name.starts_with("config.") ||
                        (name.starts_with("arenas.") && name != "arenas.create") ||
                        name == "background_thread" || name == "max_background_threads";
  if (!readable) return std::nullopt;
  TakeSnapshot();
  uint64_t wide = 0;
  uint32_t narrow = 0;
  bool flag = false;
  size_t size = sizeof(wide);
  // A number of another size is an error and leaves all as it was.
  if (mallctl(name.c_str(), &wide, &size, nullptr, 0) == 0) return static_cast<int64_t>(wide);
  size = sizeof(narrow);
  if (mallctl(name.c_str(), &narrow, &size, nullptr, 0) == 0) return narrow;
  size = sizeof(flag);
  if (mallctl(name.c_str(), &flag, &size, nullptr, 0) == 0) return flag ? 1 : 0;
  return std::nullopt;
}

std::optional<std::string> AllocatorText(const std::string& name) {
  // A number read as a text would be taken for an address, so these are named one by one.
  constexpr std::string_view kTexts[] = {"version",          "config.malloc_conf", "opt.dss",
                                         "opt.metadata_thp", "opt.percpu_arena",   "opt.thp",
                                         "opt.zero_realloc"};
  if (std::find(std::begin(kTexts), std::end(kTexts), name) == std::end(kTexts)) {
    return std::nullopt;
  }
  const char* text = nullptr;
  size_t size = sizeof(text);
  if (mallctl(name.c_str(), &text, &size, nullptr, 0) != 0 || text == nullptr) return std::nullopt;
  return text;
}

bool FlushThreadCache() {
  return mallctl("thread.tcache.flush", nullptr, nullptr, nullptr, 0) == 0;
}

void PurgeAllocator() {
  mallctl("arena." BP_TEXT_(MALLCTL_ARENAS_ALL) ".purge", nullptr, nullptr, nullptr, 0);
}

void SetAllocatorThreads(bool on) {
  mallctl("background_thread", nullptr, nullptr, &on, sizeof(on));
}

const char* AllocatorName() {
  return "jemalloc-" BP_TEXT_(JEMALLOC_VERSION_MAJOR) "." BP_TEXT_(
      JEMALLOC_VERSION_MINOR) "." BP_TEXT_(JEMALLOC_VERSION_BUGFIX);
}

#else

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)

// The C library has nothing to count there.
size_t AllocatedBytes() { return __sanitizer_get_current_allocated_bytes(); }

AllocatorInfo ReadAllocatorInfo() {
  const size_t bytes = AllocatedBytes();
  return {.allocated = bytes, .active = bytes, .resident = bytes, .mapped = bytes};
}

#else

size_t AllocatedBytes() { return ReadAllocatorInfo().allocated; }

AllocatorInfo ReadAllocatorInfo() {
  const struct mallinfo2 info = mallinfo2();
  const size_t mapped = info.arena + info.hblkhd;
  return {
      .allocated = info.uordblks + info.hblkhd,
      .active = mapped,
      .resident = mapped,
      .mapped = mapped,
  };
}

#endif

std::string AllocatorReport() { return {}; }

std::optional<int64_t> AllocatorNumber(const std::string&) { return std::nullopt; }
std::optional<std::string> AllocatorText(const std::string&) { return std::nullopt; }
bool FlushThreadCache() { return false; }

void PurgeAllocator() { malloc_trim(0); }

void SetAllocatorThreads(bool) {}

const char* AllocatorName() { return "libc"; }

#endif

size_t UsableSize(void* block) { return malloc_usable_size(block); }

size_t ResidentBytes() {
  const int fd = ::open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[128];
  const ssize_t size = ::read(fd, text, sizeof(text));
  ::close(fd);
  if (size <= 0) return 0;
  // Pages: total, resident, ...
  const char* const end = text + size;
  const void* blank = std::memchr(text, ' ', static_cast<size_t>(size));
  if (blank == nullptr) return 0;
  size_t pages = 0;
  std::from_chars(static_cast<const char*>(blank) + 1, end, pages);
  return pages * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

}  // namespace backplane
