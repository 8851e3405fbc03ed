// SPDX-License-Identifier: BSD-3-Clause
// KeyEvents: delivery of keyspace notifications to modules.
#include "modhost/key_events.h"

#include "modhost/context.h"
#include "modhost/host.h"
#include "modhost/key.h"
#include "modhost/module_code.h"
#include "modhost/module_type.h"

namespace backplane {

KeySubscription::KeySubscription(Module* module, KeyEvents* events, int types_in,
                                 RedisModuleNotificationFunc callback_in)
    : Registration(module), types(types_in), callback(callback_in), events_(events) {
  events_->Add(this);
}

KeySubscription::~KeySubscription() { events_->Remove(this); }

KeyEvents::KeyEvents(ModuleHost* host, Engine* engine) : host_(host), engine_(engine) {
  engine_->AddListener(this);
}

KeyEvents::~KeyEvents() {
  if (hooked_) engine_->RemoveUnitHook(this);
  engine_->RemoveListener(this);
}

void KeyEvents::Add(KeySubscription* subscription) {
  subscriptions_.push_back(subscription);
  Recompute();
}

void KeyEvents::Remove(KeySubscription* subscription) {
  std::erase(subscriptions_, subscription);
  Recompute();
}

KeySubscription* KeyEvents::Find(const Module* module, int types,
                                 RedisModuleNotificationFunc callback) {
  for (KeySubscription* s : subscriptions_) {
    if (s->module() == module && s->types == types && s->callback == callback) return s;
  }
  return nullptr;
}

void KeyEvents::Recompute() {
  classes_ = 0;
  for (const KeySubscription* s : subscriptions_) classes_ |= static_cast<uint32_t>(s->types);
  engine_->ListenersChanged();
}

void KeyEvents::set_wants_removals(bool value) {
  wants_removals_ = value;
  engine_->ListenersChanged();
}

void KeyEvents::OnKeyEvent(Database& db, uint32_t notify_class, std::string_view event,
                           std::string_view key) {
  // The callback wants a C string, and both views may belong to what it changes.
  std::string name(event);
  ModuleString* key_string = NewModuleString(key);
  const int outer_db = current_db_;
  current_db_ = db.index();
  for (size_t i = 0; i < subscriptions_.size(); ++i) {
    KeySubscription* s = subscriptions_[i];
    if ((static_cast<uint32_t>(s->types) & notify_class) == 0) continue;
    // A module does not hear of what it does in the callback, unless it asked for that.
    if (s->active &&
        !s->module()->HasOption(REDISMODULE_OPTIONS_ALLOW_NESTED_KEYSPACE_NOTIFICATIONS)) {
      continue;
    }
    ModuleHost::InternalSession session(*host_, db.index());
    RedisModuleCtx ctx(s->module(), session.get(), &host_->null_sink());
    ctx.flags |= kCtxNotification;
    const bool was_active = std::exchange(s->active, true);
    {
      ModuleCallback mark(*s->module(), "keyspace event");
      s->callback(&ctx, static_cast<int>(notify_class), name.c_str(), key_string);
    }
    // It may have ended its own subscription.
    if (i < subscriptions_.size() && subscriptions_[i] == s) s->active = was_active;
  }
  current_db_ = outer_db;
  ReleaseModuleString(key_string);
}

namespace {

// What goes because its time is over is still there for who is told of it.
class ExpiredStays {
 public:
  explicit ExpiredStays(Keyspace& keyspace)
      : keyspace_(keyspace), before_(keyspace.ignores_expiry()) {
    keyspace_.set_ignores_expiry(true);
  }
  ~ExpiredStays() { keyspace_.set_ignores_expiry(before_); }
  ExpiredStays(const ExpiredStays&) = delete;
  ExpiredStays& operator=(const ExpiredStays&) = delete;

 private:
  Keyspace& keyspace_;
  bool before_;
};

}  // namespace

void KeyEvents::OnKeyRemoving(Database& db, const Entry& entry,
                              KeyspaceObserver::RemovalReason reason) {
  const ExpiredStays expired_stays(db.keyspace());
  const Entry* now = &entry;
  if (host_->events().Wanted(REDISMODULE_EVENT_KEY)) {
    uint64_t subevent = static_cast<uint64_t>(reason);
    static_assert(REDISMODULE_SUBEVENT_KEY_DELETED ==
                  static_cast<int>(KeyspaceObserver::RemovalReason::kDeleted));
    static_assert(REDISMODULE_SUBEVENT_KEY_OVERWRITTEN ==
                  static_cast<int>(KeyspaceObserver::RemovalReason::kOverwritten));
    ModuleString* name = NewModuleString(entry.key());
    if (!host_->modules().empty()) {
      ModuleHost::InternalSession session(*host_, db.index());
      RedisModuleCtx ctx(host_->modules().front().get(), session.get(), &host_->null_sink());
      RedisModuleKey* key =
          OpenModuleKeyAt(&ctx, db, name, const_cast<Entry*>(&entry), REDISMODULE_READ);
      RedisModuleKeyInfo info = {REDISMODULE_KEYINFO_VERSION, key};
      host_->events().Fire(REDISMODULE_EVENT_KEY, subevent, &info, db.index());
      CloseModuleKey(key);
      now = db.LookUp(Key(name->view()));
    }
    ReleaseModuleString(name);
  }
  if (now == nullptr || now->type() != TypeId::kModule) return;
  if (ModuleValue* value = AsModuleValue(now->value())) value->Unlinked(now->key(), db.index());
}

void KeyEvents::OnFlush(int db, bool sync, bool before) {
  RedisModuleFlushInfo info = {REDISMODULE_FLUSHINFO_VERSION, sync ? 1 : 0, db};
  host_->events().Fire(
      REDISMODULE_EVENT_FLUSHDB,
      before ? REDISMODULE_SUBEVENT_FLUSHDB_START : REDISMODULE_SUBEVENT_FLUSHDB_END, &info);
}

void KeyEvents::OnSwapDatabases(int first, int second) {
  RedisModuleSwapDbInfo info = {REDISMODULE_SWAPDBINFO_VERSION, first, second};
  host_->events().Fire(REDISMODULE_EVENT_SWAPDB, 0, &info);
}

void KeyEvents::AddJob(Module* module, RedisModulePostNotificationJobFunc callback, void* data,
                       void (*free_data)(void*)) {
  // From the first job on, the end of every unit costs one call.
  if (!hooked_) engine_->AddUnitHook(this);
  hooked_ = true;
  jobs_.push_back({module, callback, data, free_data, current_db_});
}

void KeyEvents::ForgetJobs(const Module* module) {
  std::erase_if(jobs_, [&](const Job& job) {
    if (job.module != module) return false;
    if (job.free_data != nullptr) job.free_data(job.data);
    return true;
  });
}

void KeyEvents::OnUnitEnd() {
  if (running_jobs_ || jobs_.empty()) return;
  running_jobs_ = true;
  // Jobs may add jobs.
  while (!jobs_.empty()) {
    Job job = jobs_.front();
    jobs_.erase(jobs_.begin());
    ModuleHost::InternalSession session(*host_, job.db);
    RedisModuleCtx ctx(job.module, session.get(), &host_->null_sink());
    ModuleCallback mark(*job.module, "post-notification job");
    job.callback(&ctx, job.data);
    if (job.free_data != nullptr) job.free_data(job.data);
  }
  running_jobs_ = false;
}

}  // namespace backplane
