// SPDX-License-Identifier: BSD-3-Clause
// When the allocator's thread starts and ends.
#include "base/allocator_thread.h"

namespace backplane {

void AllocatorThread::Allow(bool allowed) {
  allowed_ = allowed;
  if (!allowed_) Run(false);
}

void AllocatorThread::OnSecond(size_t unused_bytes) {
  if (!allowed_) return;
  quiet_seconds_ = unused_bytes < kStopBytes ? quiet_seconds_ + 1 : 0;
  if (unused_bytes >= kStartBytes) {
    Run(true);
  } else if (quiet_seconds_ >= kStopSeconds) {
    Run(false);
  }
}

void AllocatorThread::Run(bool on) {
  if (on == running_) return;
  running_ = on;
  quiet_seconds_ = 0;
  set_(on);
}

}  // namespace backplane
