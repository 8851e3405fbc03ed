// SPDX-License-Identifier: BSD-3-Clause
// HostLock.
#include "modhost/host_lock.h"

namespace backplane {

HostLock::HostLock() : engine_thread_(std::this_thread::get_id()) { mutex_.lock(); }
HostLock::~HostLock() { mutex_.unlock(); }

void HostLock::EngineRelease() { mutex_.unlock(); }

void HostLock::EngineTake() {
  if (mutex_.try_lock()) return;
  engine_waits_.store(true, std::memory_order_relaxed);
  mutex_.lock();
  engine_waits_.store(false, std::memory_order_relaxed);
  engine_waits_.notify_all();
}

void HostLock::Take() {
  engine_waits_.wait(true, std::memory_order_relaxed);
  mutex_.lock();
}

bool HostLock::TryTake() {
  return !engine_waits_.load(std::memory_order_relaxed) && mutex_.try_lock();
}

void HostLock::Release() { mutex_.unlock(); }

}  // namespace backplane
