// SPDX-License-Identifier: BSD-3-Clause
// Persistence: loading, and saving in this process. Background saves: persistence_background.cc.
#include "persist/persistence.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "base/clock.h"
#include "persist/append_only.h"
#include "persist/replacement_file.h"

namespace backplane {
namespace {

std::string SecondsText(int64_t milliseconds) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.3f seconds", static_cast<double>(milliseconds) / 1000);
  return text;
}

}  // namespace

Persistence::Persistence(Engine& engine) : engine_(engine), last_save_ms_(WallMillis()) {}

Persistence::~Persistence() { KillChild(); }

// --- loading ---

Status Persistence::LoadAtStart() {
  const std::string& path = engine_.settings().dbfilename;
  const int64_t begin = MonotonicMicros();
  if (access(path.c_str(), F_OK) != 0 && errno == ENOENT) return {};
  SnapshotExtras extras;
  if (auto status = LoadFile(path, {}, &extras); !status) {
    if (load_called_off_) return status;
    const std::string text =
        "Fatal error loading the DB from file " + path + ": " + status.error().message;
    logger().Warning(text + ". Exiting.");
    return Fail(status.error().code, text);
  }
  extras_ = std::move(extras);
  engine_.keyspace().SetDirty(0);
  logger().Notice("DB loaded from disk: " + SecondsText((MonotonicMicros() - begin) / 1000));
  return {};
}

Status Persistence::LoadFile(const std::string& path, const SnapshotLoadOptions& options,
                             SnapshotExtras* extras) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Fail(ErrorCode::kIo, std::string("open: ") + std::strerror(errno));
  // Modules may act on what is loaded; their work ends with this unit, after the load.
  Engine::Unit unit(engine_);
  FileSource source(fd, this);
  BeginLoading(DataFile::kRdb, source.file_size());
  Status status = LoadRdb(source, options, extras);
  EndLoading(status.has_value());
  close(fd);
  return status;
}

void Persistence::BeginLoading(DataFile file, uint64_t total_bytes) {
  engine_.RefreshClock();
  engine_.set_loading(true);
  loading_ = {WallMillis(), total_bytes, 0};
  loading_file_ = file;
  loaded_before_ = 0;
  last_permille_ = 0;
  served_at_ = 0;
  load_called_off_ = false;
  last_load_ = {};
  for (PersistenceListener* listener : listeners_) listener->OnLoadStarted(file);
}

void Persistence::EndLoading(bool ok) {
  engine_.set_loading(false);
  for (PersistenceListener* listener : listeners_) listener->OnLoadEnded(ok);
}

Status Persistence::LoadRdb(ByteSource& source, SnapshotLoadOptions options,
                            SnapshotExtras* extras) {
  const Settings& settings = engine_.settings();
  options.sanitize = settings.sanitize_dump_payload == 1;
  options.checksum = settings.rdbchecksum;
  options.key_delay_us = &settings.key_load_delay;
  options.libraries = libraries_;
  options.modules = modules_;
  options.extras = extras;
  options.logger = &logger();
  // It may be the first part of an append-only file.
  const DataFile whole = std::exchange(loading_file_, DataFile::kRdb);
  auto report = LoadSnapshot(source, engine_.keyspace(), options);
  loading_file_ = whole;
  BP_ASSIGN_OR_RETURN(last_load_, std::move(report));
  logger().Notice("Done loading RDB, keys loaded: " + std::to_string(last_load_.keys_loaded) +
                  ", keys expired: " + std::to_string(last_load_.keys_expired) + ".");
  if (last_load_.keys_dormant > 0) {
    logger().Notice("Module values kept dormant, their module is not loaded: " +
                    std::to_string(last_load_.keys_dormant));
  }
  return {};
}

void Persistence::NoteProgress(uint64_t offset, bool tell_anyway) {
  loading_.loaded_bytes = loaded_before_ + offset;
  const int permille = loading_.total_bytes == 0
                           ? 0
                           : static_cast<int>(loading_.loaded_bytes * 1000 / loading_.total_bytes);
  if (permille <= last_permille_ && !tell_anyway) return;
  last_permille_ = permille;
  for (PersistenceListener* listener : listeners_) {
    listener->OnLoadProgress(loading_file_, permille);
  }
}

bool Persistence::OnProgress(uint64_t offset) {
  NoteProgress(offset, false);
  const int64_t interval = engine_.settings().loading_process_events_interval_bytes;
  if (loading_.loaded_bytes < served_at_ + static_cast<uint64_t>(interval)) return true;
  return ServeWhileLoading();
}

bool Persistence::OnCommandsLoaded(uint64_t offset) {
  NoteProgress(offset, true);
  return ServeWhileLoading();
}

size_t Persistence::block_bytes() const {
  return std::min(FileSource::kBlockBytes,
                  static_cast<size_t>(engine_.settings().loading_process_events_interval_bytes));
}

