// SPDX-License-Identifier: BSD-3-Clause
// Blocked clients: completion, timeout, hang-up.
#include "modhost/blocked_client.h"

#include <algorithm>

#include "modhost/context.h"
#include "modhost/host.h"
#include "modhost/module_code.h"

using backplane::ArgumentStrings;
using backplane::Engine;
using backplane::ModuleHost;

RedisModuleBlockedClient::RedisModuleBlockedClient(backplane::Module* module,
                                                   backplane::Session* session_in)
    : Registration(module), session(session_in), number(++module->handles_made) {
  ++module->blocked_clients;
}

RedisModuleBlockedClient::~RedisModuleBlockedClient() {
  --module()->blocked_clients;
  module()->host().blocked_clients().Forget(this);
  if (on_keys) module()->host().key_waiters().Remove(this);
  StopTimer();
  if (session != nullptr) {
    session->reply().Error(backplane::kUnblockedByUnload);
    ReleaseClient();
  }
}

void RedisModuleBlockedClient::Abandon() {
  abandoned = true;
  StopTimer();
  if (on_keys) module()->host().key_waiters().Remove(this);
  if (session == nullptr) return;
  session->reply().Error(backplane::kUnblockedByUnload);
  ReleaseClient();
}

void RedisModuleBlockedClient::EndBy(int64_t deadline_ms) {
  if (deadline != 0 && deadline <= deadline_ms) return;
  StopTimer();
  StartTimer(std::max<int64_t>(deadline_ms - module()->host().loop().now_ms(), 1));
}

void RedisModuleBlockedClient::ReleaseClient() {
  backplane::Session* client = session;
  session = nullptr;
  if (client->link() != nullptr) client->link()->ScheduleWrite();
  // Last: it may run the client's next commands at once.
  client->Unblock();
}

void RedisModuleBlockedClient::StartTimer(int64_t timeout_ms) {
  deadline = module()->host().loop().now_ms() + timeout_ms;
  timer = module()->host().loop().AddTimer(timeout_ms, this);
}

void RedisModuleBlockedClient::StopTimer() {
  if (timer != 0) module()->host().loop().RemoveTimer(timer);
  timer = 0;
}

int RedisModuleBlockedClient::RunReplyCallback(RedisModuleCmdFunc callback, uint32_t flag,
                                               RedisModuleString* ready_key) {
  ModuleHost& host = module()->host();
  Engine::Unit unit(host.engine());
  std::vector<std::string_view> views(args.begin(), args.end());
  ArgumentStrings strings(host.strings(), views);
  RedisModuleCtx ctx(module(), session, &session->reply());
  ctx.flags |= flag;
  ctx.client_id = client_id;
  ctx.blocked = this;
  ctx.blocked_privdata = privdata;
  ctx.ready_key = ready_key;
  backplane::ModuleCallback mark(*module(), "reply callback");
  return callback(&ctx, strings.data(), strings.size());
}

void RedisModuleBlockedClient::ServeKey(const std::string& key) {
  if (session == nullptr || served || reply_callback == nullptr) return;
  RedisModuleString* name = backplane::NewModuleString(key);
  const int result = RunReplyCallback(reply_callback, backplane::kCtxBlockedReply, name);
  backplane::ReleaseModuleString(name);
  if (result != REDISMODULE_OK) return;
  served = true;
  StopTimer();
  ModuleHost& host = module()->host();
  host.key_waiters().Remove(this);
  // Another client's command is still running: this client goes on in the next turn of the loop.
  host.blocked_clients().Push(this);
}

void RedisModuleBlockedClient::OnDisconnect() {
  session = nullptr;
  StopTimer();
  ModuleHost& host = module()->host();
  if (on_keys) {
    host.key_waiters().Remove(this);
    host.blocked_clients().Push(this);
  }
  if (disconnect_callback == nullptr) return;
  Engine::Unit unit(host.engine());
  ModuleHost::InternalSession internal(host, db);
  RedisModuleCtx ctx(module(), internal.get(), &host.null_sink());
  ctx.flags |= backplane::kCtxBlockedDisconnected;
  ctx.client_id = client_id;
  ctx.blocked = this;
  ctx.blocked_privdata = privdata;
  backplane::ModuleCallback mark(*module(), "disconnect callback");
  disconnect_callback(&ctx, this);
}

bool RedisModuleBlockedClient::OnUnblock(bool error) {
  // As in the field: only a command that knows what to do at a timeout can be ended so.
  if (timeout_callback == nullptr) return false;
  if (error) {
    CountCall();
    session->reply().Error("UNBLOCKED client unblocked via CLIENT UNBLOCK");
    module()->host().engine().CountErrorReply(session->reply());
    StopTimer();
    ReleaseClient();
  } else {
    OnTimeout();
  }
  return true;
}

