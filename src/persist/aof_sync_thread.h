// SPDX-License-Identifier: BSD-3-Clause
// AofSyncThread: forces the append-only file to the disk, closes its files and removes old ones,
// where nobody waits for it. One thread, made with the first job; jobs are done in order. Each job
// carries a mark, a number that only rises: once a job is done, everything up to its mark is on the
// disk. Used by AofLog and AppendOnly. Engine thread; a forked child must not use it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace backplane {

class AofSyncThread {
 public:
  AofSyncThread() = default;
  AofSyncThread(const AofSyncThread&) = delete;
  AofSyncThread& operator=(const AofSyncThread&) = delete;
  // Does what is left to do.
  ~AofSyncThread();

  // Called on the thread after each sync: may only do what any thread may.
  void set_on_synced(std::function<void()> call) { on_synced_ = std::move(call); }

  // The descriptor stays open until the job is done.
  void Sync(int fd, uint64_t mark) { Push({fd, mark, false, {}}); }
  // Takes the descriptor.
  void SyncAndClose(int fd, uint64_t mark) { Push({fd, mark, true, {}}); }
  void Unlink(std::string path) { Push({-1, 0, false, std::move(path)}); }

  // Syncs that are not done yet.
  int pending_syncs() const { return pending_syncs_.load(std::memory_order_acquire); }
  uint64_t synced_mark() const { return synced_mark_.load(std::memory_order_acquire); }
  // errno of the last sync; 0: it went well.
  int error() const { return error_.load(std::memory_order_acquire); }
  // What failed before does not count: it was done otherwise.
  void ClearError() { error_.store(0, std::memory_order_release); }
  // Returns when everything is done.
  void Drain();

 private:
  struct Job {
    int fd;
    uint64_t mark;
    bool close;
    std::string unlink;
  };
  void Push(Job job);
  void Run();
  void Do(const Job& job);

  std::function<void()> on_synced_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  bool busy_ = false;
  bool stop_ = false;
  std::atomic<int> pending_syncs_ = 0;
  std::atomic<uint64_t> synced_mark_ = 0;
  std::atomic<int> error_ = 0;
  std::thread thread_;
};

// fdatasync, which a file that cannot be forced (a pipe) counts as passing. errno, or 0.
int SyncAofFile(int fd);

}  // namespace backplane
