// SPDX-License-Identifier: BSD-3-Clause
// ExpireCycle: removes keys whose time is over although nobody asks for them. In short slices: a
// client is held by none for longer than that, however many keys expire at once. Made by the server
// for its cron. Engine thread.
#pragma once

#include <cstdint>

#include "net/event_loop.h"

namespace backplane {

class Engine;
class ServerSamples;

// What active-expire-effort (1 to 10) stands for.
struct ExpireEffort {
  explicit constexpr ExpireEffort(int64_t effort)
      : time_percent(25 + 2 * (effort - 1)), stale_percent(10 - (effort - 1)) {}
  int64_t time_percent;   // of the time, at most
  int64_t stale_percent;  // of the keys with a time to live may be over without a need to go on
};

class ExpireCycle final : public TimerHandler {
 public:
  // All outlive it.
  ExpireCycle(Engine* engine, EventLoop* loop, ServerSamples* samples)
      : engine_(engine), loop_(loop), samples_(samples) {}
  ~ExpireCycle() override;
  ExpireCycle(const ExpireCycle&) = delete;
  ExpireCycle& operator=(const ExpireCycle&) = delete;

  // One slice now; further ones follow for as long as they find enough to do.
  void Begin();

  int64_t OnTimer() override;

 private:
  // Whether there was more to do than it had time for.
  bool RunSlice();
  int64_t NextPauseMs();

  Engine* engine_;
  EventLoop* loop_;
  ServerSamples* samples_;
  EventLoop::TimerId timer_ = 0;
  int64_t pause_micros_ = 0;  // owed to the next pause
};

}  // namespace backplane
