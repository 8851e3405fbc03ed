// SPDX-License-Identifier: BSD-3-Clause
// AppendOnly: loading, and writing what changes. The rewrite: append_only_rewrite.cc.
#include "persist/append_only.h"

#include <unistd.h>

#include <cstdio>

#include "base/clock.h"
#include "persist/aof_base_writer.h"
#include "persist/aof_loader.h"
#include "persist/replacement_file.h"

namespace backplane {
namespace {

std::string SecondsText(int64_t begin_us) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3f seconds",
                static_cast<double>(MonotonicMicros() - begin_us) / 1e6);
  return text;
}

}  // namespace

AppendOnly::AppendOnly(Engine& engine, Persistence& persistence)
    : engine_(engine),
      persistence_(persistence),
      files_(engine.settings(), engine.logger(), sync_),
      log_(engine, sync_, *this) {
  persistence_.set_append_only(this);
}

AppendOnly::~AppendOnly() {
  KillChild();
  Close();
  persistence_.set_append_only(nullptr);
}

void AppendOnly::set_on_synced(std::function<void()> wake, std::function<void()> changed) {
  sync_.set_on_synced(std::move(wake));
  changed_ = std::move(changed);
}

void AppendOnly::SetState(State state) {
  const bool was = enabled();
  state_ = state;
  if (was == enabled()) return;
  if (enabled()) {
    engine_.propagation().AddSink(&log_, kPropagateToAof);
  } else {
    engine_.propagation().RemoveSink(&log_);
    engine_.set_aof_error(0);
  }
  if (connections_ != nullptr) connections_->set_output_barrier(enabled() ? this : nullptr);
}

// --- loading ---

Status AppendOnly::LoadAtStart() {
  auto status = files_.Read();
  if (status) status = files_.TakeOldFile();
  const std::string& rdb = settings().dbfilename;
  if (status && files_.manifest().empty() && access(rdb.c_str(), F_OK) == 0) {
    logger().Warning("There is no append-only file, so the data set is empty: " + rdb +
                     " is not loaded while appendonly is on. To keep its data, start with "
                     "appendonly no, then CONFIG SET appendonly yes.");
  }
  if (status) status = LoadFiles();
  if (!status && !persistence_.load_called_off()) logger().Warning(status.error().message);
  return status;
}

Status AppendOnly::LoadFiles() {
  const AofManifest& manifest = files_.manifest();
  std::vector<std::string> names;
  if (manifest.base) names.push_back(manifest.base->name);
  for (const AofManifest::File& file : manifest.incrs) names.push_back(file.name);
  if (names.empty()) return {};
  uint64_t total = 0;
  for (const std::string& name : names) {
    BP_ASSIGN_OR_RETURN(const uint64_t size, files_.SizeOf(name));
    total += size;
  }
  const int64_t begin = MonotonicMicros();
  persistence_.BeginLoading(DataFile::kAof, total);
  engine_.keyspace().set_ignores_expiry(true);
  AofLoader loader(engine_, persistence_);
  uint64_t loaded = 0;
  uint64_t base_size = 0;
  auto status = [&]() -> Status {
    for (const std::string& name : names) {
      const int64_t file_begin = MonotonicMicros();
      persistence_.set_loaded_before(loaded);
      BP_ASSIGN_OR_RETURN(const uint64_t size,
                          loader.Load(files_.Path(name), name, &name == &names.back()));
      loaded += size;
      const bool is_base = manifest.base && &name == &names.front();
      if (is_base) base_size = size;
      if (size == 0) continue;
      logger().Notice(std::string("DB loaded from ") + (is_base ? "base" : "incr") + " file " +
                      name + ": " + SecondsText(file_begin));
    }
    return {};
  }();
  engine_.keyspace().set_ignores_expiry(false);
  persistence_.EndLoading(status.has_value());
  BP_RETURN_IF_ERROR(status);
  persistence_.set_extras(loader.TakeExtras());
  engine_.keyspace().SetDirty(0);
  closed_bytes_ = loaded;
  base_bytes_ = base_size;
  logger().Notice("DB loaded from append only file: " + SecondsText(begin));
  return {};
}

Status AppendOnly::Reload() {
  BP_RETURN_IF_ERROR(persistence_.MayTouchFiles());
  if (enabled()) log_.Flush(true);
  // What is in the file that is written to has been counted apart.
  const uint64_t closed = closed_bytes_;
  const uint64_t base = base_bytes_;
  BP_RETURN_IF_ERROR(files_.Read());
  persistence_.ForgetData();
  auto status = LoadFiles();
  closed_bytes_ = closed;
  base_bytes_ = base;
  if (state_ == State::kOn && !files_.manifest().incrs.empty()) {
    // It may have been cut.
    if (auto size = files_.SizeOf(files_.manifest().incrs.back().name); size) {
      log_.CorrectSize(*size);
    }
  }
  if (status) return status;
  logger().Warning(status.error().message);
  // A part of a data set looks like a whole one to clients.
  if (!persistence_.load_called_off()) persistence_.ForgetData();
  return status;
}

