// SPDX-License-Identifier: BSD-3-Clause
// KeyWaiters: bookkeeping, and serving at the end of a unit.
#include "engine/key_waiters.h"

#include <algorithm>

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

size_t KeyWaiters::key_count_for_deletes() const {
  return static_cast<size_t>(std::count_if(waiting_.begin(), waiting_.end(), [](const auto& pair) {
    return pair.second.for_deletes != 0;
  }));
}

void KeyWaiters::Add(KeyWaiter* waiter) {
  waiter->ticket_ = ++tickets_;
  for (const std::string& key : waiter->waits_for()) {
    const auto [place, fresh] = waiting_.try_emplace(Place(waiter->waits_in_db(), key));
    Queue& queue = place->second;
    if (fresh) queue.type = TypeOf(place->first);
    const bool added = queue.waiters.emplace(waiter->ticket_, waiter).second;
    if (added && waiter->wakes_on_delete()) ++queue.for_deletes;
  }
  Listen(true);
}

void KeyWaiters::Remove(KeyWaiter* waiter) {
  if (waiter->ticket_ == 0) return;
  for (const std::string& key : waiter->waits_for()) {
    auto it = waiting_.find(Place(waiter->waits_in_db(), key));
    if (it == waiting_.end()) continue;
    Queue& queue = it->second;
    if (queue.waiters.erase(waiter->ticket_) != 0 && waiter->wakes_on_delete()) --queue.for_deletes;
    if (queue.waiters.empty()) waiting_.erase(it);
  }
  waiter->ticket_ = 0;
}

std::optional<TypeId> KeyWaiters::TypeOf(const Place& place) {
  const Entry* entry = engine_->keyspace().db(place.first).PeekWithoutEffects(Key(place.second));
  if (entry == nullptr) return std::nullopt;
  return entry->type();
}

void KeyWaiters::MarkReady(Queues::iterator queue, bool only_changed) {
  auto it = std::find_if(ready_.begin(), ready_.end(),
                         [&](const Ready& ready) { return ready.place == queue->first; });
  if (it == ready_.end()) {
    ready_.push_back({queue->first, only_changed});
  } else if (!only_changed) {
    it->only_changed = false;
  }
}

void KeyWaiters::Signal(int db, std::string_view key) {
  if (waiting_.empty()) return;
  auto it = waiting_.find(std::pair(db, key));
  if (it != waiting_.end()) MarkReady(it, false);
}

void KeyWaiters::OnKeyModified(Database& db, std::string_view key) {
  auto it = waiting_.find(std::pair(db.index(), key));
  if (it == waiting_.end()) return;
  // Another type is another value, also where it was written over the old one.
  const std::optional<TypeId> before = std::exchange(it->second.type, TypeOf(it->first));
  MarkReady(it, before == it->second.type);
}

void KeyWaiters::OnKeyEvent(Database& db, uint32_t notify_class, std::string_view /*event*/,
                            std::string_view key) {
  if (notify_class == kNotifyNew) Signal(db.index(), key);
}

void KeyWaiters::OnKeyRemoving(Database& db, const Entry& entry,
                               KeyspaceObserver::RemovalReason /*reason*/) {
  // Told of every value of a module's type: one of these may be of another type than the next.
  if (entry.type() == TypeId::kModule) Signal(db.index(), entry.key());
}

void KeyWaiters::OnSwapDatabases(int first, int second) {
  // What stood in the one stands in the other now.
  for (const auto& [place, queue] : waiting_) {
    if (place.first == first || place.first == second) Signal(place.first, place.second);
  }
}

void KeyWaiters::OnFlush(int db, bool /*sync*/, bool before) {
  if (before) return;
  for (const auto& [place, queue] : waiting_) {
    if (db < 0 || place.first == db) Signal(place.first, place.second);
  }
}

void KeyWaiters::Serve(const Ready& ready) {
  const Place& place = ready.place;
  // Whoever comes while these are asked has its turn at the next change.
  const uint64_t last = tickets_;
  uint64_t asked = 0;
  for (;;) {
    // Looked up anew: serving changes the queues.
    auto it = waiting_.find(place);
    if (it == waiting_.end()) return;
    const bool exists = engine_->keyspace().db(place.first).Exists(Key(place.second));
    if (!exists && it->second.for_deletes == 0) return;
    auto next = it->second.waiters.upper_bound(asked);
    if (next == it->second.waiters.end() || next->first > last) return;
    asked = next->first;
    KeyWaiter* waiter = next->second;
    if (exists ? ready.only_changed && !waiter->wakes_on_change() : !waiter->wakes_on_delete()) {
      continue;
    }
    const size_t ready_before = ready_.size();
    // One that only looked may have touched keys by looking (one that a module opened for writing
    // counts as changed): if that were news, those that wait on would be asked for ever.
    if (!waiter->OnKeyReady(place.second)) ready_.resize(std::min(ready_.size(), ready_before));
  }
}

void KeyWaiters::AfterUnit() {
  if (serving_) return;
  serving_ = true;
  // Time may have passed since the unit began: a key that has expired meanwhile is not ready.
  if (!ready_.empty()) engine_->RefreshClock();
  while (!ready_.empty()) {
    std::vector<Ready> ready;
    ready.swap(ready_);
    for (const Ready& each : ready) Serve(each);
  }
  serving_ = false;
}

}  // namespace backplane
