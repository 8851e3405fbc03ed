// SPDX-License-Identifier: BSD-3-Clause
// HostLock: what modules know as the GIL. The engine thread holds it always but while it waits for
// events; threads of modules take it to touch data. Made with the engine thread holding it.
//
// The engine goes first: a thread that takes the lock in a loop lets the engine in between two
// turns, so commands do not starve.
//
// A word of its own instead of std::mutex: modules take and release it around every small thing,
// and without a contender that is one compare-and-swap and one exchange, inlined.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

namespace backplane {

class HostLock {
 public:
  // The calling thread is the engine thread and holds the lock from now on.
  HostLock() : engine_thread_(std::this_thread::get_id()) {}
  HostLock(const HostLock&) = delete;
  HostLock& operator=(const HostLock&) = delete;

  // Engine thread, around waiting.
  void EngineRelease() { Release(); }
  void EngineTake() {
    if (!TryWord()) EngineTakeSlow();
  }

  // Any other thread.
  void Take() {
    if (engine_waits_.load(std::memory_order_relaxed) != 0 || !TryWord()) TakeSlow();
  }
  bool TryTake() { return engine_waits_.load(std::memory_order_relaxed) == 0 && TryWord(); }
  // REQUIRES: the caller holds it. A module that releases what nobody holds changes nothing.
  void Release() {
    if (word_.exchange(kFree, std::memory_order_release) == kContended) [[unlikely]]
      word_.notify_one();
  }

  bool OnEngineThread() const { return std::this_thread::get_id() == engine_thread_; }

 private:
  static constexpr uint32_t kFree = 0;
  static constexpr uint32_t kTaken = 1;
  static constexpr uint32_t kContended = 2;  // taken, and somebody may sleep for it

  bool TryWord() {
    uint32_t expected = kFree;
    return word_.compare_exchange_strong(expected, kTaken, std::memory_order_acquire,
                                         std::memory_order_relaxed);
  }
  void SleepForWord();
  void EngineTakeSlow();
  void TakeSlow();

  std::atomic<uint32_t> word_{kTaken};
  std::atomic<uint32_t> engine_waits_{0};
  std::thread::id engine_thread_;
};

}  // namespace backplane
