// SPDX-License-Identifier: BSD-3-Clause
// The lazy-free thread.
#include "keyspace/lazy_free.h"

namespace backplane {

LazyFree::~LazyFree() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void LazyFree::Push(std::unique_ptr<Garbage> garbage) {
  pending_.fetch_add(garbage->objects(), std::memory_order_relaxed);
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(garbage));
    if (!thread_.joinable()) thread_ = std::thread(&LazyFree::Run, this);
  }
  wake_.notify_one();
}

void LazyFree::Drain() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return queue_.empty() && !busy_; });
}

void LazyFree::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_.wait(lock, [this] { return stop_ || !queue_.empty(); });
    if (queue_.empty()) return;
    std::unique_ptr<Garbage> garbage = std::move(queue_.front());
    queue_.pop_front();
    busy_ = true;
    lock.unlock();
    size_t objects = garbage->objects();
    garbage.reset();
    pending_.fetch_sub(objects, std::memory_order_relaxed);
    freed_.fetch_add(objects, std::memory_order_relaxed);
    lock.lock();
    busy_ = false;
    if (queue_.empty()) idle_.notify_all();
  }
}

}  // namespace backplane
