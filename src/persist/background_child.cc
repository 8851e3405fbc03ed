// SPDX-License-Identifier: BSD-3-Clause
#include "persist/background_child.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>

#include "base/clock.h"

namespace backplane {
namespace {

constexpr int64_t kReportPeriodUs = 1'000'000;
// Measuring walks the page tables, which takes long for a large process: it may take this share of
// the time.
constexpr int64_t kMeasureShare = 100;

// Pages of this process that it shares with nobody and has written: what the fork cost in copies.
// 0 when the kernel does not say.
uint64_t PrivateDirtyBytes() {
  FILE* file = std::fopen("/proc/self/smaps_rollup", "re");
  if (file == nullptr) return 0;
  uint64_t kilobytes = 0;
  char line[256];
  while (std::fgets(line, sizeof(line), file) != nullptr) {
    unsigned long found;
    if (std::sscanf(line, "Private_Dirty: %lu", &found) == 1) kilobytes += found;
  }
  std::fclose(file);
  return kilobytes * 1024;
}

void PrepareChild(pid_t parent) {
  // A child that outlives its parent could put an old data set over what a new server has saved.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);
  // Ctrl-C reaches the whole group; the parent decides what becomes of the child.
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGTERM, SIG_DFL);
}

}  // namespace

void BackgroundChild::Reporter::Send(uint64_t keys) {
  const Report report{keys, cow_bytes_};
  // Smaller than PIPE_BUF, so whole or not at all; a full pipe loses progress, not the work.
  const ssize_t sent = write(fd_, &report, sizeof(report));
  static_cast<void>(sent);
}

void BackgroundChild::Reporter::Progress(uint64_t keys) {
  const int64_t now = MonotonicMicros();
  if (now < next_us_) return;
  cow_bytes_ = PrivateDirtyBytes();
  const int64_t took = MonotonicMicros() - now;
  next_us_ = now + std::max(kReportPeriodUs, took * kMeasureShare);
  Send(keys);
}

uint64_t BackgroundChild::Reporter::Final(uint64_t keys) {
  cow_bytes_ = PrivateDirtyBytes();
  Send(keys);
  return cow_bytes_;
}

Result<std::unique_ptr<BackgroundChild>> BackgroundChild::Start(Logger& logger, Work& work,
                                                                int64_t* fork_us) {
  int fds[2];
  if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0) {
    return Fail(ErrorCode::kIo, std::string("pipe: ") + std::strerror(errno));
  }
  const pid_t parent = getpid();
  const int64_t begin = MonotonicMicros();
  pid_t pid;
  {
    Logger::ForkLock lock(logger);
    pid = fork();
  }
  if (pid == 0) {
    close(fds[0]);
    PrepareChild(parent);
    logger.set_role(LogRole::kChild);
    Reporter reporter(fds[1]);
    // No destructors: everything here belongs to the parent.
    _exit(work.RunInChild(reporter) ? 0 : 1);
  }
  const int error = errno;
  *fork_us = MonotonicMicros() - begin;
  close(fds[1]);
  if (pid < 0) {
    close(fds[0]);
    return Fail(ErrorCode::kIo, std::string("fork: ") + std::strerror(error));
  }
  return std::unique_ptr<BackgroundChild>(new BackgroundChild(pid, fds[0]));
}

BackgroundChild::~BackgroundChild() {
  Kill();
  close(fd_);
}

void BackgroundChild::ReadReports() {
  Report report;
  while (read(fd_, &report, sizeof(report)) == static_cast<ssize_t>(sizeof(report))) {
    report_ = report;
    reported_us_ = MonotonicMicros();
    cow_peak_ = std::max(cow_peak_, report.cow_bytes);
  }
}

std::optional<BackgroundChild::Exit> BackgroundChild::Poll() {
  int status = 0;
  const pid_t ended = reaped_ ? pid_ : waitpid(pid_, &status, WNOHANG);
  // After the wait: what the child sent before it ended is in the pipe now.
  ReadReports();
  if (ended == 0 || (ended < 0 && errno == EINTR)) return std::nullopt;
  reaped_ = true;
  // Somebody else reaped it: nobody knows how it ended, so it counts as failed.
  if (ended < 0) return Exit{};
  if (WIFSIGNALED(status)) return Exit{false, WTERMSIG(status)};
  return Exit{WIFEXITED(status) && WEXITSTATUS(status) == 0, 0};
}

void BackgroundChild::Kill() {
  if (reaped_) return;
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
  reaped_ = true;
}

}  // namespace backplane
