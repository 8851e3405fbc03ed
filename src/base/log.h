// SPDX-License-Identifier: BSD-3-Clause
// The server log, in the line format that tools know from Redis:
//
//   line = pid ":" role " " dd " " Mon " " yyyy " " hh:mm:ss.mmm " " mark " " message LF
//   role = "M" (master) | "S" (replica) | "C" (child of a fork) | "X" (sentinel)
//   mark = "." debug | "-" verbose | "*" notice | "#" warning
//
// and from a signal handler
//
//   line = pid ":signal-handler (" seconds since 1970 ") " message LF
//
// to standard output or a file, and to syslog when asked. A Logger is made in server/ and passed to
// whom it serves. Any thread; lines of threads do not mix. Each line is with the kernel when Log
// returns. A log file that was renamed or deleted (logrotate) is opened anew with the next line.
// What cannot be written is lost without an error: logging is never a reason to stop.
//
// A process with threads forks while it holds a ForkLock, so that the child never finds the log in
// the middle of a line.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace backplane {

// The names in the configuration: debug, verbose, notice, warning, nothing.
enum class LogLevel : uint8_t { kDebug, kVerbose, kNotice, kWarning, kNothing };

enum class LogRole : char { kMaster = 'M', kReplica = 'S', kChild = 'C', kSentinel = 'X' };

class Logger {
 public:
  // Writes to standard output, from kNotice up.
  Logger();
  Logger(const Logger&) = delete;
  Logger& operator=(const Logger&) = delete;
  ~Logger();

  // Lines below `level` are dropped; kNothing drops all. Callers with costly texts ask Enabled.
  void set_level(LogLevel level) { level_.store(level, std::memory_order_relaxed); }
  LogLevel level() const { return level_.load(std::memory_order_relaxed); }
  bool Enabled(LogLevel level) const {
    return level != LogLevel::kNothing && level >= this->level();
  }
  void set_role(LogRole role) { role_.store(role, std::memory_order_relaxed); }

  // Appends to the file at `path` from now on; an empty path: standard output. On kIo nothing
  // changes.
  Status OpenFile(const std::string& path);
  // Opens the file anew, as SIGHUP asks of other servers. Without need after a rename.
  Status Reopen();
  // Sends lines (without the head) to syslog too. `facility` is LOG_LOCAL0 and so on. Since the
  // system's syslog has one identity for a process, one Logger only may do it at a time.
  void OpenSyslog(const std::string& ident, int facility);
  void CloseSyslog();

  void Log(LogLevel level, std::string_view message);
  // A line without the head, for banners and reports of many lines. Not sent to syslog.
  void LogRaw(LogLevel level, std::string_view line);

  // Async-signal-safe: takes no lock and no memory, so the line may stand within another. Cut at
  // 200 bytes or so; not sent to syslog.
  void LogFromSignal(LogLevel level, std::string_view message);

  void Debug(std::string_view message) { Log(LogLevel::kDebug, message); }
  void Verbose(std::string_view message) { Log(LogLevel::kVerbose, message); }
  void Notice(std::string_view message) { Log(LogLevel::kNotice, message); }
  void Warning(std::string_view message) { Log(LogLevel::kWarning, message); }

  // Keeps all other threads out of the log. Lives in the thread that forks, across fork(); parent
  // and child each end theirs. That thread must not log meanwhile.
  class ForkLock {
   public:
    explicit ForkLock(Logger& logger);
    ForkLock(const ForkLock&) = delete;
    ForkLock& operator=(const ForkLock&) = delete;
    ~ForkLock();

   private:
    Logger& logger_;
  };

 private:
  struct Output;

  std::atomic<LogLevel> level_ = LogLevel::kNotice;
  std::atomic<LogRole> role_ = LogRole::kMaster;
  std::unique_ptr<Output> output_;
};

}  // namespace backplane
