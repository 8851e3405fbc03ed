// SPDX-License-Identifier: BSD-3-Clause
// Engine as the keyspace's observer: publishes keyspace notifications, tells listeners, propagates
// expiries.
#include "base/numbers.h"
#include "engine/engine.h"

namespace backplane {

void Engine::AddListener(KeyspaceListener* listener) {
  listeners_.push_back(listener);
  ListenersChanged();
}

void Engine::RemoveListener(KeyspaceListener* listener) {
  std::erase(listeners_, listener);
  ListenersChanged();
}

void Engine::ListenersChanged() {
  auto published = static_cast<uint32_t>(services_.settings.notify_keyspace_events);
  // Without K or E nothing is published, whatever classes are named.
  uint32_t mask = (published & (kNotifyKeyspace | kNotifyKeyevent)) != 0 ? published : 0;
  bool removals = false;
  for (KeyspaceListener* listener : listeners_) {
    mask |= listener->wanted_classes();
    removals |= listener->wants_removals();
  }
  services_.keyspace.set_notify_mask(mask & ~(kNotifyKeyspace | kNotifyKeyevent));
  services_.keyspace.set_reports_removals(removals);
}

void Engine::KeyModified(Database& db, std::string_view key) {
  for (KeyspaceListener* listener : listeners_) listener->OnKeyModified(db, key);
  if (!tracking_.active()) [[likely]]
    return;
  // Of one that has expired tracking knows: it was nobody's doing, whoever found it.
  if (key != expired_key_) tracking_.OnKeyModified(key, executing());
  expired_key_.clear();
}

void Engine::KeyEvent(Database& db, uint32_t notify_class, std::string_view event,
                      std::string_view key) {
  // Modules first: they may act on the key before anybody reads about it.
  for (size_t i = 0; i < listeners_.size(); ++i) {
    if ((listeners_[i]->wanted_classes() & notify_class) != 0) {
      listeners_[i]->OnKeyEvent(db, notify_class, event, key);
    }
  }
  auto published = static_cast<uint32_t>(services_.settings.notify_keyspace_events);
  if ((published & notify_class) == 0) return;
  auto publish = [&](std::string_view prefix, std::string_view name, std::string_view message) {
    std::string channel(prefix);
    channel += Int64ToString(db.index());
    channel += "__:";
    channel += name;
    services_.pubsub.Publish(channel, message);
  };
  if ((published & kNotifyKeyspace) != 0) publish("__keyspace@", key, event);
  if ((published & kNotifyKeyevent) != 0) publish("__keyevent@", event, key);
}

void Engine::KeyExpired(Database& db, std::string_view key) {
  if (tracking_.active()) [[unlikely]] {
    tracking_.OnKeyModified(key, nullptr);
    expired_key_ = key;
  }
  if (!propagation_.wanted()) return;
  Unit unit(*this);
  std::string_view args[] = {services_.settings.lazyfree_lazy_expire ? "UNLINK" : "DEL", key};
  propagation_.Append(db.index(), args);
}

void Engine::NotifyFlush(int db, bool sync, bool before) {
  for (size_t i = 0; i < listeners_.size(); ++i) listeners_[i]->OnFlush(db, sync, before);
  if (!before && tracking_.active()) tracking_.OnFlush();
}

void Engine::NotifySwap(int first, int second) {
  for (size_t i = 0; i < listeners_.size(); ++i) listeners_[i]->OnSwapDatabases(first, second);
}

void Engine::KeyRemoving(Database& db, const Entry& entry, RemovalReason reason) {
  if (listeners_.size() == 1) return listeners_[0]->OnKeyRemoving(db, entry, reason);
  // Code of modules is told: the key may have another entry behind it, or none.
  const std::string name(entry.key());
  const Entry* now = &entry;
  for (size_t i = 0; i < listeners_.size() && now != nullptr; ++i) {
    listeners_[i]->OnKeyRemoving(db, *now, reason);
    now = db.LookUp(Key(name));
  }
}

}  // namespace backplane