// --- opening ---

Status AppendOnly::OpenAtStart() {
  auto status = [&]() -> Status {
    BP_RETURN_IF_ERROR(files_.MakeFolder());
    // Without a base the first commands would have nothing to follow but an empty data set.
    if (files_.manifest().empty()) BP_RETURN_IF_ERROR(CreateFirstBase());
    return OpenIncr(files_.manifest().incrs.empty());
  }();
  if (!status) {
    logger().Warning(status.error().message);
    return status;
  }
  SetState(State::kOn);
  files_.RemoveHistory();
  return {};
}

AofManifest::BaseForm AppendOnly::FormByOption() const {
  return settings().aof_use_rdb_preamble ? AofManifest::BaseForm::kRdb
                                         : AofManifest::BaseForm::kCommands;
}

Status AppendOnly::CreateFirstBase() {
  AofManifest next = files_.manifest();
  const AofManifest::BaseForm form = FormByOption();
  const std::string name = next.AddBase(files_.prefix(), form).name;
  logger().Notice("Creating AOF base file " + name + " on server start");
  const std::string path = files_.Path(name);
  BP_ASSIGN_OR_RETURN(ReplacementFile file,
                      ReplacementFile::Create(path, files_.Path("temp-" + name)));
  for (PersistenceListener* listener : persistence_.listeners()) {
    listener->OnSaveStarted(DataFile::kAof, false);
  }
  const Status written = WriteBase(form, file.fd(), nullptr);
  for (PersistenceListener* listener : persistence_.listeners()) {
    listener->OnSaveEnded(written.has_value());
  }
  BP_RETURN_IF_ERROR(written);
  BP_RETURN_IF_ERROR(file.Commit());
  BP_RETURN_IF_ERROR(files_.Commit(std::move(next)));
  BP_ASSIGN_OR_RETURN(closed_bytes_, files_.SizeOf(name));
  base_bytes_ = closed_bytes_;
  return {};
}

Status AppendOnly::OpenIncr(bool fresh) {
  if (fresh) {
    AofManifest next = files_.manifest();
    const std::string name = next.AddIncr(files_.prefix()).name;
    logger().Notice("Creating AOF incr file " + name + " on server start");
    BP_ASSIGN_OR_RETURN(const int fd, files_.OpenForAppending(name, true));
    if (auto status = files_.Commit(std::move(next)); !status) {
      close(fd);
      return status;
    }
    log_.Open(fd, 0);
    return {};
  }
  const std::string& name = files_.manifest().incrs.back().name;
  logger().Notice("Opening AOF incr file " + name + " on server start");
  BP_ASSIGN_OR_RETURN(const uint64_t size, files_.SizeOf(name));
  BP_ASSIGN_OR_RETURN(const int fd, files_.OpenForAppending(name, false));
  log_.Open(fd, size);
  closed_bytes_ -= std::min(closed_bytes_, size);
  return {};
}

Status AppendOnly::WriteBase(AofManifest::BaseForm form, int fd, SaveWatcher* watcher) {
  FileSink sink(fd);
  sink.set_incremental(settings().aof_rewrite_incremental_fsync);
  SnapshotSaveOptions options = persistence_.SaveOptions();
  if (form == AofManifest::BaseForm::kRdb) {
    options.aof_base = true;
    options.watcher = watcher;
    return WriteSnapshot(engine_.keyspace(), options, sink);
  }
  return WriteAofBase(engine_.keyspace(),
                      {.rdb_version = options.rdb_version,
                       .compress = options.compress,
                       .timestamp = settings().aof_timestamp_enabled,
                       .modules = options.modules,
                       .libraries = options.libraries,
                       .watcher = watcher,
                       .key_delay_us = options.key_delay_us},
                      sink);
}

// --- turning on and off ---

Status AppendOnly::Apply(bool on) {
  if (on == enabled()) return {};
  if (on) return TurnOn();
  TurnOff();
  return {};
}

Status AppendOnly::TurnOn() {
  SetState(State::kWaitRewrite);
  if (rewriting()) {
    logger().Warning(
        "AOF was enabled but there is already an AOF rewriting in background. Stopping background "
        "AOF and starting a rewrite now.");
    KillChild();
  }
  // What the running command or unit has changed already would be in the base and in the commands.
  const bool within_unit = engine_.unit_depth() > 1 || engine_.propagation().pending();
  if (persistence_.child_active() || within_unit) {
    rewrite_scheduled_ = true;
    logger().Warning(
        "AOF was enabled but there is already another background operation. An AOF background was "
        "scheduled to start when possible.");
    return {};
  }
  if (auto status = StartRewrite(); !status) {
    SetState(State::kOff);
    rewrite_scheduled_ = false;
    logger().Warning(
        "Backplane needs to enable the AOF but can't trigger a background AOF rewrite operation. "
        "Check the above logs for more info about the error.");
    return Fail(ErrorCode::kIo, "Unable to turn on AOF. Check server logs.");
  }
  return {};
}

