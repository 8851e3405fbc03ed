// SPDX-License-Identifier: BSD-3-Clause
// KeyWaiters: bookkeeping, and serving at the end of a unit.
#include "modhost/key_waiters.h"

#include <algorithm>

#include "modhost/blocked_client.h"

namespace backplane {

KeyWaiters::~KeyWaiters() { Listen(false); }

void KeyWaiters::Listen(bool wanted) {
  if (wanted == listening_) return;
  listening_ = wanted;
  if (wanted) {
    engine_->AddListener(this);
    engine_->AddUnitHook(this);
  } else {
    engine_->RemoveListener(this);
    engine_->RemoveUnitHook(this);
  }
}

void KeyWaiters::Add(RedisModuleBlockedClient* client) {
  for (const std::string& key : client->keys) waiting_[{client->db, key}].push_back(client);
  Listen(true);
}

void KeyWaiters::Remove(RedisModuleBlockedClient* client) {
  for (const std::string& key : client->keys) {
    auto it = waiting_.find({client->db, key});
    if (it == waiting_.end()) continue;
    std::erase(it->second, client);
    if (it->second.empty()) waiting_.erase(it);
  }
}

void KeyWaiters::Signal(int db, std::string_view key) {
  if (waiting_.empty()) return;
  Place place(db, key);
  if (!waiting_.contains(place)) return;
  if (std::find(ready_.begin(), ready_.end(), place) == ready_.end()) {
    ready_.push_back(std::move(place));
  }
}

void KeyWaiters::OnSwapDatabases(int first, int second) {
  // What stood in the one stands in the other now.
  for (const auto& [place, clients] : waiting_) {
    if (place.first == first || place.first == second) Signal(place.first, place.second);
  }
}

void KeyWaiters::Serve(const Place& place) {
  auto it = waiting_.find(place);
  if (it == waiting_.end()) return;
  // Callbacks change the list.
  const std::deque<RedisModuleBlockedClient*> clients = it->second;
  for (RedisModuleBlockedClient* client : clients) {
    it = waiting_.find(place);
    if (it == waiting_.end()) return;
    auto& still = it->second;
    if (std::find(still.begin(), still.end(), client) == still.end()) continue;
    const bool exists = engine_->keyspace().db(place.first).Exists(Key(place.second));
    if (!exists && !client->wakes_on_delete) continue;
    const size_t ready_before = ready_.size();
    client->ServeKey(place.second);
    // A callback that only looked may have touched keys by looking (one opened for writing counts
    // as changed): if that were news, clients that wait on would be asked for ever.
    if (!client->served) ready_.resize(std::min(ready_.size(), ready_before));
  }
}

void KeyWaiters::OnUnitEnd() {
  if (serving_) return;
  serving_ = true;
  while (!ready_.empty()) {
    std::vector<Place> ready;
    ready.swap(ready_);
    for (const Place& place : ready) Serve(place);
  }
  serving_ = false;
}

}  // namespace backplane
