// SPDX-License-Identifier: BSD-3-Clause
// ModuleHost: construction, the loop hook, events. Loading is in loader.cc, INFO in info.cc.
#include "modhost/host.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <cstring>

#include "modhost/client_info.h"
#include "modhost/context.h"
#include "modhost/host_accessor.h"
#include "modhost/jobs.h"
#include "modhost/mapped_module.h"
#include "modhost/module_code.h"
#include "modhost/module_option.h"
#include "modhost/module_threads.h"

namespace backplane {

ModuleHost::ModuleHost(const Services& services)
    : services_(services),
      replies_(&lock_),
      swap_(this),
      sweeps_(this),
      types_(this),
      key_events_(this, &services.engine),
      events_(this),
      filters_(&services.engine),
      timers_(this, &services.loop),
      one_shots_(&services.loop),
      watched_fds_(&services.loop, &lock_),
      blocked_clients_(&services.loop) {
  jobs_ = std::make_unique<ModuleJobs>(this);
  RegisterAllApis(api_);
  api_.Seal();
  SetCurrentHost(this);
  services_.loop.AddHook(this);
  services_.options.AddListener(this);
  if (services_.persistence != nullptr) services_.persistence->AddListener(this);
  if (services_.clients != nullptr) services_.clients->set_listener(this);
}

ModuleHost::~ModuleHost() {
  if (services_.clients != nullptr) services_.clients->set_listener(nullptr);
  services_.options.RemoveListener(this);
  if (services_.persistence != nullptr) services_.persistence->RemoveListener(this);
  services_.loop.RemoveHook(this);
  jobs_.reset();
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

void ModuleHost::ThreadTakesLock(Module* module) {
  lock_.Take();
  epoch_at_lock_ = data_epoch();
  lock_owner_ = module;
  locked_at_ = Ticks();
}

bool ModuleHost::ThreadTriesLock(Module* module) {
  if (!lock_.TryTake()) return false;
  epoch_at_lock_ = data_epoch();
  lock_owner_ = module;
  locked_at_ = Ticks();
  return true;
}

void ModuleHost::ThreadReleasesLock() {
  // Output that the thread's commands made (messages to subscribers) is written by the loop.
  const bool changed = data_epoch() != epoch_at_lock_;
  // Null when the module releases what it did not take.
  if (Module* owner = std::exchange(lock_owner_, nullptr)) {
    ++owner->usage().lock_holds;
    owner->usage().lock_ticks += Ticks() - locked_at_;
  }
  lock_.Release();
  if (changed) services_.loop.Wake();
}

int ModuleHost::BeforeWait() {
  if (modules_.empty() && quarantined_.empty()) {
    lock_.EngineRelease();
    return -1;
  }
  bool swept = false;
  // Chores that run modules' code rest while a thread has lent the lock in the midst of its own.
  if (yielding_.lender() == nullptr) [[likely]] {
    swept = ReleaseKept() || sweeps_.running();
    sweeps_.RunSlice();
  }
  events_.Fire(REDISMODULE_EVENT_EVENTLOOP, REDISMODULE_SUBEVENT_EVENTLOOP_BEFORE_SLEEP, nullptr);
  lock_.EngineRelease();
  // The next slice; or output of what the last one concluded, which is sent before the next wait.
  return swept ? 0 : -1;
}

void ModuleHost::AfterWait() {
  lock_.EngineTake();
  yielding_.NoteTurn();
  if (modules_.empty() && quarantined_.empty()) return;
  services_.engine.RefreshClock();
  if (yielding_.lender() != nullptr) [[unlikely]]
    return;
  timers_.Arm();
  blocked_clients_.Drain();
  watched_fds_.Apply();
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
  users_.ForgetClient(session.id());
  FireClientChange(session, REDISMODULE_SUBEVENT_CLIENT_CHANGE_DISCONNECTED);
}

Status ModuleHost::OnOptionsChanged(const std::vector<std::string>& names) {
  std::vector<ModuleOption*> changed_options;
  for (const std::string& name : names) {
    auto* option = dynamic_cast<ModuleOption*>(services_.options.Find(name));
    if (option != nullptr) changed_options.push_back(option);
  }
  Status applied = ApplyModuleOptions(changed_options);
  if (applied && events_.Wanted(REDISMODULE_EVENT_CONFIG)) {
    std::vector<const char*> changed;
    for (const std::string& name : names) changed.push_back(name.c_str());
    RedisModuleConfigChange info = {REDISMODULE_CONFIGCHANGE_VERSION,
                                    static_cast<uint32_t>(changed.size()), changed.data()};
    events_.Fire(REDISMODULE_EVENT_CONFIG, REDISMODULE_SUBEVENT_CONFIG_CHANGE, &info);
  }
  return applied;
}

bool ModuleHost::HasModuleThreads() const {
  auto runs = [](const auto& module) { return ModuleThreads::Count(module->slot()) > 0; };
  return std::any_of(modules_.begin(), modules_.end(), runs) ||
         std::any_of(quarantined_.begin(), quarantined_.end(), runs);
}

bool ModuleHost::HasChild() const {
  return child_.pid != 0 ||
         (services_.persistence != nullptr && services_.persistence->child_active());
}

void ModuleHost::OnCron(int hz) {
  ReapChild();
  releasing_ = true;
  BuryQuarantined();
  RedisModuleCronLoop info = {REDISMODULE_CRON_LOOP_VERSION, hz};
  events_.Fire(REDISMODULE_EVENT_CRON_LOOP, 0, &info);
}

void ModuleHost::OnSaveStarted(DataFile file, bool background) {
  const uint64_t rdb = background ? REDISMODULE_SUBEVENT_PERSISTENCE_RDB_START
                                  : REDISMODULE_SUBEVENT_PERSISTENCE_SYNC_RDB_START;
  const uint64_t aof = background ? REDISMODULE_SUBEVENT_PERSISTENCE_AOF_START
                                  : REDISMODULE_SUBEVENT_PERSISTENCE_SYNC_AOF_START;
  events_.Fire(REDISMODULE_EVENT_PERSISTENCE, file == DataFile::kAof ? aof : rdb, nullptr);
}

void ModuleHost::OnSaveEnded(bool ok) {
  events_.Fire(
      REDISMODULE_EVENT_PERSISTENCE,
      ok ? REDISMODULE_SUBEVENT_PERSISTENCE_ENDED : REDISMODULE_SUBEVENT_PERSISTENCE_FAILED,
      nullptr);
}

void ModuleHost::OnLoadStarted(DataFile file) {
  events_.Fire(REDISMODULE_EVENT_LOADING,
               file == DataFile::kAof ? REDISMODULE_SUBEVENT_LOADING_AOF_START
                                      : REDISMODULE_SUBEVENT_LOADING_RDB_START,
               nullptr);
}

void ModuleHost::OnLoadProgress(DataFile file, int permille) {
  // Modules count to 1024.
  RedisModuleLoadingProgress info = {REDISMODULE_LOADING_PROGRESS_VERSION,
                                     static_cast<int32_t>(services_.engine.settings().hz),
                                     permille * 1024 / 1000};
  events_.Fire(REDISMODULE_EVENT_LOADING_PROGRESS,
               file == DataFile::kAof ? REDISMODULE_SUBEVENT_LOADING_PROGRESS_AOF
                                      : REDISMODULE_SUBEVENT_LOADING_PROGRESS_RDB,
               &info);
}

void ModuleHost::OnLoadEnded(bool ok) {
  events_.Fire(REDISMODULE_EVENT_LOADING,
               ok ? REDISMODULE_SUBEVENT_LOADING_ENDED : REDISMODULE_SUBEVENT_LOADING_FAILED,
               nullptr);
}

void ModuleHost::OnForkChild(bool born) {
  events_.Fire(REDISMODULE_EVENT_FORK_CHILD,
               born ? REDISMODULE_SUBEVENT_FORK_CHILD_BORN : REDISMODULE_SUBEVENT_FORK_CHILD_DIED,
               nullptr);
}

void ModuleHost::ChildBorn(const ForkedChild& child) {
  child_ = child;
  OnForkChild(true);
}

void ModuleHost::ChildDied() {
  child_ = {};
  if (services_.persistence != nullptr) services_.persistence->ReleaseFork();
  OnForkChild(false);
}

void ModuleHost::ReapChild() {
  int status = 0;
  if (child_.pid == 0 || waitpid(child_.pid, &status, WNOHANG) != child_.pid) return;
  const ForkedChild child = child_;
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  // One that was called off counts as ended with 1, as in the field; any other signal gives no
  // code.
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : signal == SIGUSR1 ? 1 : -1;
  logger().Notice(fmt::format("Module fork exited pid: {}, retcode: {}, bysignal: {}", child.pid,
                              code, signal));
  ChildDied();
  if (child.done == nullptr) return;
  Engine::Unit unit(services_.engine);
  ModuleCallback mark(*child.module, "fork done");
  child.done(code, signal, child.data);
}

}  // namespace backplane
