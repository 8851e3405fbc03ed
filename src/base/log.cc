// SPDX-License-Identifier: BSD-3-Clause
// The log's head line and its outputs. spdlog's single-threaded sinks do the writing; the one lock
// is ours, because a fork has to be able to hold it.
#include "base/log.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <ctime>
#include <mutex>
#include <utility>

#include "base/clock.h"

namespace backplane {
namespace {

constexpr char kMarks[] = {'.', '-', '*', '#'};

// spdlog has no "notice"; its levels only carry ours through to the syslog sink.
spdlog::level::level_enum CarryLevel(LogLevel level) {
  return static_cast<spdlog::level::level_enum>(level);
}

class PrioritySyslogSink final : public spdlog::sinks::syslog_sink_st {
 public:
  PrioritySyslogSink(const std::string& ident, int facility)
      : spdlog::sinks::syslog_sink_st(ident, LOG_PID | LOG_NDELAY | LOG_NOWAIT, facility, false) {}

 protected:
  void sink_it_(const spdlog::details::log_msg& msg) override {
    constexpr int kPriorities[] = {LOG_DEBUG, LOG_INFO, LOG_NOTICE, LOG_WARNING};
    // The daemon's own limit is far below.
    const int size = static_cast<int>(std::min<size_t>(msg.payload.size(), 64 * 1024));
    ::syslog(kPriorities[static_cast<size_t>(msg.level)], "%.*s", size, msg.payload.data());
  }
};

using SinkPtr = std::unique_ptr<spdlog::sinks::sink>;

SinkPtr BareLines(SinkPtr sink) {
  sink->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));
  return sink;
}

// Which file a path leads to.
struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  friend bool operator==(const FileId&, const FileId&) = default;
};

FileId IdOf(const struct stat& info) { return {info.st_dev, info.st_ino}; }

}  // namespace

struct Logger::Output {
  std::mutex mutex;  // for all below
  SinkPtr sink = BareLines(std::make_unique<spdlog::sinks::stdout_sink_st>());
  std::string path;  // empty: standard output
  FileId file;
  SinkPtr syslog;
  std::atomic<int> fd = STDOUT_FILENO;  // what the sink writes to; without the mutex
  // The local time zone's distance from UTC. It is asked for again each quarter of an hour, not
  // each line: the C library takes a lock for it that a fork may leave locked.
  int64_t zone_slot = -1;
  int64_t zone_seconds = 0;

  Status Open(const std::string& wanted);
  void Write(LogLevel level, std::string_view line);
  void FollowRename();
  int64_t ZoneSeconds(int64_t now);
};

