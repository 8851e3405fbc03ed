// SPDX-License-Identifier: BSD-3-Clause
// ServerSamples: what INFO shows that nobody counts as it happens: rates, and peaks of memory. The
// server's cron samples, INFO reads. Engine thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace backplane {

// Events per second of a growing counter, averaged over the last kWindow samples.
class RateMeter {
 public:
  // `counter` at the monotonic time `now_us`. Samples less than kSpacingUs apart are left out, so
  // that a high cron frequency does not narrow the window.
  void Sample(uint64_t counter, int64_t now_us);
  uint64_t PerSecond() const;

 private:
  static constexpr size_t kWindow = 16;
  static constexpr int64_t kSpacingUs = 90'000;
  std::array<uint64_t, kWindow> rates_{};
  size_t next_ = 0;
  uint64_t last_counter_ = 0;
  int64_t last_us_ = 0;
};

class ServerSamples {
 public:
  struct Counters {
    uint64_t commands = 0;
    uint64_t bytes_in = 0;
    uint64_t bytes_out = 0;
    uint64_t loop_turns = 0;
    uint64_t loop_micros = 0;  // at work, not waiting
  };
  void Sample(const Counters& counters);
  // Once, when everything is loaded: what the server takes without data of users.
  void MarkStarted();
  // INFO and cron tell what they have read of the allocator.
  void SawMemory(size_t bytes) { peak_bytes_ = bytes > peak_bytes_ ? bytes : peak_bytes_; }

  uint64_t commands_per_second() const { return commands_.PerSecond(); }
  uint64_t bytes_in_per_second() const { return bytes_in_.PerSecond(); }
  uint64_t bytes_out_per_second() const { return bytes_out_.PerSecond(); }
  uint64_t turns_per_second() const { return loop_turns_.PerSecond(); }
  // How long a turn of the loop works on average, microseconds.
  uint64_t turn_micros() const {
    const uint64_t turns = loop_turns_.PerSecond();
    return turns == 0 ? 0 : loop_micros_.PerSecond() / turns;
  }

  // The cron has removed expired keys for so long; `capped`: it had to stop for lack of time.
  void NoteExpireCycle(int64_t micros, bool capped) {
    expire_micros_ += micros;
    expire_caps_ += capped ? 1 : 0;
  }
  // Of so many keys with a time to live that it looked at, so many were over.
  void NoteStaleKeys(size_t seen, size_t stale) {
    // A mean of many slices, in which each next one weighs a twentieth.
    constexpr double kWeight = 0.05;
    const double share = seen == 0 ? 0 : static_cast<double>(stale) / static_cast<double>(seen);
    stale_share_ += (share - stale_share_) * kWeight;
  }
  // Estimate of how many of the keys with a time to live are over and still there, 0 to 1.
  double stale_share() const { return stale_share_; }
  int64_t expire_micros() const { return expire_micros_; }
  uint64_t expire_caps() const { return expire_caps_; }

  // A turn of the event loop ends; `commands`: of all turns so far.
  void NoteTurnEnd(uint64_t commands) {
    // A counter that was set back (CONFIG RESETSTAT) says nothing about this turn.
    if (commands - turn_commands_seen_ > turn_commands_max_ && commands > turn_commands_seen_)
        [[unlikely]] {
      turn_commands_max_ = commands - turn_commands_seen_;
    }
    turn_commands_seen_ = commands;
  }
  uint64_t turn_commands_max() const { return turn_commands_max_; }
  void NoteCron(int64_t nanos) { cron_nanos_ += nanos; }
  int64_t cron_nanos() const { return cron_nanos_; }
  // Writing of the append-only file at the end of a turn.
  void NoteAofWrite(int64_t nanos) { aof_nanos_ += nanos; }
  int64_t aof_nanos() const { return aof_nanos_; }

  size_t peak_bytes() const { return peak_bytes_; }
  size_t startup_bytes() const { return startup_bytes_; }
  // CONFIG RESETSTAT. Memory is no statistic. `lazy_freed`: values freed by the background thread
  // so far, which are counted from here on.
  void ResetCounters(uint64_t lazy_freed);
  uint64_t lazy_freed_before() const { return lazy_freed_before_; }

 private:
  RateMeter commands_;
  RateMeter bytes_in_;
  RateMeter bytes_out_;
  RateMeter loop_turns_;
  RateMeter loop_micros_;
  int64_t expire_micros_ = 0;
  uint64_t expire_caps_ = 0;
  double stale_share_ = 0;
  uint64_t turn_commands_seen_ = 0;
  uint64_t turn_commands_max_ = 0;
  int64_t cron_nanos_ = 0;
  int64_t aof_nanos_ = 0;
  uint64_t lazy_freed_before_ = 0;
  size_t peak_bytes_ = 0;
  size_t startup_bytes_ = 0;
};

}  // namespace backplane
