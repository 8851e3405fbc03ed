// SPDX-License-Identifier: BSD-3-Clause
// DelayForKey: makes saving and loading last, for tests of what happens meanwhile (options
// rdb-key-save-delay, key-load-delay). Any thread.
#pragma once

#include <unistd.h>

#include <cstdint>

namespace backplane {

// Sleeps `delay` microseconds; below zero one microsecond for each -delay keys.
inline void DelayForKey(int64_t delay, uint64_t keys_before) {
  if (delay > 0) {
    usleep(static_cast<useconds_t>(delay));
  } else if (keys_before % static_cast<uint64_t>(-delay) == 0) {
    usleep(1);
  }
}

}  // namespace backplane
