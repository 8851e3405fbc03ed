// SPDX-License-Identifier: BSD-3-Clause
#include "persist/aof_log.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/assert.h"
#include "base/clock.h"
#include "base/numbers.h"
#include "engine/call_records.h"
#include "persist/aof_format.h"

namespace backplane {
namespace {

constexpr int64_t kSecondUs = 1'000'000;
constexpr int64_t kPostponeUsMax = 2 * kSecondUs;
// A failed write is tried again, and told in the log, so often.
constexpr int64_t kRetryUs = kSecondUs;
constexpr int64_t kLogPeriodUs = 30 * kSecondUs;
// Memory that a large transaction has taken is given back beyond this.
constexpr size_t kBufferKept = size_t{1} << 20;

// Returns how much was written; *error: why not all. One call of the system takes two gigabytes at
// most.
size_t WriteAll(int fd, std::string_view bytes, int* error) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t wrote = write(fd, bytes.data() + done, bytes.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) {
      *error = errno;
      break;
    }
    done += static_cast<size_t>(wrote);
  }
  return done;
}

}  // namespace

AofLog::AofLog(Engine& engine, AofSyncThread& sync, const Owner& owner)
    : engine_(engine), sync_(sync), owner_(owner) {}

AofLog::~AofLog() { Abandon(); }

void AofLog::Open(int fd, uint64_t size) {
  BP_ASSERT(fd_ < 0);
  fd_ = fd;
  size_ = size;
  selected_db_ = -1;
  noted_second_ = 0;
  write_error_ = 0;
  postponed_since_us_ = 0;
  last_sync_us_ = MonotonicMicros();
}

bool AofLog::Rotate(int fd) {
  Flush(true);
  if (!buffer_.empty()) return false;
  sync_.SyncAndClose(fd_, written_mark_);
  requested_mark_ = written_mark_;
  fd_ = -1;
  Open(fd, 0);
  return true;
}

void AofLog::Close() {
  if (fd_ < 0) return;
  FlushAndSync();
  Abandon();
}

void AofLog::Abandon() {
  if (fd_ < 0) return;
  // The thread may be at this descriptor.
  sync_.Drain();
  close(fd_);
  fd_ = -1;
  size_ = 0;
  std::string().swap(buffer_);
  write_error_ = 0;
}

void AofLog::OnCommand(int db, std::span<const std::string_view> args) {
  if (fd_ < 0) return;
  if (engine_.settings().aof_timestamp_enabled) {
    const int64_t second = engine_.keyspace().now_ms() / 1000;
    if (second > noted_second_) {
      AppendAofTimestamp(second, &buffer_);
      noted_second_ = second;
    }
  }
  if (db >= 0 && db != selected_db_) {
    char text[kNumberTextMax];
    const std::string_view select[] = {"SELECT", {text, Int64ToText(db, text)}};
    AppendAofCommand(select, &buffer_);
    selected_db_ = db;
  }
  AppendAofCommand(args, &buffer_);
}

uint64_t AofLog::synced_mark() const { return std::max(synced_mark_, sync_.synced_mark()); }

int AofLog::error() const {
  if (fd_ < 0) return 0;
  if (write_error_ != 0 || policy() == AppendFsync::kNo) return write_error_;
  return sync_.error();
}

bool AofLog::Postpone(bool force) {
  if (force || policy() != AppendFsync::kEverySecond || sync_.pending_syncs() == 0) {
    postponed_since_us_ = 0;
    return false;
  }
  const int64_t now = MonotonicMicros();
  if (postponed_since_us_ == 0) postponed_since_us_ = now;
  if (now - postponed_since_us_ < kPostponeUsMax) return true;
  postponed_since_us_ = 0;
  ++delayed_syncs_;
  engine_.logger().Notice(
      "Asynchronous AOF fsync is taking too long (disk is busy?). Writing the AOF buffer without "
      "waiting for fsync to complete, this may slow down Backplane.");
  return false;
}

