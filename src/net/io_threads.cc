// SPDX-License-Identifier: BSD-3-Clause
// IoThreads: a batch is open while its owner works on it. A helper that wakes up in time joins; one
// that is late finds it closed, so that nobody waits for a thread that has nothing to do.
#include "net/io_threads.h"

#include <algorithm>
#include <csignal>

namespace backplane {

IoThreads::IoThreads(int count) {
  // Signals are the engine thread's.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  for (int i = 1; i < count; ++i) threads_.emplace_back([this] { Help(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

IoThreads::~IoThreads() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  has_work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void IoThreads::Work(Batch& batch, size_t count, std::atomic<size_t>& next) {
  for (;;) {
    const size_t index = next.fetch_add(1, std::memory_order_relaxed);
    if (index >= count) return;
    batch.Do(index);
  }
}

void IoThreads::Help() {
  uint64_t seen = 0;
  std::unique_lock lock(mutex_);
  for (;;) {
    has_work_.wait(lock, [&] { return stop_ || (batch_ != nullptr && generation_ != seen); });
    if (stop_) return;
    seen = generation_;
    Batch& batch = *batch_;
    const size_t count = size_;
    ++helping_;
    lock.unlock();
    Work(batch, count, next_);
    lock.lock();
    if (--helping_ == 0) all_left_.notify_one();
  }
}

void IoThreads::Run(Batch& batch, size_t count) {
  if (threads_.empty() || count < 2) {
    for (size_t i = 0; i < count; ++i) batch.Do(i);
    return;
  }
  {
    std::lock_guard lock(mutex_);
    next_.store(0, std::memory_order_relaxed);
    batch_ = &batch;
    size_ = count;
    ++generation_;
  }
  const size_t helpers = std::min(threads_.size(), count - 1);
  for (size_t i = 0; i < helpers; ++i) has_work_.notify_one();
  Work(batch, count, next_);
  std::unique_lock lock(mutex_);
  batch_ = nullptr;
  all_left_.wait(lock, [&] { return helping_ == 0; });
}

}  // namespace backplane
