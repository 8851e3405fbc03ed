// SPDX-License-Identifier: BSD-3-Clause
// Module timers and one-shot calls.
#include "modhost/timers.h"

#include "base/clock.h"
#include "modhost/host.h"
#include "modhost/module_code.h"

namespace backplane {

ModuleTimer::ModuleTimer(Module* module, ModuleTimers* timers, uint64_t id, int64_t due_ms, int db,
                         RedisModuleTimerProc callback, void* data)
    : Registration(module),
      timers_(timers),
      id_(id),
      due_ms_(due_ms),
      db_(db),
      callback_(callback),
      data_(data) {
  timers_->by_id_[id] = this;
}

ModuleTimer::~ModuleTimer() {
  timers_->by_id_.erase(id_);
  std::erase(timers_->to_arm_, this);
  if (armed_ == 0) return;
  if (timers_->host_->lock().OnEngineThread()) {
    timers_->loop_->RemoveTimer(armed_);
  } else {
    timers_->to_remove_.push_back(armed_);
  }
}

int64_t ModuleTimer::OnTimer() {
  armed_ = 0;
  // Another thread may have stopped it after the loop took note: then its object would be gone, so
  // the removal list is looked at before timers run (Arm).
  ModuleHost& host = *timers_->host_;
  Module* owner = module();
  auto callback = callback_;
  void* data = data_;
  const int db = db_;
  owner->Destroy(this);
  host.engine().RefreshClock();
  Engine::Unit unit(host.engine());
  ModuleHost::InternalSession session(host, db);
  RedisModuleCtx ctx(owner, session.get(), &host.null_sink());
  ModuleCallback mark(*owner, "timer");
  callback(&ctx, data);
  return -1;
}

uint64_t ModuleTimers::Create(Module* module, int64_t period_ms, int db,
                              RedisModuleTimerProc callback, void* data) {
  const uint64_t id = next_id_++;
  if (period_ms < 0) period_ms = 0;
  const int64_t due = MonotonicNanos() / 1'000'000 + period_ms;
  ModuleTimer* timer =
      module->Own(std::make_unique<ModuleTimer>(module, this, id, due, db, callback, data));
  if (host_->lock().OnEngineThread()) {
    timer->armed_ = loop_->AddTimer(period_ms, timer);
  } else {
    to_arm_.push_back(timer);
    loop_->Wake();
  }
  return id;
}

ModuleTimer* ModuleTimers::Find(const Module* module, uint64_t id) const {
  auto it = by_id_.find(id);
  return it == by_id_.end() || it->second->module() != module ? nullptr : it->second;
}

void ModuleTimers::Arm() {
  for (EventLoop::TimerId id : to_remove_) loop_->RemoveTimer(id);
  to_remove_.clear();
  const int64_t now = MonotonicNanos() / 1'000'000;
  for (ModuleTimer* timer : to_arm_) {
    timer->armed_ = loop_->AddTimer(timer->due_ms_ > now ? timer->due_ms_ - now : 0, timer);
  }
  to_arm_.clear();
}

void OneShots::Add(Module* module, RedisModuleEventLoopOneShotFunc callback, void* data) {
  {
    std::lock_guard guard(mutex_);
    calls_.push_back({module, callback, data});
  }
  loop_->Wake();
}

void OneShots::Run() {
  {
    std::lock_guard guard(mutex_);
    due_.insert(due_.end(), calls_.begin(), calls_.end());
    calls_.clear();
  }
  // Each may take the module of another one away.
  while (!due_.empty()) {
    const Call call = due_.front();
    due_.pop_front();
    ModuleCallback mark(*call.module, "one-shot");
    call.callback(call.data);
  }
}

void OneShots::Forget(const Module* module) {
  std::lock_guard guard(mutex_);
  const auto its = [&](const Call& call) { return call.module == module; };
  std::erase_if(calls_, its);
  std::erase_if(due_, its);
}

}  // namespace backplane
