// SPDX-License-Identifier: BSD-3-Clause
// AppendOnly: the append-only file: every change, written before its reply is sent, and read again
// at start; and its rewrite, which puts a new base in the place of many commands. Made by the
// server; the commands of commands/persist use it. Engine thread, holding the host lock.
//
// States: off; on; and waiting for a rewrite: turned on while the server runs, it has no base that
// its commands could follow, so they go to a temporary file until the first rewrite has ended.
//
// A rewrite: the next incr file is begun and named in the manifest, then a child is forked that
// writes a base of what there was at that moment; once it is there, the manifest names the base and
// the incr files since, and nothing else. The set named by the manifest is whole at any moment.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/engine.h"
#include "net/connection.h"
#include "persist/aof_files.h"
#include "persist/aof_log.h"
#include "persist/aof_sync_thread.h"
#include "persist/background_child.h"
#include "persist/info_lines.h"
#include "persist/persistence.h"
#include "persist/snapshot_writer.h"

namespace backplane {

class AppendOnly final : public OutputBarrier,
                         private AofLog::Owner,
                         private BackgroundChild::Work,
                         private SaveWatcher {
 public:
  // Both outlive it.
  AppendOnly(Engine& engine, Persistence& persistence);
  AppendOnly(const AppendOnly&) = delete;
  AppendOnly& operator=(const AppendOnly&) = delete;
  ~AppendOnly() override;

  // Whose output waits for the file; not owned, may stay null.
  void set_connections(ConnectionSet* connections) { connections_ = connections; }
  // `wake` is called on a thread of its own when the disk has more: BeforeWait should run soon.
  // `changed`: by BeforeWait then, or when the file was turned off: IsSynced may answer otherwise.
  void set_on_synced(std::function<void()> wake, std::function<void()> changed);

  // --- at start, with the option on ---
  // Reads the set of files, if there is one. An error was logged; the process must not serve then.
  Status LoadAtStart();
  // From now on changes are written. An error was logged.
  Status OpenAtStart();

  // --- while the server runs ---
  // What the option says has changed; no-op when it has not. kIo: it cannot be turned on.
  Status Apply(bool on);
  // The options appendfsync and aof-disable-auto-gc have changed.
  void ApplyOptions();
  bool enabled() const { return state_ != State::kOff; }
  // DEBUG LOADAOF. After a failed load the data set is empty.
  Status Reload();
  // The data were replaced without commands: the file begins anew.
  void Restart();
  // Once a turn of the loop, before it waits: writes what there is, tells of what got onto the
  // disk.
  void BeforeWait();
  void BeforeOutput() override {
    if (log_.has_buffered()) log_.Flush(false);
  }
  // Reaps the child, starts what was scheduled. Call from the server's cron.
  void OnCron();
  // A rewrite, when the file has grown enough. After save points have had their chance.
  void StartDueRewrite();
  // Writes and syncs what there is; a running rewrite is ended. An error: the exit should be called
  // off, unless `force`.
  Status PrepareShutdown(bool force);
  // Nothing more is written.
  void Close();
  // In a forked child: the file is the parent's.
  void LetGoInForkedChild();

  // --- rewrite ---
  bool rewriting() const { return child_ != nullptr; }
  // kBusy: another child runs; kIo: the reason was logged.
  Status StartRewrite();
  // At the next cron without a child.
  void ScheduleRewrite();

  // All changes up to this mark (PropagationStream::commands_sent) are on the disk for sure.
  bool IsSynced(uint64_t mark) const;

  size_t buffer_memory() const { return log_.buffer_memory(); }
  void set_flush_sleep_us(int64_t us) { log_.set_flush_sleep_us(us); }
  // Lines of INFO's Persistence section: about the state, and about the files when there are any.
  void AppendInfo(InfoLines& lines) const;
  void AppendFileInfo(InfoLines& lines) const;

 private:
  enum class State : uint8_t { kOff, kWaitRewrite, kOn };

  void SetState(State state);
  Status LoadFiles();
  Status TurnOn();
  void TurnOff();
  Status CreateFirstBase();
  Status OpenIncr(bool fresh);
  // The base's bytes, by the options as they are now.
  Status WriteBase(AofManifest::BaseForm form, int fd, SaveWatcher* watcher);
  AofManifest::BaseForm FormByOption() const;
  uint64_t current_size() const { return closed_bytes_ + log_.file_size(); }

  // --- rewrite ---
  Status BeginRewrite();
  // Where the commands after the fork go.
  Status OpenFileOfRewrite();
  Status OpenNextIncr();
  Status ForkChild();
  void RewriteEnded(const BackgroundChild::Exit& exit);
  // The child's base takes its place.
  Status AdoptBase();
  void RewriteFailed(bool counts);
  void DropTempIncr();
  void KillChild();
  static void UnlinkTemp(pid_t pid);
  // A rewrite that failed again and again waits longer and longer; told in the log once.
  bool IsLimited();
  bool RunInChild(BackgroundChild::Reporter& reporter) override;
  void OnKeysSaved(uint64_t keys) override;

  bool ChildActive() const override { return persistence_.child_active(); }
  Logger& logger() { return engine_.logger(); }
  const Settings& settings() const { return engine_.settings(); }

  Engine& engine_;
  Persistence& persistence_;
  ConnectionSet* connections_ = nullptr;
  std::function<void()> changed_;
  AofSyncThread sync_;
  AofFiles files_;
  AofLog log_;
  State state_ = State::kOff;
  uint64_t told_mark_ = 0;
  uint64_t closed_bytes_ = 0;  // of the set without the file that is written to
  uint64_t base_bytes_ = 0;    // of the whole set after the last rewrite; of the base, if loaded

  std::unique_ptr<BackgroundChild> child_;
  BackgroundChild::Reporter* reporter_ = nullptr;  // in the child only
  AofManifest::BaseForm child_form_ = AofManifest::BaseForm::kRdb;
  uint64_t mark_at_fork_ = 0;
  bool rewrite_scheduled_ = false;
  int64_t rewrite_start_ms_ = 0;
  int64_t last_rewrite_seconds_ = -1;
  bool last_rewrite_ok_ = true;
  uint64_t rewrites_ = 0;
  int failures_in_a_row_ = 0;
  int64_t limit_minutes_ = 0;
  int64_t limited_until_ms_ = 0;
  uint64_t last_cow_bytes_ = 0;
};

}  // namespace backplane
