// SPDX-License-Identifier: BSD-3-Clause
// ServerEvents: what the server does, as modules hear of it. One declaration table says which
// events and subevents exist and which this server fires. Engine thread.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "modhost/api_signatures.h"
#include "modhost/registration.h"

namespace backplane {

class ModuleHost;
class ServerEvents;

class EventSubscription final : public Registration {
 public:
  EventSubscription(Module* module, ServerEvents* events, RedisModuleEvent event,
                    RedisModuleEventCallback callback);
  ~EventSubscription() override;
  const char* kind() const override { return "event-subscription"; }

  RedisModuleEvent event;
  RedisModuleEventCallback callback;
  bool active = false;

 private:
  ServerEvents* events_;
};

class ServerEvents {
 public:
  explicit ServerEvents(ModuleHost* host) : host_(host) {}

  // False when the event or its data version is unknown here.
  static bool Supported(RedisModuleEvent event);
  // True when this server fires the subevent.
  static bool SubeventSupported(RedisModuleEvent event, uint64_t subevent);

  // One subscription for each module and event; a null callback ends it.
  void Subscribe(Module* module, RedisModuleEvent event, RedisModuleEventCallback callback);
  bool Wanted(uint64_t id) const { return id < subscribers_.size() && !subscribers_[id].empty(); }
  // `data` is the structure of the event or null.
  // `db`: which one callbacks have selected.
  void Fire(uint64_t id, uint64_t subevent, void* data, int db = 0) {
    Deliver(nullptr, id, subevent, data, db);
  }
  // To one module only: what would be news for nobody else.
  void FireTo(Module& module, uint64_t id, uint64_t subevent, void* data) {
    Deliver(&module, id, subevent, data, 0);
  }

 private:
  friend class EventSubscription;
  static constexpr size_t kEventCount = 20;
  void Changed(uint64_t id);
  void Deliver(const Module* only, uint64_t id, uint64_t subevent, void* data, int db);

  ModuleHost* host_;
  std::array<std::vector<EventSubscription*>, kEventCount> subscribers_;
};

}  // namespace backplane
