// SPDX-License-Identifier: BSD-3-Clause
// WriteAccess: a fork takes the write access from every page of the process, and each page's first
// write afterwards is a fault, although the child may be long gone. Whoever is about to write to
// most of the memory in one go gets it back here before, on a thread, in calls for many pages.
//
// Only while no forked child lives: otherwise pages are copied. Engine thread.
#pragma once

#include <atomic>
#include <thread>

namespace backplane {

class WriteAccess {
 public:
  // Begins. Does nothing where the kernel cannot (before Linux 5.14).
  WriteAccess();
  // Stops, if it is not done.
  ~WriteAccess();
  WriteAccess(const WriteAccess&) = delete;
  WriteAccess& operator=(const WriteAccess&) = delete;

  bool done() const { return done_.load(std::memory_order_acquire); }

 private:
  void Run();
  bool Restore(uintptr_t begin, uintptr_t end, int pagemap);

  std::atomic<bool> stop_{false};
  std::atomic<bool> done_{false};
  std::thread thread_;
};

}  // namespace backplane
