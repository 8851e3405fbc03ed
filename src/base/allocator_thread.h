// SPDX-License-Identifier: BSD-3-Clause
// AllocatorThread: the allocator's thread, which gives unused pages back to the kernel, runs only
// while there are pages worth it. A process with a second thread pays for it in each system call
// (the kernel counts who holds an open file): three percent of a GET without pipeline. Without the
// thread the allocator gives pages back by and by as blocks are handed out and freed. Asked by
// ProcessOptions; engine thread.
#pragma once

#include <cstddef>

#include "base/memory_info.h"

namespace backplane {

class AllocatorThread {
 public:
  // From so many unused bytes on the thread runs, and until there were less than the second figure
  // for so many seconds on end.
  static constexpr size_t kStartBytes = 16 << 20;
  static constexpr size_t kStopBytes = 4 << 20;
  static constexpr int kStopSeconds = 10;

  // `set` starts and ends the thread.
  explicit AllocatorThread(void (*set)(bool on) = SetAllocatorThreads) : set_(set) {}

  // Whether it may run; it does not until then.
  void Allow(bool allowed);
  // Once a second, with AllocatorInfo::unused().
  void OnSecond(size_t unused_bytes);
  bool allowed() const { return allowed_; }

 private:
  void Run(bool on);

  void (*set_)(bool on);
  bool allowed_ = false;
  bool running_ = false;
  int quiet_seconds_ = 0;
};

}  // namespace backplane
