// SPDX-License-Identifier: BSD-3-Clause
// Time sources. Any thread. Wall time is for what users see (TTL, logs), monotonic time for
// durations.
#pragma once

#include <cstdint>
#include <ctime>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace backplane {

inline int64_t WallMicros() {
  timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec * 1'000'000LL + t.tv_nsec / 1000;
}
inline int64_t WallMillis() { return WallMicros() / 1000; }

inline int64_t MonotonicNanos() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1'000'000'000LL + t.tv_nsec;
}
inline int64_t MonotonicMicros() { return MonotonicNanos() / 1000; }

// A cycle counter for per-command timing, where clock_gettime twice a command would cost several
// percent. Convert with TickClock.
inline uint64_t Ticks() {
#if defined(__x86_64__)
  return __rdtsc();
#else
  return static_cast<uint64_t>(MonotonicNanos());
#endif
}

// Converts Ticks() differences to time; calibrated against the monotonic clock since construction,
// better the longer it lives.
class TickClock {
 public:
  TickClock() : start_ticks_(Ticks()), start_nanos_(MonotonicNanos()) {}
  // Call now and then (each loop turn is too often, once a second is right).
  void Calibrate() {
    uint64_t ticks = Ticks() - start_ticks_;
    int64_t nanos = MonotonicNanos() - start_nanos_;
    if (nanos > 1'000'000)
      nanos_per_tick_ = static_cast<double>(nanos) / static_cast<double>(ticks);
  }
  int64_t ToNanos(uint64_t ticks) const {
    return static_cast<int64_t>(static_cast<double>(ticks) * nanos_per_tick_);
  }
  uint64_t FromNanos(int64_t nanos) const {
    return static_cast<uint64_t>(static_cast<double>(nanos) / nanos_per_tick_);
  }

 private:
  uint64_t start_ticks_;
  int64_t start_nanos_;
  double nanos_per_tick_ = 0.4;  // 2.5 GHz until the first calibration
};

}  // namespace backplane