void AofLog::Flush(bool force) {
  if (fd_ < 0) return;
  if (buffer_.empty()) {
    // What was sent and is not in memory was not for this file, or is in it.
    written_mark_ = engine_.propagation().commands_sent();
    SyncByPolicy();
    return;
  }
  if (write_error_ != 0 && !force && MonotonicMicros() < retry_us_) return;
  if (Postpone(force)) return;
  if (flush_sleep_us_ > 0) [[unlikely]]
    usleep(static_cast<useconds_t>(flush_sleep_us_));
  if (Write()) SyncByPolicy();
}

bool AofLog::Write() {
  const bool syncing = sync_.pending_syncs() > 0;
  const LatencyTimer timer(&engine_.records().latency());
  int error = 0;
  const size_t wrote = WriteAll(fd_, buffer_, &error);
  timer.Note("aof-write");
  timer.Note(syncing                ? "aof-write-pending-fsync"
             : owner_.ChildActive() ? "aof-write-active-child"
                                    : "aof-write-alone");
  if (wrote != buffer_.size()) {
    WriteFailed(wrote, error);
    return false;
  }
  if (write_error_ != 0) {
    write_error_ = 0;
    engine_.logger().Warning("AOF write error looks solved, Backplane can write again.");
  }
  engine_.set_aof_error(this->error());
  size_ += buffer_.size();
  written_mark_ = engine_.propagation().commands_sent();
  buffer_.clear();
  if (buffer_.capacity() > kBufferKept) std::string().swap(buffer_);
  return true;
}

void AofLog::WriteFailed(size_t wrote, int error) {
  if (wrote == 0) {
    LogRarely(std::string("Error writing to the AOF file: ") + std::strerror(error));
  } else {
    LogRarely("Short write while writing to the AOF file: (nwritten=" + std::to_string(wrote) +
              ", expected=" + std::to_string(buffer_.size()) + ")");
    error = ENOSPC;
    if (ftruncate(fd_, static_cast<off_t>(size_)) == 0) {
      wrote = 0;
    } else {
      LogRarely(std::string("Could not remove short write from the append-only file. Backplane may "
                            "refuse to load the AOF the next time it starts. ftruncate: ") +
                std::strerror(errno));
    }
  }
  if (policy() == AppendFsync::kAlways) {
    engine_.logger().Warning(
        "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting...");
    _exit(1);
  }
  if (wrote > 0) {
    size_ += wrote;
    buffer_.erase(0, wrote);
  }
  write_error_ = error;
  retry_us_ = MonotonicMicros() + kRetryUs;
  engine_.set_aof_error(error);
}

void AofLog::LogRarely(const std::string& text) {
  const int64_t now = MonotonicMicros();
  if (write_error_ != 0 && now - last_log_us_ < kLogPeriodUs) return;
  last_log_us_ = now;
  engine_.logger().Warning(text);
}

void AofLog::SyncByPolicy() {
  const bool failed = sync_.error() != 0;
  if (policy() == AppendFsync::kNo || (requested_mark_ == written_mark_ && !failed)) return;
  if (engine_.settings().no_appendfsync_on_rewrite && owner_.ChildActive()) return;
  const int64_t now = MonotonicMicros();
  if (policy() == AppendFsync::kAlways) {
    const LatencyTimer timer(&engine_.records().latency());
    const int error = SyncAofFile(fd_);
    timer.Note("aof-fsync-always");
    if (error != 0) {
      engine_.logger().Warning(
          "Can't persist AOF for fsync error when the AOF fsync policy is "
          "'always': " +
          std::string(std::strerror(error)) + ". Exiting...");
      _exit(1);
    }
    sync_.ClearError();
    synced_mark_ = requested_mark_ = written_mark_;
    last_sync_us_ = now;
  } else if (now - last_sync_us_ >= kSecondUs && sync_.pending_syncs() == 0) {
    SyncInBackground();
    last_sync_us_ = now;
  }
}

void AofLog::SyncInBackground() {
  sync_.Sync(fd_, written_mark_);
  requested_mark_ = written_mark_;
}

bool AofLog::FlushAndSync() {
  if (fd_ < 0) return true;
  Flush(true);
  if (!buffer_.empty()) return false;
  const int error = SyncAofFile(fd_);
  if (error != 0) {
    engine_.logger().Warning(std::string("Fail to fsync the AOF file: ") + std::strerror(error));
    return false;
  }
  synced_mark_ = requested_mark_ = written_mark_;
  return true;
}

}  // namespace backplane
