// SPDX-License-Identifier: BSD-3-Clause
// AppendOnly: the rewrite, from its begin to the new set of files.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "base/clock.h"
#include "persist/append_only.h"
#include "persist/replacement_file.h"

namespace backplane {
namespace {

// In the working directory: the child makes the file under the first name, and gives it the second
// once it is whole and on the disk.
std::string PartName(pid_t pid) { return "temp-rewriteaof-" + std::to_string(pid) + ".aof"; }
std::string WholeName(pid_t pid) { return "temp-rewriteaof-bg-" + std::to_string(pid) + ".aof"; }

// So many failures in a row, and rewrites that nobody has asked for wait.
constexpr int kFailuresMax = 3;
constexpr int64_t kLimitMinutesMax = 60;
constexpr int64_t kMinuteMs = 60'000;

}  // namespace

void AppendOnly::ScheduleRewrite() {
  rewrite_scheduled_ = true;
  // Somebody asks for it: what failed before does not count.
  limited_until_ms_ = 0;
  limit_minutes_ = 0;
}

Status AppendOnly::StartRewrite() {
  BP_RETURN_IF_ERROR(persistence_.MayTouchFiles());
  if (persistence_.child_active()) return Fail(ErrorCode::kBusy, "another child process is active");
  rewrite_scheduled_ = false;
  auto status = BeginRewrite();
  if (status) return status;
  logger().Warning("Can't rewrite append only file in background: " + status.error().message);
  RewriteFailed(true);
  return status;
}

Status AppendOnly::BeginRewrite() {
  BP_RETURN_IF_ERROR(files_.Read());
  BP_RETURN_IF_ERROR(files_.MakeFolder());
  BP_RETURN_IF_ERROR(OpenFileOfRewrite());
  return ForkChild();
}

Status AppendOnly::OpenFileOfRewrite() {
  switch (state_) {
    case State::kOff:
      return {};
    case State::kOn:
      return OpenNextIncr();
    case State::kWaitRewrite:
      break;
  }
  const std::string name = files_.TempIncrName();
  BP_ASSIGN_OR_RETURN(const int fd, files_.OpenForAppending(name, true));
  logger().Notice("Creating AOF incr file " + name + " on background rewrite");
  log_.Abandon();
  log_.Open(fd, 0);
  return {};
}

Status AppendOnly::OpenNextIncr() {
  log_.Flush(true);
  if (log_.has_buffered()) return Fail(ErrorCode::kIo, "the append only file cannot be written");
  AofManifest next = files_.manifest();
  const std::string name = next.AddIncr(files_.prefix()).name;
  BP_ASSIGN_OR_RETURN(const int fd, files_.OpenForAppending(name, true));
  if (auto status = files_.Commit(std::move(next)); !status) {
    close(fd);
    unlink(files_.Path(name).c_str());
    return status;
  }
  logger().Notice("Creating AOF incr file " + name + " on background rewrite");
  closed_bytes_ += log_.file_size();
  log_.Rotate(fd);
  return {};
}

Status AppendOnly::ForkChild() {
  child_form_ = FormByOption();
  ++rewrites_;
  BP_ASSIGN_OR_RETURN(child_, persistence_.Fork(*this));
  persistence_.SetForeignChild(child_.get());
  rewrite_start_ms_ = WallMillis();
  mark_at_fork_ = engine_.propagation().commands_sent();
  logger().Notice("Background append only file rewriting started by pid " +
                  std::to_string(child_->pid()));
  return {};
}

// --- the child ---

bool AppendOnly::RunInChild(BackgroundChild::Reporter& reporter) {
  persistence_.EnterForkedChild("aof-rewrite");
  reporter_ = &reporter;
  for (PersistenceListener* listener : persistence_.listeners()) {
    listener->OnSaveStarted(DataFile::kAof, true);
  }
  const std::string name = WholeName(getpid());
  const Status status = [&]() -> Status {
    BP_ASSIGN_OR_RETURN(ReplacementFile file, ReplacementFile::Create(name, PartName(getpid())));
    BP_RETURN_IF_ERROR(WriteBase(child_form_, file.fd(), this));
    return file.Commit();
  }();
  for (PersistenceListener* listener : persistence_.listeners()) {
    listener->OnSaveEnded(status.has_value());
  }
  if (!status) {
    logger().Warning("Write error writing append only file on disk: " + status.error().message);
    return false;
  }
  logger().Notice("Successfully created the temporary AOF base file " + name);
  const uint64_t cow = reporter.Final(engine_.keyspace().KeyCount());
  logger().Notice("Fork CoW for AOF rewrite: current " + std::to_string(cow >> 20) + " MB");
  return true;
}

void AppendOnly::OnKeysSaved(uint64_t keys) {
  if (reporter_ != nullptr) reporter_->Progress(keys);
}

// --- the end ---

void AppendOnly::UnlinkTemp(pid_t pid) {
  unlink(PartName(pid).c_str());
  unlink(WholeName(pid).c_str());
}

void AppendOnly::KillChild() {
  if (!rewriting()) return;
  logger().Notice("Killing running AOF rewrite child: " + std::to_string(child_->pid()));
  child_->Kill();
  UnlinkTemp(child_->pid());
  child_.reset();
  persistence_.SetForeignChild(nullptr);
}

void AppendOnly::RewriteEnded(const BackgroundChild::Exit& exit) {
  const pid_t pid = child_->pid();
  last_cow_bytes_ = child_->report().cow_bytes;
  last_rewrite_seconds_ = (WallMillis() - rewrite_start_ms_) / 1000;
  if (exit.ok) {
    logger().Notice("Background AOF rewrite terminated with success");
    auto status = AdoptBase();
    child_.reset();
    persistence_.SetForeignChild(nullptr);
    if (!status) {
      logger().Warning("The rewritten append only file cannot be used: " + status.error().message);
      UnlinkTemp(pid);
      RewriteFailed(true);
      return;
    }
    logger().Notice("Background AOF rewrite finished successfully");
    last_rewrite_ok_ = true;
    failures_in_a_row_ = 0;
    limit_minutes_ = 0;
    limited_until_ms_ = 0;
    return;
  }
  logger().Warning(exit.signal != 0 ? "Background AOF rewrite terminated by signal " +
                                          std::to_string(exit.signal)
                                    : std::string("Background AOF rewrite terminated with error"));
  UnlinkTemp(pid);
  child_.reset();
  persistence_.SetForeignChild(nullptr);
  // By SIGUSR1 children are called off, which is no failure.
  RewriteFailed(exit.signal != SIGUSR1);
}

Status AppendOnly::AdoptBase() {
  AofManifest next = files_.manifest();
  const std::string base = next.AddBase(files_.prefix(), child_form_).name;
  const std::string path = files_.Path(base);
  const std::string temp = WholeName(child_->pid());
  if (std::rename(temp.c_str(), path.c_str()) != 0) {
    return Fail(ErrorCode::kIo, "rename " + temp + " to " + path + ": " + std::strerror(errno));
  }
  logger().Notice("Successfully renamed the temporary AOF base file " + temp + " into " + base);
  std::string incr;
  if (state_ == State::kWaitRewrite) {
    // Behind all that there were: these are not needed any more.
    incr = files_.Path(next.AddIncr(files_.prefix()).name);
    const std::string temp_incr = files_.Path(files_.TempIncrName());
    if (std::rename(temp_incr.c_str(), incr.c_str()) != 0) {
      const int error = errno;
      unlink(path.c_str());
      return Fail(ErrorCode::kIo,
                  "rename " + temp_incr + " to " + incr + ": " + std::strerror(error));
    }
  }
  next.RetireIncrs(state_ == State::kOff ? 0 : 1);
  auto status = SyncFolderOf(path);
  if (status) status = files_.Commit(std::move(next));
  if (!status) {
    unlink(path.c_str());
    if (!incr.empty()) unlink(incr.c_str());
    return status;
  }
  if (state_ == State::kWaitRewrite) {
    SetState(State::kOn);
    // Whoever waits for the disk has waited for this.
    told_mark_ = UINT64_MAX;
  }
  // The base is on the disk; of the old incr files nothing is needed.
  log_.CoverUpTo(mark_at_fork_);
  const auto size = files_.SizeOf(base);
  closed_bytes_ = size ? *size : 0;
  base_bytes_ = current_size();
  files_.RemoveHistory();
  return {};
}

void AppendOnly::DropTempIncr() {
  const bool there = log_.is_open();
  log_.Abandon();
  if (!there) return;
  const std::string name = files_.TempIncrName();
  logger().Notice("Removing the temp incr aof file " + name);
  // At once: the next rewrite makes one of the same name.
  unlink(files_.Path(name).c_str());
}

void AppendOnly::RewriteFailed(bool counts) {
  if (counts) {
    last_rewrite_ok_ = false;
    ++failures_in_a_row_;
  }
  if (state_ != State::kWaitRewrite) return;
  DropTempIncr();
  rewrite_scheduled_ = true;
}

// --- when ---

bool AppendOnly::IsLimited() {
  if (failures_in_a_row_ < kFailuresMax) return false;
  const int64_t now = WallMillis();
  if (limited_until_ms_ != 0) {
    if (now < limited_until_ms_) return true;
    limited_until_ms_ = 0;
    return false;
  }
  limit_minutes_ = limit_minutes_ == 0 ? 1 : std::min(limit_minutes_ * 2, kLimitMinutesMax);
  limited_until_ms_ = now + limit_minutes_ * kMinuteMs;
  logger().Warning(
      "Background AOF rewrite has repeatedly failed and triggered the limit, will "
      "retry in " +
      std::to_string(limit_minutes_) + " minutes");
  return true;
}

void AppendOnly::StartDueRewrite() {
  const Settings& options = settings();
  if (state_ != State::kOn || options.auto_aof_rewrite_percentage == 0 ||
      persistence_.child_active()) {
    return;
  }
  const uint64_t size = current_size();
  if (size <= static_cast<uint64_t>(options.auto_aof_rewrite_min_size)) return;
  const uint64_t base = std::max<uint64_t>(base_bytes_, 1);
  constexpr uint64_t kWhole = 100;
  const uint64_t growth =
      size <= base ? 0 : (size - base) / base * kWhole + (size - base) % base * kWhole / base;
  if (growth < static_cast<uint64_t>(options.auto_aof_rewrite_percentage) || IsLimited()) return;
  logger().Notice("Starting automatic rewriting of AOF on " + std::to_string(growth) + "% growth");
  // A failure was logged.
  static_cast<void>(StartRewrite());
}

}  // namespace backplane
