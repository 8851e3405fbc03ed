// SPDX-License-Identifier: BSD-3-Clause
// LazyFree: a thread that destroys big values and whole tables off the engine thread. Push from the
// engine thread only.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

namespace backplane {

// Something whose destructor is the work.
class Garbage {
 public:
  virtual ~Garbage() = default;
  // Objects counted in INFO's lazyfree_pending_objects.
  virtual size_t objects() const { return 1; }
};

class LazyFree {
 public:
  LazyFree() = default;
  LazyFree(const LazyFree&) = delete;
  LazyFree& operator=(const LazyFree&) = delete;
  // Finishes all work.
  ~LazyFree();

  // The thread is started by the first push, so that a forked child or a unit test that never
  // pushes has none.
  void Push(std::unique_ptr<Garbage> garbage);
  // Waits until everything pushed has been freed.
  void Drain();
  size_t pending_objects() const { return pending_.load(std::memory_order_relaxed); }
  size_t freed_objects() const { return freed_.load(std::memory_order_relaxed); }

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable idle_;
  std::deque<std::unique_ptr<Garbage>> queue_;
  bool busy_ = false;
  bool stop_ = false;
  std::thread thread_;
  std::atomic<size_t> pending_{0};
  std::atomic<size_t> freed_{0};
};

}  // namespace backplane
