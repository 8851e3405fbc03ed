// SPDX-License-Identifier: BSD-3-Clause
// IoThreads: helpers that work a batch of small jobs off together with the engine thread, which
// goes on when all are done. ConnectionSet reads and writes many sockets at once with it
// (docs/design/io-threads.md). Made and used by the engine thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

namespace backplane {

class IoThreads {
 public:
  class Batch {
   public:
    virtual ~Batch() = default;
    // On any of the threads. Each index is done once, by one thread.
    virtual void Do(size_t index) = 0;
  };

  // `count` threads together with the caller's, at least 1: count - 1 are started.
  explicit IoThreads(int count);
  ~IoThreads();
  IoThreads(const IoThreads&) = delete;
  IoThreads& operator=(const IoThreads&) = delete;

  int count() const { return static_cast<int>(threads_.size()) + 1; }
  // Does 0 to count-1 of the batch and returns when that is done. What the caller wrote before is
  // seen by the jobs, and what they wrote by the caller afterwards. Not to be called by a job.
  void Run(Batch& batch, size_t count);

 private:
  void Help();
  static void Work(Batch& batch, size_t count, std::atomic<size_t>& next);

  std::mutex mutex_;  // never held while a job runs
  std::condition_variable has_work_;
  std::condition_variable all_left_;
  Batch* batch_ = nullptr;  // open to be joined
  size_t size_ = 0;
  uint64_t generation_ = 0;  // of batches
  size_t helping_ = 0;       // threads that have joined and not left
  bool stop_ = false;
  std::atomic<size_t> next_{0};  // the first index that nobody has taken
  std::vector<std::thread> threads_;
};

}  // namespace backplane
