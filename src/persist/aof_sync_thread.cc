// SPDX-License-Identifier: BSD-3-Clause
#include "persist/aof_sync_thread.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <utility>

namespace backplane {

int SyncAofFile(int fd) {
  while (fdatasync(fd) != 0) {
    if (errno == EINTR) continue;
    return errno == EINVAL || errno == EROFS ? 0 : errno;
  }
  return 0;
}

AofSyncThread::~AofSyncThread() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void AofSyncThread::Push(Job job) {
  if (job.fd >= 0) pending_syncs_.fetch_add(1, std::memory_order_acq_rel);
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  if (!thread_.joinable()) {
    // Signals are for the engine thread.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { Run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  changed_.notify_all();
}

void AofSyncThread::Drain() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return jobs_.empty() && !busy_; });
}

void AofSyncThread::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stop_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    busy_ = true;
    lock.unlock();
    Do(job);
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

void AofSyncThread::Do(const Job& job) {
  if (!job.unlink.empty()) unlink(job.unlink.c_str());
  if (job.fd < 0) return;
  const int error = SyncAofFile(job.fd);
  if (job.close) close(job.fd);
  error_.store(error, std::memory_order_release);
  if (error == 0 && job.mark > synced_mark_.load(std::memory_order_relaxed)) {
    synced_mark_.store(job.mark, std::memory_order_release);
  }
  pending_syncs_.fetch_sub(1, std::memory_order_acq_rel);
  if (on_synced_) on_synced_();
}

}  // namespace backplane