void AppendOnly::TurnOff() {
  KillChild();
  rewrite_scheduled_ = false;
  const bool temporary = state_ == State::kWaitRewrite;
  SetState(State::kOff);
  if (temporary) {
    DropTempIncr();
  } else {
    closed_bytes_ += log_.file_size();
    log_.Close();
  }
  if (changed_) changed_();
}

void AppendOnly::Restart() {
  if (!enabled()) return;
  TurnOff();
  SetState(State::kWaitRewrite);
  // Not now: the command that has done it may do more.
  ScheduleRewrite();
}

void AppendOnly::ApplyOptions() {
  files_.RemoveHistory();
  // What was written under another policy is on the disk, too, when `always` holds.
  if (static_cast<AppendFsync>(settings().appendfsync) == AppendFsync::kAlways) {
    log_.FlushAndSync();
  }
}

void AppendOnly::Close() {
  if (enabled()) engine_.propagation().RemoveSink(&log_);
  if (connections_ != nullptr) connections_->set_output_barrier(nullptr);
  log_.Close();
  sync_.Drain();
  state_ = State::kOff;
}

void AppendOnly::LetGoInForkedChild() {
  engine_.propagation().RemoveSink(&log_);
  log_.LetGoInForkedChild();
}

Status AppendOnly::PrepareShutdown(bool force) {
  if (!enabled()) {
    KillChild();
    return {};
  }
  if (rewriting()) {
    if (state_ == State::kWaitRewrite) {
      logger().Warning(force ? "Writing initial AOF. Exit anyway."
                             : "Writing initial AOF, can't exit.");
      if (!force) return Fail(ErrorCode::kBusy, "the initial append-only file is being written");
    }
    logger().Warning("There is a child rewriting the AOF. Killing it!");
    KillChild();
  }
  logger().Notice("Calling fsync() on the AOF file.");
  // What is lost by a failure would be lost by going on, too.
  if (!log_.FlushAndSync()) logger().Warning("The AOF file could not be written as a whole.");
  return {};
}

// --- the turns of the loop ---

void AppendOnly::BeforeWait() {
  if (!enabled()) [[likely]]
    return;
  log_.Flush(false);
  const uint64_t mark = log_.synced_mark();
  if (mark == told_mark_ || state_ != State::kOn) return;
  told_mark_ = mark;
  if (changed_) changed_();
}

void AppendOnly::OnCron() {
  if (rewriting()) {
    const auto exit = child_->Poll();
    if (exit) RewriteEnded(*exit);
  }
  if (enabled()) engine_.set_aof_error(log_.error());
  if (rewrite_scheduled_ && !persistence_.child_active() && !IsLimited()) {
    // A failure was logged.
    static_cast<void>(StartRewrite());
  }
}

bool AppendOnly::IsSynced(uint64_t mark) const {
  return state_ == State::kOn && log_.synced_mark() >= mark;
}

// --- INFO ---

void AppendOnly::AppendInfo(InfoLines& lines) const {
  lines.Number("aof_enabled", enabled() ? 1 : 0);
  lines.Number("aof_rewrite_in_progress", rewriting() ? 1 : 0);
  lines.Number("aof_rewrite_scheduled", rewrite_scheduled_ ? 1 : 0);
  lines.Signed("aof_last_rewrite_time_sec", last_rewrite_seconds_);
  lines.Signed("aof_current_rewrite_time_sec",
               rewriting() ? (WallMillis() - rewrite_start_ms_) / 1000 : -1);
  lines.Ok("aof_last_bgrewrite_status", last_rewrite_ok_);
  lines.Number("aof_rewrites", rewrites_);
  lines.Signed("aof_rewrites_consecutive_failures", failures_in_a_row_);
  lines.Ok("aof_last_write_status", log_.error() == 0);
  lines.Number("aof_last_cow_size", last_cow_bytes_);
}

void AppendOnly::AppendFileInfo(InfoLines& lines) const {
  if (!enabled()) return;
  lines.Number("aof_current_size", current_size());
  lines.Number("aof_base_size", base_bytes_);
  lines.Number("aof_pending_rewrite", rewrite_scheduled_ ? 1 : 0);
  lines.Number("aof_buffer_length", log_.buffered_bytes());
  lines.Signed("aof_pending_bio_fsync", sync_.pending_syncs());
  lines.Number("aof_delayed_fsync", log_.delayed_syncs());
}

}  // namespace backplane