bool Persistence::ServeWhileLoading() {
  served_at_ = loading_.loaded_bytes;
  if (busy_server_ == nullptr || serving_ || !busy_server_->can_serve()) return true;
  serving_ = true;
  engine_.RefreshClock();
  busy_server_->ServeClientsWithin(engine_.executing());
  serving_ = false;
  load_called_off_ = busy_server_->stopping();
  return !load_called_off_;
}

Status Persistence::MayTouchFiles() const {
  if (engine_.loading()) return Fail(ErrorCode::kBusy, "data are being loaded");
  if (in_forked_child_) return Fail(ErrorCode::kBusy, "the files are the parent's");
  return {};
}

Status Persistence::Reload(const ReloadOptions& options) {
  BP_RETURN_IF_ERROR(MayTouchFiles());
  Keyspace& keyspace = engine_.keyspace();
  if (options.flush) ForgetData();
  SnapshotExtras extras;
  if (auto status =
          LoadFile(engine_.settings().dbfilename, {.replace_duplicates = options.merge}, &extras);
      !status) {
    logger().Warning("Error loading the DB from file " + engine_.settings().dbfilename + ": " +
                     status.error().message);
    // A part of a data set looks like a whole one to clients.
    if (options.flush && !load_called_off_) ForgetData();
    return status;
  }
  if (options.flush || !extras.functions.empty()) extras_ = std::move(extras);
  keyspace.SetDirty(0);
  return {};
}

void Persistence::ForgetData() {
  engine_.keyspace().FlushAll(false);
  if (libraries_ != nullptr) libraries_->ForgetLibraries();
  if (modules_ != nullptr) modules_->DataReplaced();
}

Status Persistence::LoadFrom(const std::string& path) {
  if (engine_.loading()) return Fail(ErrorCode::kBusy, "data are being loaded");
  ForgetData();
  SnapshotExtras extras;
  auto status = LoadFile(path, {}, &extras);
  if (!status) {
    extras.Clear();
    logger().Warning("Error loading the DB from file " + path + ": " + status.error().message);
    // The process ends: whatever is made of an empty data set would be too much.
    if (load_called_off_) return status;
    ForgetData();
  }
  extras_ = std::move(extras);
  // The file's commands would lead to other data.
  if (append_only_ != nullptr) append_only_->Restart();
  return status;
}

// --- saving ---

SnapshotSaveOptions Persistence::SaveOptions() {
  const Settings& settings = engine_.settings();
  return {.rdb_version = static_cast<int>(settings.rdb_version),
          .compress = settings.rdbcompression,
          .checksum = settings.rdbchecksum,
          .modules = modules_,
          .extras = &extras_,
          .libraries = libraries_,
          .watcher = this,
          .key_delay_us = settings.rdb_key_save_delay};
}

Status Persistence::WriteTo(const std::string& path) {
  const std::string temp = "temp-" + std::to_string(getpid()) + ".rdb";
  BP_ASSIGN_OR_RETURN(ReplacementFile file, ReplacementFile::Create(path, temp));
  FileSink sink(file.fd());
  sink.set_incremental(engine_.settings().rdb_save_incremental_fsync);
  BP_RETURN_IF_ERROR(WriteSnapshot(engine_.keyspace(), SaveOptions(), sink));
  return file.Commit();
}

// What SAVE and the child of BGSAVE have in common.
Status Persistence::WriteFile(bool background) {
  for (PersistenceListener* listener : listeners_) {
    listener->OnSaveStarted(DataFile::kRdb, background);
  }
  Status status = WriteTo(engine_.settings().dbfilename);
  for (PersistenceListener* listener : listeners_) listener->OnSaveEnded(status.has_value());
  if (status) {
    logger().Notice("DB saved on disk");
  } else {
    logger().Warning("Error saving DB on disk: " + status.error().message);
  }
  return status;
}

Status Persistence::Save() {
  BP_RETURN_IF_ERROR(MayTouchFiles());
  if (bgsave_running()) return Fail(ErrorCode::kBusy, "Background save already in progress");
  ++saves_;
  BP_RETURN_IF_ERROR(WriteFile(false));
  engine_.keyspace().SetDirty(0);
  last_save_ms_ = WallMillis();
  last_bgsave_ok_ = true;
  UpdateWriteBlock();
  return {};
}

Status Persistence::SaveOnShutdown(bool always, bool never) {
  if (bgsave_running()) {
    logger().Warning("There is a child saving an .rdb. Killing it!");
    KillChild();
  }
  if (never || (!always && engine_.settings().save.empty())) return {};
  logger().Notice("Saving the final RDB snapshot before exiting.");
  return Save();
}

void Persistence::OnFlushAll() {
  if (!MayTouchFiles()) return;
  KillChild();
  if (engine_.settings().save.empty()) return;
  // A failure was logged, and the next save point tries again.
  if (auto status = Save(); !status) last_bgsave_ok_ = false;
}

void Persistence::OnKeysSaved(uint64_t keys) {
  if (reporter_ != nullptr) reporter_->Progress(keys);
}

}  // namespace backplane
