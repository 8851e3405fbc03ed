// SPDX-License-Identifier: BSD-3-Clause
// BackgroundChild: a forked process that sees the data as they were at the fork, and tells its
// parent through a pipe how far it is and how much memory had to be copied since. Persistence uses
// it for BGSAVE. Engine thread of the parent; the child has one thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "base/log.h"
#include "base/result.h"

namespace backplane {

class BackgroundChild {
 public:
  // What the child tells; the latest counts.
  struct Report {
    uint64_t keys = 0;
    uint64_t cow_bytes = 0;
  };

  // The child's end of the pipe.
  class Reporter {
   public:
    explicit Reporter(int fd) : fd_(fd) {}
    // Sends keys processed, and with it, at most once a second, the copied bytes.
    void Progress(uint64_t keys);
    // Measures and sends for the last time; returns the copied bytes.
    uint64_t Final(uint64_t keys);

   private:
    void Send(uint64_t keys);

    int fd_;
    uint64_t cow_bytes_ = 0;
    int64_t next_us_ = 0;
  };

  // What the child does.
  class Work {
   public:
    virtual ~Work() = default;
    // The child's exit status is 0 for true, 1 for false.
    virtual bool RunInChild(Reporter& reporter) = 0;
  };

  struct Exit {
    bool ok = false;
    int signal = 0;  // that ended it; 0: none
  };

  // Forks and, in the child, runs `work` and exits without returning. REQUIRES: other threads that
  // touch the data stand still. *fork_us: how long fork() took. kIo: it failed.
  static Result<std::unique_ptr<BackgroundChild>> Start(Logger& logger, Work& work,
                                                        int64_t* fork_us);
  BackgroundChild(const BackgroundChild&) = delete;
  BackgroundChild& operator=(const BackgroundChild&) = delete;
  // A child that still runs is killed and reaped.
  ~BackgroundChild();

  pid_t pid() const { return pid_; }
  const Report& report() const { return report_; }
  // Monotonic microseconds of the last report; 0: none yet.
  int64_t reported_us() const { return reported_us_; }
  uint64_t cow_peak() const { return cow_peak_; }

  // Reads reports, and the exit status when the child has ended. Never blocks.
  std::optional<Exit> Poll();
  // Ends it and waits until it is gone.
  void Kill();

 private:
  BackgroundChild(pid_t pid, int fd) : pid_(pid), fd_(fd) {}
  void ReadReports();

  pid_t pid_;
  int fd_;
  bool reaped_ = false;
  Report report_;
  int64_t reported_us_ = 0;
  uint64_t cow_peak_ = 0;
};

}  // namespace backplane
