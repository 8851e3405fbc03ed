// SPDX-License-Identifier: BSD-3-Clause
// ModuleHost: construction, the loop hook, events. Loading is in loader.cc, INFO in info.cc.
#include "modhost/host.h"

#include <cstring>

#include "modhost/client_info.h"
#include "modhost/context.h"
#include "modhost/host_accessor.h"

namespace backplane {

ModuleHost::ModuleHost(const Services& services)
    : services_(services),
      replies_(&lock_),
      types_(this),
      key_events_(this, &services.engine),
      events_(this),
      filters_(&services.engine),
      timers_(this, &services.loop),
      one_shots_(&services.loop),
      watched_fds_(&services.loop),
      blocked_clients_(&services.loop) {
  RegisterAllApis(api_);
  api_.Seal();
  SetCurrentHost(this);
  services_.loop.AddHook(this);
  services_.options.AddListener(this);
  if (services_.clients != nullptr) services_.clients->set_listener(this);
}

ModuleHost::~ModuleHost() {
  if (services_.clients != nullptr) services_.clients->set_listener(nullptr);
  services_.options.RemoveListener(this);
  services_.loop.RemoveHook(this);
  for (auto it = modules_.rbegin(); it != modules_.rend(); ++it) {
    (*it)->DestroyAll();
    SetModuleInSlot((*it)->slot(), nullptr);
  }
  SetCurrentHost(nullptr);
}

ModuleHost::InternalSession::InternalSession(ModuleHost& host, int db) : host_(host) {
  if (host.sessions_used_ == host.sessions_.size()) {
    host.sessions_.push_back(
        std::make_unique<Session>(uint64_t{0}, Session::Kind::kModule, &host.null_sink_, nullptr));
  }
  session_ = host.sessions_[host.sessions_used_++].get();
  session_->db_index = db;
}

Command* ModuleHost::LookUpCommand(std::string_view name, Memo* memo) {
  Command* command = services_.engine.commands().Find(name);
  if (command != nullptr) *memo = {name.data(), services_.engine.commands().generation(), command};
  return command;
}

void ModuleHost::ThreadTakesLock() {
  lock_.Take();
  epoch_at_lock_ = data_epoch();
}

bool ModuleHost::ThreadTriesLock() {
  if (!lock_.TryTake()) return false;
  epoch_at_lock_ = data_epoch();
  return true;
}

void ModuleHost::ThreadReleasesLock() {
  // Output that the thread's commands made (messages to subscribers) is written by the loop.
  const bool changed = data_epoch() != epoch_at_lock_;
  lock_.Release();
  if (changed) services_.loop.Wake();
}

int ModuleHost::BeforeWait() {
  if (modules_.empty()) {
    lock_.EngineRelease();
    return -1;
  }
  events_.Fire(REDISMODULE_EVENT_EVENTLOOP, REDISMODULE_SUBEVENT_EVENTLOOP_BEFORE_SLEEP, nullptr);
  lock_.EngineRelease();
  return -1;
}

void ModuleHost::AfterWait() {
  lock_.EngineTake();
  if (modules_.empty()) return;
  services_.engine.RefreshClock();
  timers_.Arm();
  blocked_clients_.Drain();
  one_shots_.Run();
  events_.Fire(REDISMODULE_EVENT_EVENTLOOP, REDISMODULE_SUBEVENT_EVENTLOOP_AFTER_SLEEP, nullptr);
}

void ModuleHost::FireClientChange(Session& session, uint64_t subevent) {
  if (!events_.Wanted(REDISMODULE_EVENT_CLIENT_CHANGE)) return;
  RedisModuleClientInfo info;
  FillClientInfo(session, &info);
  events_.Fire(REDISMODULE_EVENT_CLIENT_CHANGE, subevent, &info);
}

void ModuleHost::OnClientConnected(Session& session) {
  FireClientChange(session, REDISMODULE_SUBEVENT_CLIENT_CHANGE_CONNECTED);
}

void ModuleHost::OnClientDisconnected(Session& session) {
  FireClientChange(session, REDISMODULE_SUBEVENT_CLIENT_CHANGE_DISCONNECTED);
}

Status ModuleHost::OnOptionsChanged(const std::vector<std::string>& names) {
  if (events_.Wanted(REDISMODULE_EVENT_CONFIG)) {
    std::vector<const char*> changed;
    for (const std::string& name : names) changed.push_back(name.c_str());
    RedisModuleConfigChange info = {REDISMODULE_CONFIGCHANGE_VERSION,
                                    static_cast<uint32_t>(changed.size()), changed.data()};
    events_.Fire(REDISMODULE_EVENT_CONFIG, REDISMODULE_SUBEVENT_CONFIG_CHANGE, &info);
  }
  return {};
}

void ModuleHost::OnCron(int hz) {
  RedisModuleCronLoop info = {REDISMODULE_CRON_LOOP_VERSION, hz};
  events_.Fire(REDISMODULE_EVENT_CRON_LOOP, 0, &info);
}

void ModuleHost::OnFlush(bool begin, int db, bool async) {
  RedisModuleFlushInfo info = {REDISMODULE_FLUSHINFO_VERSION, async ? 0 : 1, db};
  events_.Fire(REDISMODULE_EVENT_FLUSHDB,
               begin ? REDISMODULE_SUBEVENT_FLUSHDB_START : REDISMODULE_SUBEVENT_FLUSHDB_END,
               &info);
}

void ModuleHost::OnSwapDb(int first, int second) {
  RedisModuleSwapDbInfo info = {REDISMODULE_SWAPDBINFO_VERSION, first, second};
  events_.Fire(REDISMODULE_EVENT_SWAPDB, 0, &info);
}

bool ModuleHost::OnChildExit(int pid, int exit_code, int signal) {
  if (child_.pid == 0 || child_.pid != pid) return false;
  ForkedChild child = std::exchange(child_, ForkedChild{});
  if (child.done != nullptr) {
    Engine::Unit unit(services_.engine);
    child.done(exit_code, signal, child.data);
  }
  return true;
}

}  // namespace backplane
