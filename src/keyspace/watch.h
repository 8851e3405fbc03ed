// SPDX-License-Identifier: BSD-3-Clause
// WatchTable: which sessions WATCH which keys. A touch marks the session's transaction as failed.
// Engine thread.
#pragma once

#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace backplane {

class WatchTable;

// One session's watches; a member of the session. Its destructor leaves the table.
class Watcher {
 public:
  Watcher() = default;
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;
  ~Watcher();
  // True when a watched key changed since WATCH: EXEC must fail.
  bool touched() const { return touched_; }
  void Fail() { touched_ = true; }
  bool empty() const { return keys_.empty(); }

  struct WatchedKey {
    int db;
    std::string key;
    bool expired_at_watch;  // an already expired key that later goes is no change
  };
  const std::vector<WatchedKey>& keys() const { return keys_; }

 private:
  friend class WatchTable;
  WatchTable* table_ = nullptr;
  std::vector<WatchedKey> keys_;
  bool touched_ = false;
};

class WatchTable {
 public:
  bool empty() const { return watchers_.empty(); }
  // Watching twice is no error.
  void Watch(Watcher& watcher, int db, std::string_view key, bool expired);
  // UNWATCH: forgets all keys and the mark.
  void Unwatch(Watcher& watcher);
  void Touch(int db, std::string_view key);
  // FLUSHDB (`existing` says whether a key is in the database before) and SWAPDB: every watched key
  // of `db` for which pred(key) holds is touched.
  template <class Pred>
  void TouchIf(int db, Pred&& pred) {
    for (auto& [name, list] : watchers_) {
      if (DbOf(name) != db) continue;
      if (pred(KeyOf(name))) Mark(list, db, KeyOf(name));
    }
  }

  // After SWAPDB: watched keys of `db` for which stale(key) holds are there, but their time is
  // over; that they go is no change.
  template <class Pred>
  void NoteStale(int db, Pred&& stale) {
    for (auto& [name, list] : watchers_) {
      if (DbOf(name) != db || !stale(KeyOf(name))) continue;
      for (Watcher* watcher : list) {
        for (auto& watched : watcher->keys_) {
          if (watched.db == db && watched.key == KeyOf(name)) watched.expired_at_watch = true;
        }
      }
    }
  }

 private:
  using List = std::vector<Watcher*>;
  // Map key: the database number's four bytes, then the key.
  static std::string NameOf(int db, std::string_view key);
  static int DbOf(const std::string& name);
  static std::string_view KeyOf(const std::string& name) {
    return std::string_view(name).substr(sizeof(int));
  }
  static void Mark(const List& list, int db, std::string_view key);

  std::unordered_map<std::string, List> watchers_;
};

}  // namespace backplane
