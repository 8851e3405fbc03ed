// SPDX-License-Identifier: BSD-3-Clause
#include "engine/latency_monitor.h"

#include <algorithm>

#include "base/clock.h"

namespace backplane {

void LatencySeries::Add(int64_t time_s, int64_t millis) {
  max_millis_ = std::max(max_millis_, millis);
  if (size_ != 0) {
    Sample& last = samples_[(next_ + kMax - 1) % kMax];
    if (last.time_s == time_s) {
      last.millis = std::max(last.millis, millis);
      return;
    }
  }
  samples_[next_] = {time_s, millis};
  next_ = (next_ + 1) % kMax;
  size_ = std::min(size_ + 1, kMax);
}

void LatencyMonitor::Note(std::string_view event, int64_t micros) {
  constexpr int64_t kMicrosPerMs = 1000;
  constexpr int64_t kMsPerSecond = 1000;
  const int64_t millis = micros / kMicrosPerMs;
  if (!enabled() || millis < *threshold_ms_) return;
  auto it = events_.find(event);
  if (it == events_.end()) {
    if (events_.size() >= kEventsMax) return;
    it = events_.try_emplace(std::string(event)).first;
  }
  it->second.Add(WallMillis() / kMsPerSecond, millis);
}

const LatencySeries* LatencyMonitor::Find(std::string_view event) const {
  auto it = events_.find(event);
  return it == events_.end() ? nullptr : &it->second;
}

bool LatencyMonitor::Forget(std::string_view event) {
  auto it = events_.find(event);
  if (it == events_.end()) return false;
  events_.erase(it);
  return true;
}

LatencyTimer::LatencyTimer(LatencyMonitor* monitor)
    : monitor_(monitor), begin_micros_(monitor->enabled() ? MonotonicMicros() : 0) {}

void LatencyTimer::Note(std::string_view event) const {
  if (begin_micros_ != 0) monitor_->Note(event, MonotonicMicros() - begin_micros_);
}

}  // namespace backplane
