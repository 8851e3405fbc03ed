// SPDX-License-Identifier: BSD-3-Clause
// Timers and one-shot calls of modules on the event loop. A thread that holds the host lock may
// make and stop timers too: the loop itself is touched by the engine thread only, so such a timer
// waits in a list until the loop turns (Arm). Under the host lock.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "modhost/api_signatures.h"
#include "modhost/registration.h"
#include "net/event_loop.h"

namespace backplane {

class ModuleHost;
class ModuleTimers;

class ModuleTimer final : public Registration, public TimerHandler {
 public:
  ModuleTimer(Module* module, ModuleTimers* timers, uint64_t id, int64_t due_ms, int db,
              RedisModuleTimerProc callback, void* data);
  ~ModuleTimer() override;
  const char* kind() const override { return "timer"; }
  int64_t OnTimer() override;

  uint64_t id() const { return id_; }
  void* data() const { return data_; }
  int64_t due_ms() const { return due_ms_; }

 private:
  friend class ModuleTimers;
  ModuleTimers* timers_;
  uint64_t id_;
  int64_t due_ms_;  // monotonic
  int db_;          // where its callback works
  RedisModuleTimerProc callback_;
  void* data_;
  EventLoop::TimerId armed_ = 0;
};

class ModuleTimers {
 public:
  ModuleTimers(ModuleHost* host, EventLoop* loop) : host_(host), loop_(loop) {}

  uint64_t Create(Module* module, int64_t period_ms, int db, RedisModuleTimerProc callback,
                  void* data);
  // Null when there is none (any more) or it is another module's.
  ModuleTimer* Find(const Module* module, uint64_t id) const;
  size_t size() const { return by_id_.size(); }
  // Engine thread, once a turn: gives the loop what other threads changed.
  void Arm();

 private:
  friend class ModuleTimer;
  void ArmTimer(ModuleTimer* timer);

  ModuleHost* host_;
  EventLoop* loop_;
  uint64_t next_id_ = 1;
  std::unordered_map<uint64_t, ModuleTimer*> by_id_;
  std::vector<ModuleTimer*> to_arm_;
  std::vector<EventLoop::TimerId> to_remove_;
};

// EventLoopAddOneShot: any thread, no lock.
class OneShots {
 public:
  explicit OneShots(EventLoop* loop) : loop_(loop) {}
  void Add(Module* module, RedisModuleEventLoopOneShotFunc callback, void* data);
  // Engine thread.
  void Run();
  // Calls of a module that goes are dropped.
  void Forget(const Module* module);

 private:
  struct Call {
    Module* module;
    RedisModuleEventLoopOneShotFunc callback;
    void* data;
  };
  EventLoop* loop_;
  std::mutex mutex_;
  std::vector<Call> calls_;
  std::deque<Call> due_;  // engine thread: being run, in order
};

}  // namespace backplane
