// SPDX-License-Identifier: BSD-3-Clause
// HostLock: the contended ways.
#include "modhost/host_lock.h"

namespace backplane {

void HostLock::SleepForWord() {
  // Whoever had to sleep takes the word as contended: others may sleep behind it.
  while (word_.exchange(kContended, std::memory_order_acquire) != kFree) {
    word_.wait(kContended, std::memory_order_relaxed);
  }
}

void HostLock::EngineTakeSlow() {
  engine_waits_.store(1, std::memory_order_relaxed);
  SleepForWord();
  engine_waits_.store(0, std::memory_order_relaxed);
  engine_waits_.notify_all();
}

void HostLock::TakeSlow() {
  engine_waits_.wait(1, std::memory_order_relaxed);
  if (!TryWord()) SleepForWord();
}

}  // namespace backplane
