// SPDX-License-Identifier: BSD-3-Clause
// By jemalloc's counters of the thread; in builds without it, by the
// C library's (or the sanitizer's) figure at every Read.
#include "base/memory_meter.h"

#include "base/memory_info.h"

#ifdef BACKPLANE_JEMALLOC
#include <jemalloc/jemalloc.h>
#endif

namespace backplane {

#ifdef BACKPLANE_JEMALLOC

namespace {

const uint64_t* ThreadCounter(const char* name) {
  uint64_t* counter = nullptr;
  size_t size = sizeof counter;
  static const uint64_t kNone = 0;
  return mallctl(name, &counter, &size, nullptr, 0) == 0 ? counter : &kNone;
}

// Allocated less freed by this thread; may wrap, differences do not mind.
uint64_t ThreadBalance() {
  thread_local const uint64_t* const allocated = ThreadCounter("thread.allocatedp");
  thread_local const uint64_t* const freed = ThreadCounter("thread.deallocatedp");
  return *allocated - *freed;
}

}  // namespace

void MemoryMeter::Calibrate() {
  base_ = AllocatedBytes();
  balance_at_base_ = ThreadBalance();
}

size_t MemoryMeter::Read() const {
  const auto change = static_cast<int64_t>(ThreadBalance() - balance_at_base_);
  const int64_t bytes = static_cast<int64_t>(base_) + change;
  return bytes > 0 ? static_cast<size_t>(bytes) : 0;
}

#else

void MemoryMeter::Calibrate() {}

size_t MemoryMeter::Read() const { return AllocatedBytes(); }

#endif

}  // namespace backplane
