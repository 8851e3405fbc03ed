// SPDX-License-Identifier: BSD-3-Clause
// KeyEvents: modules' subscriptions to keyspace notifications, their jobs put off to the end of the
// unit, and the unlink callbacks of module values. Engine thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "modhost/api_signatures.h"
#include "modhost/registration.h"

namespace backplane {

class KeyEvents;
class ModuleHost;

class KeySubscription final : public Registration {
 public:
  KeySubscription(Module* module, KeyEvents* events, int types,
                  RedisModuleNotificationFunc callback);
  ~KeySubscription() override;
  const char* kind() const override { return "keyspace-subscription"; }

  int types;
  RedisModuleNotificationFunc callback;
  bool active = false;  // its callback is running

 private:
  KeyEvents* events_;
};

class KeyEvents final : public KeyspaceListener, public UnitHook {
 public:
  KeyEvents(ModuleHost* host, Engine* engine);
  ~KeyEvents() override;

  void Add(KeySubscription* subscription);
  void Remove(KeySubscription* subscription);
  KeySubscription* Find(const Module* module, int types, RedisModuleNotificationFunc callback);

  void AddJob(Module* module, RedisModulePostNotificationJobFunc callback, void* data,
              void (*free_data)(void*));
  void ForgetJobs(const Module* module);
  // Whether server event Key has subscribers: removals are then reported for all keys.
  void set_wants_removals(bool value);

  // --- KeyspaceListener, UnitHook ---
  void OnKeyEvent(Database& db, uint32_t notify_class, std::string_view event,
                  std::string_view key) override;
  void OnKeyRemoving(Database& db, const Entry& entry,
                     KeyspaceObserver::RemovalReason reason) override;
  uint32_t wanted_classes() const override { return classes_; }
  bool wants_removals() const override { return wants_removals_; }
  void OnFlush(int db, bool sync, bool before) override;
  void OnSwapDatabases(int first, int second) override;
  void OnUnitEnd() override;

 private:
  struct Job {
    Module* module;
    RedisModulePostNotificationJobFunc callback;
    void* data;
    void (*free_data)(void*);
    int db;
  };
  void Recompute();

  ModuleHost* host_;
  Engine* engine_;
  std::vector<KeySubscription*> subscriptions_;
  std::vector<Job> jobs_;
  uint32_t classes_ = 0;
  int current_db_ = 0;
  bool wants_removals_ = false;
  bool hooked_ = false;
  bool running_jobs_ = false;
};

}  // namespace backplane
