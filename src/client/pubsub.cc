// SPDX-License-Identifier: BSD-3-Clause
// PubSub: subscription maps and delivery.
#include "client/pubsub.h"

#include <algorithm>

#include "base/glob.h"

namespace backplane {
namespace {

// A node of the subscriber's set, and its place in the channel's list.
constexpr size_t kSubscriptionBytes = sizeof(std::string) + 3 * sizeof(void*);

}  // namespace

Subscriber::~Subscriber() {
  if (pubsub_ != nullptr) pubsub_->UnsubscribeAll(*this);
}

PubSub::Map& PubSub::MapOf(Kind kind) {
  return kind == Kind::kChannel ? channels_ : kind == Kind::kPattern ? patterns_ : shard_channels_;
}
const PubSub::Map& PubSub::MapOf(Kind kind) const { return const_cast<PubSub*>(this)->MapOf(kind); }

std::unordered_set<std::string>& PubSub::SetOf(Subscriber& subscriber, Kind kind) {
  return kind == Kind::kChannel   ? subscriber.channels_
         : kind == Kind::kPattern ? subscriber.patterns_
                                  : subscriber.shard_channels_;
}

bool PubSub::Subscribe(Subscriber& subscriber, Kind kind, std::string_view name) {
  std::string text(name);
  if (!SetOf(subscriber, kind).insert(text).second) return false;
  subscriber.pubsub_ = this;
  subscriber.subscription_memory_ += kSubscriptionBytes + name.size();
  MapOf(kind)[std::move(text)].push_back(&subscriber);
  return true;
}

bool PubSub::Unsubscribe(Subscriber& subscriber, Kind kind, std::string_view name) {
  std::string text(name);
  if (SetOf(subscriber, kind).erase(text) == 0) return false;
  subscriber.subscription_memory_ -= kSubscriptionBytes + name.size();
  Map& map = MapOf(kind);
  auto it = map.find(text);
  std::erase(it->second, &subscriber);
  if (it->second.empty()) map.erase(it);
  return true;
}

void PubSub::UnsubscribeAll(Subscriber& subscriber) {
  for (Kind kind : {Kind::kChannel, Kind::kPattern, Kind::kShard}) {
    auto& names = SetOf(subscriber, kind);
    while (!names.empty()) Unsubscribe(subscriber, kind, std::string(*names.begin()));
  }
}

size_t PubSub::Publish(std::string_view channel, std::string_view message) {
  size_t receivers = 0;
  if (!channels_.empty()) {
    auto it = channels_.find(std::string(channel));
    if (it != channels_.end()) {
      for (Subscriber* s : it->second) s->OnMessage(channel, message);
      receivers += it->second.size();
    }
  }
  for (const auto& [pattern, subscribers] : patterns_) {
    if (!GlobMatch(pattern, channel)) continue;
    for (Subscriber* s : subscribers) s->OnPatternMessage(pattern, channel, message);
    receivers += subscribers.size();
  }
  return receivers;
}

size_t PubSub::PublishShard(std::string_view channel, std::string_view message) {
  auto it = shard_channels_.find(std::string(channel));
  if (it == shard_channels_.end()) return 0;
  for (Subscriber* s : it->second) s->OnShardMessage(channel, message);
  return it->second.size();
}

std::vector<std::string_view> PubSub::Channels(std::string_view pattern, Kind kind) const {
  std::vector<std::string_view> names;
  for (const auto& [name, subscribers] : MapOf(kind)) {
    if (pattern.empty() || GlobMatch(pattern, name)) names.push_back(name);
  }
  return names;
}

size_t PubSub::SubscriberCount(std::string_view channel, Kind kind) const {
  const Map& map = MapOf(kind);
  auto it = map.find(std::string(channel));
  return it == map.end() ? 0 : it->second.size();
}

}  // namespace backplane
