// SPDX-License-Identifier: BSD-3-Clause
// WATCH bookkeeping.
#include "keyspace/watch.h"

#include <algorithm>
#include <cstring>

namespace backplane {

Watcher::~Watcher() {
  if (table_ != nullptr) table_->Unwatch(*this);
}

std::string WatchTable::NameOf(int db, std::string_view key) {
  std::string name(sizeof(int) + key.size(), '\0');
  std::memcpy(name.data(), &db, sizeof(db));
  std::memcpy(name.data() + sizeof(db), key.data(), key.size());
  return name;
}

int WatchTable::DbOf(const std::string& name) {
  int db;
  std::memcpy(&db, name.data(), sizeof(db));
  return db;
}

void WatchTable::Watch(Watcher& watcher, int db, std::string_view key, bool expired) {
  List& list = watchers_[NameOf(db, key)];
  if (std::find(list.begin(), list.end(), &watcher) != list.end()) return;
  list.push_back(&watcher);
  watcher.table_ = this;
  watcher.keys_.push_back({db, std::string(key), expired});
}

void WatchTable::Unwatch(Watcher& watcher) {
  for (const auto& watched : watcher.keys_) {
    auto it = watchers_.find(NameOf(watched.db, watched.key));
    if (it == watchers_.end()) continue;
    std::erase(it->second, &watcher);
    if (it->second.empty()) watchers_.erase(it);
  }
  watcher.keys_.clear();
  watcher.touched_ = false;
}

void WatchTable::Mark(const List& list, int db, std::string_view key) {
  for (Watcher* watcher : list) {
    if (watcher->touched_) continue;
    bool counts = true;
    for (auto& watched : watcher->keys_) {
      if (watched.db != db || watched.key != key || !watched.expired_at_watch) continue;
      // The first touch of a key that was already expired at WATCH is its removal, which is no
      // change.
      watched.expired_at_watch = false;
      counts = false;
    }
    if (counts) watcher->touched_ = true;
  }
}

void WatchTable::Touch(int db, std::string_view key) {
  auto it = watchers_.find(NameOf(db, key));
  if (it != watchers_.end()) Mark(it->second, db, key);
}

}  // namespace backplane
