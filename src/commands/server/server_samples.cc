// SPDX-License-Identifier: BSD-3-Clause
#include "commands/server/server_samples.h"

#include <numeric>

#include "base/clock.h"
#include "base/memory_info.h"

namespace backplane {

void RateMeter::Sample(uint64_t counter, int64_t now_us) {
  if (last_us_ == 0) {
    last_counter_ = counter;
    last_us_ = now_us;
    return;
  }
  const int64_t elapsed_us = now_us - last_us_;
  if (elapsed_us < kSpacingUs) return;
  // A counter that was set back (CONFIG RESETSTAT) has no rate for that moment.
  const uint64_t events = counter >= last_counter_ ? counter - last_counter_ : 0;
  rates_[next_] = events * 1'000'000 / static_cast<uint64_t>(elapsed_us);
  next_ = (next_ + 1) % kWindow;
  last_counter_ = counter;
  last_us_ = now_us;
}

uint64_t RateMeter::PerSecond() const {
  return std::accumulate(rates_.begin(), rates_.end(), uint64_t{0}) / kWindow;
}

void ServerSamples::Sample(const Counters& counters) {
  const int64_t now_us = MonotonicMicros();
  commands_.Sample(counters.commands, now_us);
  bytes_in_.Sample(counters.bytes_in, now_us);
  bytes_out_.Sample(counters.bytes_out, now_us);
  loop_turns_.Sample(counters.loop_turns, now_us);
  loop_micros_.Sample(counters.loop_micros, now_us);
  SawMemory(ReadAllocatorInfo().allocated);
}

void ServerSamples::MarkStarted() {
  startup_bytes_ = ReadAllocatorInfo().allocated;
  SawMemory(startup_bytes_);
}

void ServerSamples::ResetCounters(uint64_t lazy_freed) {
  lazy_freed_before_ = lazy_freed;
  commands_ = {};
  bytes_in_ = {};
  bytes_out_ = {};
  loop_turns_ = {};
  loop_micros_ = {};
  expire_micros_ = 0;
  expire_caps_ = 0;
  stale_share_ = 0;
  turn_commands_max_ = 0;
  cron_nanos_ = 0;
  aof_nanos_ = 0;
}

}  // namespace backplane
