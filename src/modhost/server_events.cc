// SPDX-License-Identifier: BSD-3-Clause
// ServerEvents: the declaration table, subscriptions, delivery.
#include "modhost/server_events.h"

#include "modhost/context.h"
#include "modhost/host.h"
#include "modhost/module_code.h"

namespace backplane {
namespace {

struct EventRow {
  uint64_t id;
  uint64_t version_max;  // of its data
  uint32_t subevents;    // bits of the subevents that exist
};

constexpr uint32_t Bits(int count) { return (1u << count) - 1; }

// Those about replication are known as well: this server has none, so that they never happen.
constexpr EventRow kEvents[] = {
    {REDISMODULE_EVENT_REPLICATION_ROLE_CHANGED, 1, Bits(2)},
    {REDISMODULE_EVENT_PERSISTENCE, 1, Bits(6)},
    {REDISMODULE_EVENT_FLUSHDB, 1, Bits(2)},
    {REDISMODULE_EVENT_LOADING, 1, Bits(5)},
    {REDISMODULE_EVENT_CLIENT_CHANGE, 1, Bits(2)},
    {REDISMODULE_EVENT_SHUTDOWN, 1, 0},
    {REDISMODULE_EVENT_REPLICA_CHANGE, 1, Bits(2)},
    {REDISMODULE_EVENT_MASTER_LINK_CHANGE, 1, Bits(2)},
    {REDISMODULE_EVENT_CRON_LOOP, 1, 0},
    {REDISMODULE_EVENT_MODULE_CHANGE, 1, Bits(2)},
    {REDISMODULE_EVENT_LOADING_PROGRESS, 1, Bits(2)},
    {REDISMODULE_EVENT_SWAPDB, 1, 0},
    {REDISMODULE_EVENT_REPL_BACKUP, 1, Bits(3)},
    {REDISMODULE_EVENT_FORK_CHILD, 1, Bits(2)},
    {REDISMODULE_EVENT_REPL_ASYNC_LOAD, 1, Bits(3)},
    {REDISMODULE_EVENT_EVENTLOOP, 1, Bits(2)},
    {REDISMODULE_EVENT_CONFIG, 1, Bits(1)},
    {REDISMODULE_EVENT_KEY, 1, Bits(4)},
};

const EventRow* RowOf(uint64_t id) {
  for (const EventRow& row : kEvents) {
    if (row.id == id) return &row;
  }
  return nullptr;
}

}  // namespace

EventSubscription::EventSubscription(Module* module, ServerEvents* events,
                                     RedisModuleEvent event_in,
                                     RedisModuleEventCallback callback_in)
    : Registration(module), event(event_in), callback(callback_in), events_(events) {
  events_->subscribers_[event.id].push_back(this);
  events_->Changed(event.id);
}

EventSubscription::~EventSubscription() {
  std::erase(events_->subscribers_[event.id], this);
  events_->Changed(event.id);
}

bool ServerEvents::Supported(RedisModuleEvent event) {
  const EventRow* row = RowOf(event.id);
  return row != nullptr && event.dataver >= 1 && event.dataver <= row->version_max;
}

bool ServerEvents::SubeventSupported(RedisModuleEvent event, uint64_t subevent) {
  const EventRow* row = RowOf(event.id);
  return row != nullptr && subevent < 32 && (row->subevents >> subevent & 1) != 0;
}

void ServerEvents::Changed(uint64_t id) {
  if (id == REDISMODULE_EVENT_KEY) host_->key_events().set_wants_removals(Wanted(id));
}

void ServerEvents::Subscribe(Module* module, RedisModuleEvent event,
                             RedisModuleEventCallback callback) {
  for (EventSubscription* s : subscribers_[event.id]) {
    if (s->module() != module) continue;
    if (callback == nullptr) {
      module->Destroy(s);
    } else {
      s->callback = callback;
      s->event = event;
    }
    return;
  }
  if (callback == nullptr) return;
  module->Own(std::make_unique<EventSubscription>(module, this, event, callback));
}

void ServerEvents::Deliver(const Module* only, uint64_t id, uint64_t subevent, void* data, int db) {
  if (!Wanted(id)) return;
  auto& subscribers = subscribers_[id];
  for (size_t i = 0; i < subscribers.size(); ++i) {
    EventSubscription* s = subscribers[i];
    // An event caused by its own callback does not reach the module again.
    if (s->active || (only != nullptr && s->module() != only)) continue;
    Engine::Unit unit(host_->engine());
    ModuleHost::InternalSession session(*host_, db);
    RedisModuleCtx ctx(s->module(), session.get(), &host_->null_sink());
    s->active = true;
    {
      ModuleCallback mark(*s->module(), "server event");
      s->callback(&ctx, s->event, subevent, data);
    }
    if (i < subscribers.size() && subscribers[i] == s) s->active = false;
  }
}

}  // namespace backplane
