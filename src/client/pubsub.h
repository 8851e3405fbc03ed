// SPDX-License-Identifier: BSD-3-Clause
// PubSub: channels and patterns with their subscribers. Commands and keyspace notifications
// publish; sessions subscribe. Engine thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace backplane {

class PubSub;

// Gets messages. A session implements it; the module host may.
class Subscriber {
 public:
  Subscriber() = default;
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;
  virtual ~Subscriber();

  virtual void OnMessage(std::string_view channel, std::string_view message) = 0;
  virtual void OnPatternMessage(std::string_view pattern, std::string_view channel,
                                std::string_view message) = 0;
  virtual void OnShardMessage(std::string_view channel, std::string_view message) = 0;

  const std::unordered_set<std::string>& channels() const { return channels_; }
  const std::unordered_set<std::string>& patterns() const { return patterns_; }
  const std::unordered_set<std::string>& shard_channels() const { return shard_channels_; }
  // What (P)SUBSCRIBE replies count.
  size_t subscription_count() const { return channels_.size() + patterns_.size(); }
  bool subscribed() const { return subscription_count() + shard_channels_.size() > 0; }
  // Bytes that the subscriptions take, here and in the maps of PubSub, about.
  size_t subscription_memory() const { return subscription_memory_; }

 private:
  friend class PubSub;
  PubSub* pubsub_ = nullptr;
  std::unordered_set<std::string> channels_;
  std::unordered_set<std::string> patterns_;
  std::unordered_set<std::string> shard_channels_;
  size_t subscription_memory_ = 0;
};

class PubSub {
 public:
  enum class Kind : uint8_t { kChannel, kPattern, kShard };

  // True when it was not subscribed before.
  bool Subscribe(Subscriber& subscriber, Kind kind, std::string_view name);
  // True when it was.
  bool Unsubscribe(Subscriber& subscriber, Kind kind, std::string_view name);
  void UnsubscribeAll(Subscriber& subscriber);

  // Delivers; returns the number of receivers.
  size_t Publish(std::string_view channel, std::string_view message);
  size_t PublishShard(std::string_view channel, std::string_view message);

  // PUBSUB CHANNELS / NUMSUB / NUMPAT. An empty pattern lists all.
  std::vector<std::string_view> Channels(std::string_view pattern, Kind kind) const;
  size_t SubscriberCount(std::string_view channel, Kind kind) const;
  size_t channel_count() const { return channels_.size(); }
  size_t shard_channel_count() const { return shard_channels_.size(); }
  size_t pattern_count() const { return patterns_.size(); }
  bool empty() const { return channels_.empty() && patterns_.empty() && shard_channels_.empty(); }

 private:
  using Map = std::unordered_map<std::string, std::vector<Subscriber*>>;
  Map& MapOf(Kind kind);
  const Map& MapOf(Kind kind) const;
  static std::unordered_set<std::string>& SetOf(Subscriber& subscriber, Kind kind);

  Map channels_;
  Map patterns_;
  Map shard_channels_;
};

}  // namespace backplane