Status Logger::Output::Open(const std::string& wanted) {
  if (wanted.empty()) {
    sink = BareLines(std::make_unique<spdlog::sinks::stdout_sink_st>());
    path.clear();
    fd = STDOUT_FILENO;
    return {};
  }
  // Tried by hand first: spdlog makes missing folders, and tries again for 50 ms before it gives
  // up.
  const int tried = ::open(wanted.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (tried < 0) {
    return Fail(ErrorCode::kIo,
                fmt::format("can't open the log file {}: {}", wanted, std::strerror(errno)));
  }
  ::close(tried);
  FileId opened;
  int opened_fd = -1;
  spdlog::file_event_handlers handlers;
  handlers.after_open = [&](const spdlog::filename_t&, std::FILE* stream) {
    opened_fd = ::fileno(stream);
    struct stat info;
    if (::fstat(opened_fd, &info) == 0) opened = IdOf(info);
    ::fcntl(opened_fd, F_SETFD, FD_CLOEXEC);
  };
  try {
    sink = BareLines(std::make_unique<spdlog::sinks::basic_file_sink_st>(wanted, false, handlers));
  } catch (const spdlog::spdlog_ex& e) {
    return Fail(ErrorCode::kIo, e.what());
  }
  path = wanted;
  file = opened;
  fd = opened_fd;
  return {};
}

// Opens the file again when its path leads elsewhere by now.
void Logger::Output::FollowRename() {
  struct stat info;
  if (path.empty() || (::stat(path.c_str(), &info) == 0 && IdOf(info) == file)) return;
  // When that fails, the file with the old name goes on being written.
  (void)Open(std::string(path));
}

void Logger::Output::Write(LogLevel level, std::string_view line) {
  FollowRename();
  const spdlog::details::log_msg message(spdlog::log_clock::time_point{}, {}, {}, CarryLevel(level),
                                         {line.data(), line.size()});
  try {
    sink->log(message);
    sink->flush();
  } catch (const spdlog::spdlog_ex&) {
    // A full disk, mostly. There is nowhere to say so.
  }
}

int64_t Logger::Output::ZoneSeconds(int64_t now) {
  constexpr int64_t kSlotSeconds = 900;  // clocks change on quarters only
  if (now / kSlotSeconds != zone_slot) {
    zone_slot = now / kSlotSeconds;
    const std::time_t time = now;
    std::tm local;
    if (::localtime_r(&time, &local) != nullptr) zone_seconds = local.tm_gmtoff;
  }
  return zone_seconds;
}

Logger::Logger() : output_(std::make_unique<Output>()) {}
Logger::~Logger() = default;

Status Logger::OpenFile(const std::string& path) {
  const std::lock_guard lock(output_->mutex);
  return output_->Open(path);
}

Status Logger::Reopen() {
  const std::lock_guard lock(output_->mutex);
  return output_->Open(std::string(output_->path));
}

void Logger::OpenSyslog(const std::string& ident, int facility) {
  const std::lock_guard lock(output_->mutex);
  output_->syslog.reset();  // its end closes the log that the next one opens
  output_->syslog = std::make_unique<PrioritySyslogSink>(ident, facility);
}

void Logger::CloseSyslog() {
  const std::lock_guard lock(output_->mutex);
  output_->syslog.reset();
}

void Logger::Log(LogLevel level, std::string_view message) {
  if (!Enabled(level)) return;
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  namespace chrono = std::chrono;
  const std::lock_guard lock(output_->mutex);
  const int64_t now = WallMillis();
  const chrono::sys_time<chrono::milliseconds> local{
      chrono::milliseconds(now + output_->ZoneSeconds(now / 1000) * 1000)};
  const auto midnight = chrono::floor<chrono::days>(local);
  const chrono::year_month_day date(midnight);
  const chrono::hh_mm_ss time(local - midnight);
  fmt::memory_buffer line;
  fmt::format_to(std::back_inserter(line), "{}:{} {:02} {} {} {:02}:{:02}:{:02}.{:03} {} ",
                 ::getpid(), static_cast<char>(role_.load(std::memory_order_relaxed)),
                 static_cast<unsigned>(date.day()),
                 kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                 time.hours().count(), time.minutes().count(), time.seconds().count(),
                 time.subseconds().count(), kMarks[static_cast<size_t>(level)]);
  line.append(message.data(), message.data() + message.size());
  output_->Write(level, {line.data(), line.size()});
  if (output_->syslog == nullptr) return;
  output_->syslog->log(spdlog::details::log_msg(spdlog::log_clock::time_point{}, {}, {},
                                                CarryLevel(level),
                                                {message.data(), message.size()}));
}

void Logger::LogRaw(LogLevel level, std::string_view line) {
  if (!Enabled(level)) return;
  const std::lock_guard lock(output_->mutex);
  output_->Write(level, line);
}

void Logger::LogFromSignal(LogLevel level, std::string_view message) {
  if (!Enabled(level)) return;
  // Integers and text are formatted in place: no allocation, no locale.
  char line[256];
  const auto end = fmt::format_to_n(line, sizeof(line) - 1, "{}:signal-handler ({}) {}", ::getpid(),
                                    std::time(nullptr), message)
                       .out;
  *end = '\n';
  // What cannot be written is lost, as in Write.
  const ssize_t written = ::write(output_->fd, line, static_cast<size_t>(end + 1 - line));
  static_cast<void>(written);
}

Logger::ForkLock::ForkLock(Logger& logger) : logger_(logger) { logger_.output_->mutex.lock(); }
Logger::ForkLock::~ForkLock() { logger_.output_->mutex.unlock(); }

}  // namespace backplane
