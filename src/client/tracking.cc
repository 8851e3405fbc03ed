// SPDX-License-Identifier: BSD-3-Clause
// ClientTracking: the table of read keys, the prefixes, and telling clients.
#include "client/tracking.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "client/session.h"

namespace backplane {

size_t TrackingState::memory() const {
  constexpr size_t kNodeBytes = 2 * sizeof(void*) + sizeof(std::string) + 2 * sizeof(void*);
  size_t bytes = sizeof(*this);
  for (const std::string& prefix : prefixes) bytes += kNodeBytes + prefix.size();
  return bytes;
}

void ClientTracking::Enable(Session& session, const TrackingOptions& options,
                            const std::vector<std::string_view>& prefixes) {
  if (session.tracking == nullptr) {
    session.tracking = std::make_unique<TrackingState>();
    session.tracking->owner = this;
    sessions_[session.id()] = &session;
  }
  session.tracking->options = options;
  session.tracking->redirect_broken = false;
  if (!options.broadcast) return;
  if (prefixes.empty()) AddPrefix(session, "");
  for (std::string_view prefix : prefixes) AddPrefix(session, prefix);
}

void ClientTracking::AddPrefix(Session& session, std::string_view prefix) {
  if (!session.tracking->prefixes.emplace(prefix).second) return;
  prefixes_[std::string(prefix)].clients.insert(session.id());
}

void ClientTracking::Disable(Session& session) {
  if (session.tracking == nullptr) return;
  for (const std::string& name : session.tracking->prefixes) {
    auto it = prefixes_.find(name);
    it->second.clients.erase(session.id());
    if (it->second.clients.empty()) prefixes_.erase(it);
  }
  session.tracking.reset();
  sessions_.erase(session.id());
  if (active()) return;
  // Nobody keeps the table up to date from here on.
  table_.clear();
  items_ = 0;
}

bool ClientTracking::Remembers(const Session& session) {
  if (session.tracking == nullptr) return false;
  const TrackingOptions& options = session.tracking->options;
  if (options.broadcast) return false;
  if (options.opt_in) return session.tracking->caching;
  return !options.opt_out || !session.tracking->caching;
}

void ClientTracking::Remember(Session& session, std::string_view key) {
  auto it = table_.find(key);
  if (it == table_.end()) it = table_.emplace(std::string(key), Ids()).first;
  Ids& ids = it->second;
  const auto place = std::lower_bound(ids.begin(), ids.end(), session.id());
  if (place != ids.end() && *place == session.id()) return;
  ids.insert(place, session.id());
  ++items_;
}

void ClientTracking::OnKeyModified(std::string_view key, const Session* by) {
  for (auto& [name, prefix] : prefixes_) {
    if (!key.starts_with(name)) continue;
    prefix.changed.insert_or_assign(std::string(key), by != nullptr ? by->id() : 0);
    broadcasts_pending_ = true;
  }
  if (auto it = table_.find(key); it != table_.end()) Invalidate(it, by);
}

void ClientTracking::Invalidate(Table::iterator at, const Session* by) {
  auto node = table_.extract(at);
  items_ -= node.mapped().size();
  const std::vector<std::string_view> keys = {node.key()};
  for (const uint64_t id : node.mapped()) {
    const auto it = sessions_.find(id);
    if (it == sessions_.end()) continue;
    Session& session = *it->second;
    const TrackingOptions& options = session.tracking->options;
    // One that has gone over to broadcasting hears of the key in that way, if at all.
    if (options.broadcast || (options.no_loop && &session == by)) continue;
    Tell(session, &keys);
  }
}

void ClientTracking::Tell(Session& session, const std::vector<std::string_view>* keys) {
  TrackingState& state = *session.tracking;
  Session* receiver = &session;
  if (state.options.redirect != 0) {
    receiver = finder_ != nullptr ? finder_->FindSession(state.options.redirect) : nullptr;
    if (receiver == nullptr) {
      state.redirect_broken = true;
      session.OnRedirectBroken(state.options.redirect);
      return;
    }
  }
  // RESP2 knows messages of channels only, and a client gets those only if it is ready for them.
  const bool in_channel = receiver->reply().resp() == 2;
  if (in_channel && (receiver == &session || !receiver->subscribed())) return;
  receiver->OnInvalidation(keys);
}

void ClientTracking::OnFlush() {
  for (const auto& [id, session] : sessions_) Tell(*session, nullptr);
  table_.clear();
  items_ = 0;
}

void ClientTracking::LimitTable(size_t keys_max) {
  if (keys_max == 0 || table_.size() <= keys_max) [[likely]] {
    effort_ = 0;
    return;
  }
  constexpr size_t kShare = 100;
  size_t share = kShare * (++effort_);
  for (; share > 0 && table_.size() > keys_max; --share) Invalidate(table_.begin(), nullptr);
}

bool ClientTracking::SendBroadcasts() {
  if (!broadcasts_pending_) [[likely]]
    return false;
  broadcasts_pending_ = false;
  std::vector<std::string_view> keys;
  for (auto& [name, prefix] : prefixes_) {
    if (prefix.changed.empty()) continue;
    for (const uint64_t id : prefix.clients) {
      Session& session = *sessions_.find(id)->second;
      const bool no_loop = session.tracking->options.no_loop;
      keys.clear();
      for (const auto& [key, by] : prefix.changed) {
        if (!no_loop || by != id) keys.push_back(key);
      }
      if (!keys.empty()) Tell(session, &keys);
    }
    prefix.changed.clear();
  }
  return true;
}

}  // namespace backplane
