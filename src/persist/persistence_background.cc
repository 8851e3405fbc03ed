// SPDX-License-Identifier: BSD-3-Clause
// Persistence: background saves and save points.
#include <unistd.h>

#include <algorithm>

#include "base/clock.h"
#include "engine/call_records.h"
#include "persist/append_only.h"
#include "persist/persistence.h"

namespace backplane {
namespace {

// After a failed background save the next one waits so long.
constexpr int64_t kRetryDelayMs = 5000;

std::string TempName(pid_t pid) { return "temp-" + std::to_string(pid) + ".rdb"; }

std::string Megabytes(uint64_t bytes) { return std::to_string(bytes >> 20) + " MB"; }

}  // namespace

Status Persistence::BgSave() {
  BP_RETURN_IF_ERROR(MayTouchFiles());
  if (child_active()) return Fail(ErrorCode::kBusy, "another child process is active");
  bgsave_scheduled_ = false;
  ++saves_;
  dirty_at_fork_ = engine_.keyspace().dirty();
  keys_at_fork_ = engine_.keyspace().KeyCount();
  last_bgsave_try_ms_ = WallMillis();
  auto child = Fork(*this);
  if (!child) {
    last_bgsave_ok_ = false;
    UpdateWriteBlock();
    logger().Warning("Can't save in background: " + child.error().message);
    return std::unexpected(std::move(child).error());
  }
  child_ = std::move(*child);
  bgsave_start_ms_ = WallMillis();
  logger().Notice("Background saving started by pid " + std::to_string(child_->pid()));
  return {};
}

Result<std::unique_ptr<BackgroundChild>> Persistence::Fork(BackgroundChild::Work& work) {
  int64_t fork_us = 0;
  BP_ASSIGN_OR_RETURN(auto child, BackgroundChild::Start(logger(), work, &fork_us));
  engine_.stats().total_forks++;
  engine_.stats().latest_fork_usec = fork_us;
  engine_.records().latency().Note("fork", fork_us);
  for (PersistenceListener* listener : listeners_) listener->OnForkChild(true);
  return child;
}

void Persistence::SetForeignChild(const BackgroundChild* child) {
  if (child != nullptr) keys_at_fork_ = engine_.keyspace().KeyCount();
  const bool died = child == nullptr && foreign_child_ != nullptr;
  foreign_child_ = child;
  if (!died) return;
  for (PersistenceListener* listener : listeners_) listener->OnForkChild(false);
}

void Persistence::EnterForkedChild(std::string_view purpose) {
  in_forked_child_ = true;
  // A save that runs is the parent's. The process has it until it ends.
  static_cast<void>(child_.release());
  if (append_only_ != nullptr) append_only_->LetGoInForkedChild();
  for (PersistenceListener* listener : listeners_) listener->OnInForkedChild(purpose);
}

bool Persistence::RunInChild(BackgroundChild::Reporter& reporter) {
  EnterForkedChild("rdb-bgsave");
  reporter_ = &reporter;
  const bool ok = WriteFile(true).has_value();
  const uint64_t cow = reporter.Final(ok ? keys_at_fork_ : 0);
  if (ok) logger().Notice("Fork CoW for RDB: current " + Megabytes(cow));
  return ok;
}

void Persistence::UnlinkTemp(pid_t pid) {
  const LatencyTimer timer(&engine_.records().latency());
  unlink(TempName(pid).c_str());
  timer.Note("rdb-unlink-temp-file");
}

void Persistence::KillChild() {
  if (child_ == nullptr) return;
  child_->Kill();
  UnlinkTemp(child_->pid());
  child_.reset();
  for (PersistenceListener* listener : listeners_) listener->OnForkChild(false);
}

void Persistence::CheckChild() {
  const auto exit = child_->Poll();
  if (exit) BgSaveEnded(*exit);
}

void Persistence::BgSaveEnded(const BackgroundChild::Exit& exit) {
  const pid_t pid = child_->pid();
  last_cow_bytes_ = child_->report().cow_bytes;
  child_.reset();
  const int64_t now = WallMillis();
  last_bgsave_seconds_ = (now - bgsave_start_ms_) / 1000;
  last_bgsave_ok_ = exit.ok;
  if (exit.ok) {
    logger().Notice("Background saving terminated with success");
    const uint64_t dirty = engine_.keyspace().dirty();
    engine_.keyspace().SetDirty(dirty - std::min(dirty, dirty_at_fork_));
    last_save_ms_ = now;
  } else if (exit.signal != 0) {
    logger().Warning("Background saving terminated by signal " + std::to_string(exit.signal));
    UnlinkTemp(pid);
  } else {
    logger().Warning("Background saving error");
  }
  UpdateWriteBlock();
  for (PersistenceListener* listener : listeners_) listener->OnForkChild(false);
}

void Persistence::StartDueSave() {
  const int64_t now = WallMillis();
  if (!last_bgsave_ok_ && now - last_bgsave_try_ms_ <= kRetryDelayMs) return;
  // Failures of BgSave were logged, and the next cron tries again.
  if (bgsave_scheduled_) {
    static_cast<void>(BgSave());
    return;
  }
  const uint64_t dirty = engine_.keyspace().dirty();
  for (const SavePoint& point : engine_.settings().save) {
    if (dirty < point.changes || now - last_save_ms_ <= point.seconds * 1000) continue;
    logger().Notice(std::to_string(point.changes) + " changes in " + std::to_string(point.seconds) +
                    " seconds. Saving...");
    static_cast<void>(BgSave());
    return;
  }
}

void Persistence::OnCron() {
  if (bgsave_running()) CheckChild();
  if (!child_active()) StartDueSave();
  // Settings that it depends on may have changed.
  UpdateWriteBlock();
}

void Persistence::UpdateWriteBlock() {
  const Settings& settings = engine_.settings();
  engine_.set_writes_blocked_by_save(!last_bgsave_ok_ && settings.stop_writes_on_bgsave_error &&
                                     !settings.save.empty());
}

bool Persistence::ClaimFork() {
  if (child_active()) return false;
  fork_claimed_ = true;
  return true;
}

}  // namespace backplane