void RedisModuleBlockedClient::OnTimeout() {
  StopTimer();
  if (session == nullptr || served) return;
  if (on_keys) {
    ModuleHost& host = module()->host();
    host.key_waiters().Remove(this);
    host.blocked_clients().Push(this);
  }
  if (timeout_callback != nullptr) {
    RunReplyCallback(timeout_callback, backplane::kCtxBlockedTimeout);
  } else {
    session->reply().Null();
  }
  if (session == nullptr) return;
  CountCall();
  ReleaseClient();
}

int64_t RedisModuleBlockedClient::OnTimer() {
  timer = 0;
  OnTimeout();
  return -1;
}

void RedisModuleBlockedClient::FreePrivateData() {
  if (privdata == nullptr || free_privdata == nullptr) return;
  ModuleHost& host = module()->host();
  Engine::Unit unit(host.engine());
  ModuleHost::InternalSession internal(host, db);
  RedisModuleCtx ctx(module(), internal.get(), &host.null_sink());
  if (session == nullptr) ctx.flags |= backplane::kCtxBlockedDisconnected;
  ctx.client_id = client_id;
  ctx.blocked = this;
  ctx.blocked_privdata = privdata;
  backplane::ModuleCallback mark(*module(), "free_privdata");
  free_privdata(&ctx, std::exchange(privdata, nullptr));
}

void RedisModuleBlockedClient::CountCall() {
  if (std::exchange(counted, true) || args.empty()) return;
  Engine& engine = module()->host().engine();
  const std::vector<std::string_view> words(args.begin(), args.end());
  const backplane::Command* command = engine.commands().Resolve(words);
  if (command == nullptr) return;
  const uint64_t measured = engine.tick_clock().FromNanos(measured_ns);
  if (auth_callback != nullptr) {
    // The command runs again, which counts it.
    command->stats.ticks += measured;
    return;
  }
  engine.CountWaited(session, *command, words, spent_ticks + measured);
}

void RedisModuleBlockedClient::CompleteLogin() {
  ModuleHost& host = module()->host();
  CountCall();
  if (session != nullptr) host.users().ResumeLogin(*this);
  if (!abandoned) FreePrivateData();
  backplane::WaitingCommand command{std::exchange(session, nullptr), client_id, std::move(args), 0};
  module()->Destroy(this);
  if (command.session == nullptr) return;
  const uint64_t id = command.client_id;
  std::vector<backplane::WaitingCommand> again;
  again.push_back(std::move(command));
  host.RunAgain(std::move(again));
  // An answer that the command did not ask for must not wait for another one.
  host.users().ForgetClient(id);
}

void RedisModuleBlockedClient::Complete() {
  if (auth_callback != nullptr) return CompleteLogin();
  CountCall();
  StopTimer();
  const bool connected = session != nullptr;
  if (connected && on_keys && !served && !aborted && timeout_callback != nullptr) {
    RunReplyCallback(timeout_callback, backplane::kCtxBlockedTimeout);
  } else if (connected && !on_keys && !aborted && reply_callback != nullptr) {
    RunReplyCallback(reply_callback, backplane::kCtxBlockedReply);
  }
  if (!abandoned) FreePrivateData();
  if (session != nullptr) {
    if (!tape.empty()) {
      tape.Finish();
      const uint64_t errors = session->reply().error_count();
      tape.CopyTo(0, session->reply());
      if (session->reply().error_count() != errors) {
        Engine& engine = module()->host().engine();
        engine.CountErrorReply(session->reply());
        const std::vector<std::string_view> words(args.begin(), args.end());
        if (const backplane::Command* command = engine.commands().Resolve(words)) {
          ++command->stats.failed;
        }
      }
    }
    ReleaseClient();
  }
  module()->Destroy(this);
}

namespace backplane {

bool BlockedClients::IsQueued(const RedisModuleBlockedClient& client) {
  std::lock_guard lock(mutex_);
  return client.queued;
}

bool BlockedClients::Push(RedisModuleBlockedClient* client) {
  {
    std::lock_guard guard(mutex_);
    if (client->queued) return false;
    client->queued = true;
    queue_.push_back(client);
  }
  loop_->Wake();
  return true;
}

void BlockedClients::Drain() {
  for (;;) {
    RedisModuleBlockedClient* client;
    {
      std::lock_guard guard(mutex_);
      if (queue_.empty()) return;
      client = queue_.front();
      queue_.erase(queue_.begin());
    }
    client->Complete();
  }
}

void BlockedClients::Forget(RedisModuleBlockedClient* client) {
  std::lock_guard guard(mutex_);
  std::erase(queue_, client);
}

}  // namespace backplane
