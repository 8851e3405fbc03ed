// SPDX-License-Identifier: BSD-3-Clause
// HostLock: what modules know as the GIL. The engine thread holds it always but while it waits for
// events; threads of modules take it to touch data. Made with the engine thread holding it.
//
// The engine goes first: a thread that takes the lock in a loop lets the engine in between two
// turns, so commands do not starve.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <thread>

namespace backplane {

class HostLock {
 public:
  // The calling thread is the engine thread and holds the lock from now on.
  HostLock();
  ~HostLock();
  HostLock(const HostLock&) = delete;
  HostLock& operator=(const HostLock&) = delete;

  // Engine thread, around waiting.
  void EngineRelease();
  void EngineTake();

  // Any other thread.
  void Take();
  bool TryTake();
  void Release();

  bool OnEngineThread() const { return std::this_thread::get_id() == engine_thread_; }

 private:
  std::mutex mutex_;
  std::thread::id engine_thread_;
  std::atomic<bool> engine_waits_{false};
};

}  // namespace backplane
