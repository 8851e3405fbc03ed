// SPDX-License-Identifier: BSD-3-Clause
// EventLoop: epoll, timers and the two hooks around waiting. The engine thread runs one; everything
// on it happens on that thread, but Wake(), which any thread may call.
//
// One turn: before-wait hook (flush replies, give the host lock up) -> epoll_wait -> after-wait
// hook (take the lock, read the clock) -> fd handlers -> due timers -> deferred work.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/result.h"

struct epoll_event;

namespace backplane {

class EventLoop;

// Gets the events of one file descriptor. Not owned by the loop.
class FdHandler {
 public:
  virtual ~FdHandler() = default;
  // `events` as epoll reports them (EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP). May remove itself and
  // others from the loop.
  virtual void OnEvents(uint32_t events) = 0;
};

class TimerHandler {
 public:
  virtual ~TimerHandler() = default;
  // Returns the delay in ms until the next call, or a negative number to end (the loop then has
  // forgotten the timer).
  virtual int64_t OnTimer() = 0;
};

// Runs around epoll_wait.
class LoopHook {
 public:
  virtual ~LoopHook() = default;
  // May say how long to wait at most: 0 when there is work left for the next turn, -1 when it does
  // not care.
  virtual int BeforeWait() = 0;
  virtual void AfterWait() = 0;
  // After the events of the turn have been delivered, before its timers.
  virtual void AfterEvents() {}
};

class EventLoop {
 public:
  using TimerId = uint64_t;

  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // `events` as epoll takes them: EPOLLIN, EPOLLOUT, EPOLLRDHUP; level-triggered without EPOLLET.
  // One handler per fd. Errors: kIo.
  Status Add(int fd, uint32_t events, FdHandler* handler);
  // What holds is told again, edges too.
  Status Modify(int fd, uint32_t events);
  // No event of this fd is delivered any more, not even one of the current turn.
  void Remove(int fd);

  // In a forked child, before anything else of the loop: what is added, removed and woken from now
  // on is the child's own business. The descriptors of the parent are watched by the parent alone.
  void DetachInForkedChild();

  // A handler called once after delay_ms, then as OnTimer says. Not owned; remove it before it
  // dies.
  TimerId AddTimer(int64_t delay_ms, TimerHandler* handler);
  // False when it is not there (any more). A timer may remove itself.
  bool RemoveTimer(TimerId id);
  // Milliseconds until it is due; -1 when unknown.
  int64_t TimerRemaining(TimerId id) const;

  // Hooks run in order of adding before a wait, in reverse order after it. Not owned.
  void AddHook(LoopHook* hook);
  void RemoveHook(LoopHook* hook);

  // Until Stop.
  void Run();
  // One turn, waiting at most `wait_ms` (0: not at all). For Run, and for serving while loading or
  // in a busy script.
  void RunOnce(int wait_ms);
  // Delivers what the descriptors have to say now, without waiting, timers and hooks (but
  // AfterEvents, which belongs to the events): for serving clients within a long command.
  void PollOnce();
  void Stop();
  bool stopping() const;
  // Ends the current wait soon. Any thread, signal handlers too.
  void Wake();

  // Monotonic ms at the begin of the turn.
  int64_t now_ms() const { return now_ms_; }
  // Monotonic ns: when this turn began; 0 while the loop waits.
  int64_t turn_began_nanos() const { return turn_began_nanos_; }

  // Turns that have ended: from the end of one wait to the begin of the next. What a client waits
  // for beyond its own work is at most the longest.
  struct TurnStats {
    uint64_t turns = 0;
    int64_t busy_nanos = 0;
    int64_t longest_nanos = 0;
  };
  const TurnStats& turn_stats() const { return turn_stats_; }
  void ResetTurnStats() { turn_stats_ = {}; }

 private:
  void CountTurn(int64_t now_nanos);
  void DeliverAll(const epoll_event* events, int count);

  struct Impl;
  std::unique_ptr<Impl> impl_;
  int64_t now_ms_ = 0;
  int64_t turn_began_nanos_ = 0;  // 0: waiting
  TurnStats turn_stats_;
};

}  // namespace backplane
