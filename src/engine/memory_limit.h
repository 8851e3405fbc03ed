// SPDX-License-Identifier: BSD-3-Clause
// MemoryLimit: keeps the server's memory below `maxmemory`, by evicting keys before a command runs,
// and refuses commands that would take more when nothing can be evicted. Made by the server; the
// engine knows of it (Engine::memory_limit) while there is a limit. Engine thread.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/memory_meter.h"
#include "keyspace/eviction.h"
#include "net/event_loop.h"

namespace backplane {

class Command;
class Engine;
class Session;

class MemoryLimit final : private TimerHandler {
 public:
  static constexpr std::string_view kRefusal =
      "OOM command not allowed when used memory > 'maxmemory'.";

  // Both outlive it.
  MemoryLimit(Engine* engine, EventLoop* loop);
  ~MemoryLimit() override;
  MemoryLimit(const MemoryLimit&) = delete;
  MemoryLimit& operator=(const MemoryLimit&) = delete;

  // Settings have changed: the limit, the policy or how use is counted.
  void Apply();
  // Cron: takes in what other threads have allocated and freed.
  void OnCron() { meter_.Calibrate(); }

  // Makes room, and says whether the command may run in what there is.
  bool Allows(const Session& session, const Command& command);
  // Whether the last command found too little memory and no way to get more.
  bool exhausted() const { return exhausted_; }
  // Whether the policy may evict keys.
  bool evicts() const;
  // Memory in use as a part of the limit; 0 without one.
  double UsedShare() const;

  // For INFO: for how long memory was above the limit, in all and this time, ms.
  int64_t exceeded_ms() const;
  int64_t current_exceeded_ms() const;
  // CONFIG RESETSTAT.
  void ResetStats() { exceeded_micros_ = 0; }

 private:
  enum class Outcome : uint8_t { kEnough, kGoesOn, kExhausted };

  bool TooMuch() const;
  // Takes the allocator's figure, and what the lazy-free thread has done.
  void LookAgain();
  Outcome MakeRoom();
  Outcome EvictUntil(int64_t deadline_micros);
  Outcome WaitForLazyFree(int64_t deadline_micros);
  void Evict(const EvictionChooser::Victim& victim);
  int64_t PatienceMicros() const;
  void NoteExceeded(bool exceeded);
  int64_t OnTimer() override;

  Engine* engine_;
  EventLoop* loop_;
  MemoryMeter meter_;
  EvictionChooser chooser_;
  EventLoop::TimerId timer_ = 0;  // goes on evicting between commands
  // Roughly what was handed to the lazy-free thread and may be there still: it goes by itself.
  size_t leaving_bytes_ = 0;
  // What messages about the keys evicted in this go have taken (clients that track keys): more of
  // them would be the wrong answer to that.
  size_t told_bytes_ = 0;
  bool exhausted_ = false;
  bool evicting_ = false;
  int64_t exceeded_since_micros_ = 0;  // 0: it is not
  int64_t exceeded_micros_ = 0;
};

}  // namespace backplane
