// SPDX-License-Identifier: BSD-3-Clause
// Persistence: when the data set is saved to the RDB file and loaded from it, and what INFO tells
// about that. Owns the background child, the save points' bookkeeping and what a file held that
// nobody can use (SnapshotExtras). What the append-only file (append_only.h) shares with it: the
// one place for a child, the state of loading, INFO's section. Made by the server; the commands of
// commands/persist use it, the module host listens to it. Engine thread, holding the host lock (so
// a fork finds modules at rest).
//
// File names are relative to the working directory, which the option `dir` sets.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "engine/busy_server.h"
#include "engine/engine.h"
#include "persist/background_child.h"
#include "persist/byte_source.h"
#include "persist/library_store.h"
#include "persist/persistence_listener.h"
#include "persist/snapshot.h"
#include "persist/snapshot_loader.h"
#include "persist/snapshot_writer.h"
#include "value/dormant_value.h"

namespace backplane {

class AppendOnly;

class Persistence final : private BackgroundChild::Work,
                          private SaveWatcher,
                          private FileSource::Watcher {
 public:
  // `engine` outlives it.
  explicit Persistence(Engine& engine);
  Persistence(const Persistence&) = delete;
  Persistence& operator=(const Persistence&) = delete;
  // A running background save is ended.
  ~Persistence() override;

  // Who knows module types; not owned, null for none. Before anything is loaded.
  void set_modules(ModuleValues* modules) { modules_ = modules; }
  ModuleValues* modules() { return modules_; }
  // Who knows libraries of functions; not owned, null for none. Before anything is loaded.
  void set_libraries(LibraryStore* libraries) { libraries_ = libraries; }
  // Null: there is none. It names itself.
  void set_append_only(AppendOnly* append_only) { append_only_ = append_only; }
  // Who has clients answered while data are loaded; not owned, null for nobody.
  void set_busy_server(BusyServer* server) { busy_server_ = server; }
  AppendOnly* append_only() const { return append_only_; }
  // Not owned.
  void AddListener(PersistenceListener* listener) { listeners_.push_back(listener); }
  void RemoveListener(PersistenceListener* listener) { std::erase(listeners_, listener); }

  // --- loading ---
  // Loads the RDB file if there is one. An error says why and was logged; the process must not
  // serve then, since a part of the keys may be there.
  Status LoadAtStart();
  struct ReloadOptions {
    bool flush = true;
    bool merge = false;  // keys of the file replace those that exist
  };
  // The load of DEBUG RELOAD. After a failed load of a flushed data set it is empty.
  Status Reload(const ReloadOptions& options);
  // Replaces the data set by that of another file. After a failed load it is empty.
  Status LoadFrom(const std::string& path);

  // --- parts of loading, for the append-only file ---
  // The state of loading begins, and ends.
  void BeginLoading(DataFile file, uint64_t total_bytes);
  void EndLoading(bool ok);
  // Of the `total_bytes`, so many have been read by files before the one that is read now.
  void set_loaded_before(uint64_t bytes) { loaded_before_ = bytes; }
  FileSource::Watcher* load_watcher() { return this; }
  // So far some commands of the file that is read now have been loaded: a time to tell of it, and
  // to have clients answered, however few bytes they were. False: stop here.
  bool OnCommandsLoaded(uint64_t offset);
  // The last load ended because the process is to end; what is there is a part of the data.
  bool load_called_off() const { return load_called_off_; }
  // An RDB, into the keyspace.
  Status LoadRdb(ByteSource& source, SnapshotLoadOptions options, SnapshotExtras* extras);
  // Empties the databases, and what belongs to them, for another data set.
  void ForgetData();
  void set_extras(SnapshotExtras extras) { extras_ = std::move(extras); }

  // --- saving ---
  // In this process, now. kBusy while a background save runs; kIo.
  Status Save();
  // To another file, now; nothing else changes.
  Status SaveTo(const std::string& path) { return WriteTo(path); }
  // In a forked child. kBusy while a child runs; kIo when the fork failed.
  Status BgSave();
  // As soon as the child that runs now has ended; without one, at the next cron.
  void ScheduleBgSave() { bgsave_scheduled_ = true; }
  // Does what a regular exit asks: ends a background save; saves when there are save points, or
  // `always`; nothing when `never`. An error: the data are not on the disk, the exit should be
  // called off.
  Status SaveOnShutdown(bool always, bool never);
  // After FLUSHALL: a background save of the old data is pointless, and the file must not bring
  // them back.
  void OnFlushAll();
  // A running background save is ended and forgotten.
  void KillChild();

  // Reaps the child, starts saves that are due. Call from the server's cron.
  void OnCron();

  // --- state ---
  bool bgsave_running() const { return child_ != nullptr; }
  // Some forked child lives: a background save or one that claimed the place.
  bool child_active() const {
    return bgsave_running() || fork_claimed_ || foreign_child_ != nullptr;
  }
  // Forks for the append-only file, with all that is told and counted of a fork. While `child` is
  // set, INFO shows its progress; keys: how many it will write.
  Result<std::unique_ptr<BackgroundChild>> Fork(BackgroundChild::Work& work);
  void SetForeignChild(const BackgroundChild* child);
  // What WriteSnapshot takes by the settings.
  SnapshotSaveOptions SaveOptions();
  const std::vector<PersistenceListener*>& listeners() const { return listeners_; }
  // For children of others (modules): one at a time of all kinds. False when the place is taken.
  bool ClaimFork();
  void ReleaseFork() { fork_claimed_ = false; }
  // Whether the server's own files may be written and read now. kBusy: data are being loaded (a
  // part would take the place of the whole), or this is a forked child.
  Status MayTouchFiles() const;
  // In a forked child of others: lets go of what is the parent's alone, as a child of ours does.
  void EnterForkedChild(std::string_view purpose = "child");
  int64_t last_save_seconds() const { return last_save_ms_ / 1000; }  // Unix time
  bool last_bgsave_ok() const { return last_bgsave_ok_; }
  const SnapshotExtras& extras() const { return extras_; }

  // The lines of INFO's Persistence section, each ended by CRLF, without the heading.
  std::string PersistenceInfo() const;

 private:
  struct Loading {
    int64_t start_ms = 0;
    uint64_t total_bytes = 0;
    uint64_t loaded_bytes = 0;
  };

  Status WriteFile(bool background);
  Status WriteTo(const std::string& path);
  Status LoadFile(const std::string& path, const SnapshotLoadOptions& options,
                  SnapshotExtras* extras);
  // Removes what a failed background save of that process has left.
  void UnlinkTemp(pid_t pid);
  void CheckChild();
  void BgSaveEnded(const BackgroundChild::Exit& exit);
  void StartDueSave();
  void UpdateWriteBlock();
  std::string LoadingInfo() const;
  Logger& logger() { return engine_.logger(); }

  bool RunInChild(BackgroundChild::Reporter& reporter) override;
  void OnKeysSaved(uint64_t keys) override;
  void NoteProgress(uint64_t offset, bool tell_anyway);
  // Lets clients have their answers, which is LOADING for most commands. False: the process ends.
  bool ServeWhileLoading();
  bool OnProgress(uint64_t offset) override;
  size_t block_bytes() const override;

  Engine& engine_;
  ModuleValues* modules_ = nullptr;
  LibraryStore* libraries_ = nullptr;
  std::vector<PersistenceListener*> listeners_;
  SnapshotExtras extras_;

  std::unique_ptr<BackgroundChild> child_;
  BackgroundChild::Reporter* reporter_ = nullptr;  // in the child only
  bool fork_claimed_ = false;
  bool in_forked_child_ = false;
  bool bgsave_scheduled_ = false;
  const BackgroundChild* foreign_child_ = nullptr;
  uint64_t dirty_at_fork_ = 0;
  uint64_t keys_at_fork_ = 0;
  int64_t bgsave_start_ms_ = 0;
  int64_t last_bgsave_try_ms_ = 0;
  int64_t last_bgsave_seconds_ = -1;
  bool last_bgsave_ok_ = true;
  int64_t last_save_ms_;
  uint64_t saves_ = 0;
  uint64_t last_cow_bytes_ = 0;

  AppendOnly* append_only_ = nullptr;
  Loading loading_;
  DataFile loading_file_ = DataFile::kRdb;  // what is read now
  uint64_t loaded_before_ = 0;
  int last_permille_ = 0;
  BusyServer* busy_server_ = nullptr;
  uint64_t served_at_ = 0;  // loaded_bytes when clients were served last
  bool serving_ = false;
  bool load_called_off_ = false;
  SnapshotLoadReport last_load_;
};

}  // namespace backplane
