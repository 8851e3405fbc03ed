// SPDX-License-Identifier: BSD-3-Clause
// AofLog: the file of the append-only file that is written to now. Takes every change from the
// PropagationStream, keeps it in memory until Flush, and sees to it that it gets onto the disk as
// the option appendfsync says:
//   always    when Flush returns
//   everysec  about once a second, by the AofSyncThread; while that is at it, writes wait for up to
//             two seconds, since the kernel would let them wait too
//   no        when the kernel likes
// Owned by AppendOnly. Engine thread, or a module's thread with the host lock.
//
// What could not be written stays in memory and is tried again; with `always` the process ends,
// since clients would be told of what is not there.
//
// Marks are PropagationStream::commands_sent().
#pragma once

#include <cstdint>
#include <string>

#include "engine/engine.h"
#include "persist/aof_sync_thread.h"

namespace backplane {

enum class AppendFsync : int { kNo, kAlways, kEverySecond };

class AofLog final : public PropagationSink {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    // A child process reads much or writes much: no-appendfsync-on-rewrite asks.
    virtual bool ChildActive() const = 0;
  };

  // All outlive it.
  AofLog(Engine& engine, AofSyncThread& sync, const Owner& owner);
  AofLog(const AofLog&) = delete;
  AofLog& operator=(const AofLog&) = delete;
  // Without Close nothing more is written.
  ~AofLog() override;

  // Takes the descriptor of a file with so many bytes, opened for appending. REQUIRES: !is_open().
  void Open(int fd, uint64_t size);
  // Goes on in another, empty file; what is in memory goes to the old one, which is synced and
  // closed in the background. False, and nothing has changed: it could not be written.
  bool Rotate(int fd);
  // Writes and syncs what there is, if it can be.
  void Close();
  // Forgets the file and what is in memory.
  void Abandon();
  bool is_open() const { return fd_ >= 0; }
  // As Abandon, but the descriptor stays: no thread of the parent's is there to wait for.
  void LetGoInForkedChild() { fd_ = -1; }
  // Somebody else has cut the file.
  void CorrectSize(uint64_t size) { size_ = size; }

  // Writes what is in memory. `force`: whatever the disk does now.
  void Flush(bool force);
  // And puts it on the disk before it returns. False: that failed.
  bool FlushAndSync();
  bool has_buffered() const { return !buffer_.empty(); }

  uint64_t file_size() const { return size_; }
  size_t buffered_bytes() const { return buffer_.size(); }
  // Without what is within the object itself.
  size_t buffer_memory() const {
    return buffer_.capacity() > std::string().capacity() ? buffer_.capacity() : 0;
  }
  uint64_t delayed_syncs() const { return delayed_syncs_; }
  // Everything up to this mark is on the disk.
  uint64_t synced_mark() const;
  // What was sent up to this mark is on the disk by other means.
  void CoverUpTo(uint64_t mark) {
    if (mark > synced_mark_) synced_mark_ = mark;
  }
  // errno of the last write or sync; 0: it went well.
  int error() const;
  // DEBUG AOF-FLUSH-SLEEP.
  void set_flush_sleep_us(int64_t us) { flush_sleep_us_ = us; }

  // --- PropagationSink. Dropped while no file is open. ---
  void OnCommand(int db, std::span<const std::string_view> args) override;

 private:
  AppendFsync policy() const { return static_cast<AppendFsync>(engine_.settings().appendfsync); }
  // True: the write waits for a sync that is under way.
  bool Postpone(bool force);
  // Writes once; false when something is left.
  bool Write();
  void WriteFailed(size_t wrote, int error);
  void SyncByPolicy();
  void SyncInBackground();
  void LogRarely(const std::string& text);

  Engine& engine_;
  AofSyncThread& sync_;
  const Owner& owner_;
  int fd_ = -1;
  uint64_t size_ = 0;
  std::string buffer_;
  int selected_db_ = -1;
  int64_t noted_second_ = 0;
  uint64_t written_mark_ = 0;    // of what is in the file
  uint64_t requested_mark_ = 0;  // of what has been, or is being, synced
  uint64_t synced_mark_ = 0;     // by this thread
  int write_error_ = 0;
  int64_t retry_us_ = 0;
  int64_t last_sync_us_ = 0;
  int64_t postponed_since_us_ = 0;
  int64_t last_log_us_ = 0;
  uint64_t delayed_syncs_ = 0;
  int64_t flush_sleep_us_ = 0;
};

}  // namespace backplane
