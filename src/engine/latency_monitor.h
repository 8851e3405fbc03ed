// SPDX-License-Identifier: BSD-3-Clause
// LatencyMonitor: for each kind of event that can hold the server up, the last times it did, no
// shorter than latency-monitor-threshold. Whoever runs such an event reports it here; LATENCY
// reads. Engine thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace backplane {

// The samples of one event, the last kMax seconds in which there was one.
class LatencySeries {
 public:
  struct Sample {
    int64_t time_s = 0;  // wall time
    int64_t millis = 0;
  };
  static constexpr size_t kMax = 160;

  // Of one second the longest counts.
  void Add(int64_t time_s, int64_t millis);
  size_t size() const { return size_; }
  // 0 is the oldest one. REQUIRES: i < size().
  const Sample& at(size_t i) const { return samples_[(next_ + kMax - size_ + i) % kMax]; }
  const Sample& latest() const { return at(size_ - 1); }
  int64_t max_millis() const { return max_millis_; }

 private:
  std::array<Sample, kMax> samples_;
  size_t size_ = 0;
  size_t next_ = 0;
  int64_t max_millis_ = 0;  // ever
};

class LatencyMonitor {
 public:
  // `threshold_ms` is the setting, read at each event.
  explicit LatencyMonitor(const int64_t* threshold_ms) : threshold_ms_(threshold_ms) {}

  bool enabled() const { return *threshold_ms_ > 0; }
  int64_t threshold_ms() const { return *threshold_ms_; }
  // Modules name events of their own; of more kinds than this nothing is kept.
  static constexpr size_t kEventsMax = 256;
  // Keeps the event if it was long enough.
  void Note(std::string_view event, int64_t micros);

  using Events = std::map<std::string, LatencySeries, std::less<>>;
  const Events& events() const { return events_; }
  // Null when it never happened.
  const LatencySeries* Find(std::string_view event) const;
  // False when it never happened.
  bool Forget(std::string_view event);
  void ForgetAll() { events_.clear(); }

 private:
  const int64_t* threshold_ms_;
  Events events_;
};

// Times an act for the monitor: makes no system call while the monitor is off.
class LatencyTimer {
 public:
  explicit LatencyTimer(LatencyMonitor* monitor);
  // Reports what has passed since it was made.
  void Note(std::string_view event) const;

 private:
  LatencyMonitor* monitor_;
  int64_t begin_micros_;  // 0: the monitor was off
};

}  // namespace backplane
