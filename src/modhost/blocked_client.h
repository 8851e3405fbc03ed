// SPDX-License-Identifier: BSD-3-Clause
// RedisModuleBlockedClient: a client that waits for a module. Made by BlockClient on the engine
// thread; ends through UnblockClient or AbortBlock, which any thread may call: they put it into
// BlockedClients' queue, and the engine thread completes it. A timeout or hang-up takes the client
// away from it (`session` becomes null), not the handle: the module still owes the unblock. One
// that waits for keys needs no unblock: whatever ends the wait ends the handle too.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "client/session.h"
#include "engine/key_waiters.h"
#include "modhost/api_signatures.h"
#include "modhost/registration.h"
#include "net/event_loop.h"
#include "resp/reply_tape.h"

struct RedisModuleBlockedClient final : public backplane::Registration,
                                        public backplane::BlockedState,
                                        public backplane::KeyWaiter,
                                        public backplane::TimerHandler {
  using FreePrivdata = void (*)(RedisModuleCtx*, void*);

  RedisModuleBlockedClient(backplane::Module* module, backplane::Session* session_in);
  // A client that still waits gets an error.
  ~RedisModuleBlockedClient() override;
  const char* kind() const override { return "blocked-client"; }

  void OnDisconnect() override;
  bool OnUnblock(bool error) override;
  void OnTimeout() override;
  int64_t deadline_ms() const override { return deadline; }
  int64_t OnTimer() override;
  int waits_in_db() const override { return db; }
  const std::vector<std::string>& waits_for() const override { return keys; }
  bool wakes_on_delete() const override { return woken_by_delete; }
  bool wakes_on_change() const override { return false; }
  bool OnKeyReady(const std::string& key) override {
    ServeKey(key);
    return served;
  }

  void StartTimer(int64_t timeout_ms);
  void StopTimer();
  // Engine thread: runs the callbacks, replies, frees the client. The object can go then.
  void Complete();
  // Runs a callback that may reply to the client; returns what it returned.
  int RunReplyCallback(RedisModuleCmdFunc callback, uint32_t flag,
                       RedisModuleString* ready_key = nullptr);
  // Counts what its command has taken, once: the handler's time, and what the module has measured.
  void CountCall();
  // Complete, for a login.
  void CompleteLogin();
  // A key that it waits for is ready: asks the module whether the client is served.
  void ServeKey(const std::string& key);
  // Lets the client go on.
  void ReleaseClient();
  // The client gets an error; the handle stays, for a thread that will end it.
  void Abandon();
  // Hands the private data to the module's callback.
  void FreePrivateData();
  // The wait ends at this time of the loop at the latest.
  void EndBy(int64_t deadline_ms);

  backplane::Session* session;  // null: gone, timed out, or never was blocked
  const uint64_t number;        // of the module's handles, from 1 on
  uint64_t client_id = 0;
  int db = 0;
  int resp = 2;
  RedisModuleCmdFunc reply_callback = nullptr;
  RedisModuleCmdFunc timeout_callback = nullptr;
  RedisModuleDisconnectFunc disconnect_callback = nullptr;
  FreePrivdata free_privdata = nullptr;
  // BlockClientOnAuth: decides about the login; then the command that asked for it runs again.
  RedisModuleAuthCallback auth_callback = nullptr;
  std::string auth_name;
  std::string auth_password;
  uint64_t auth_next = 0;  // see ModuleUsers::Login
  void* privdata = nullptr;
  bool aborted = false;
  bool abandoned = false;        // the module is gone: none of its callbacks may run
  bool on_keys = false;          // waits for `keys`
  bool woken_by_delete = false;  // REDISMODULE_BLOCK_UNBLOCK_DELETED
  bool served = false;           // a key's callback has replied
  std::vector<std::string> keys;
  bool queued = false;
  bool counted = false;
  bool skips_reply = false;  // CLIENT REPLY SKIP is about its command
  int64_t deadline = 0;
  backplane::EventLoop::TimerId timer = 0;
  std::vector<std::string> args;  // the command, for the callbacks
  backplane::ReplyTape tape;      // replies of the thread
  int64_t measured_ns = 0;
  int64_t measure_started_ns = 0;
};

namespace backplane {

class ModuleHost;

// What a client is told whose command is not there any more.
inline constexpr char kUnblockedByUnload[] =
    "UNBLOCKED the module that the command belongs to was unloaded";

// Handles whose end was asked for.
class BlockedClients {
 public:
  explicit BlockedClients(EventLoop* loop) : loop_(loop) {}
  // Any thread. False when it was queued before.
  bool Push(RedisModuleBlockedClient* client);
  // Any thread. Whether its end was asked for.
  bool IsQueued(const RedisModuleBlockedClient& client);
  // Engine thread: completes what is queued.
  void Drain();
  // The object is going: it must not be completed later.
  void Forget(RedisModuleBlockedClient* client);

 private:
  EventLoop* loop_;
  std::mutex mutex_;
  std::vector<RedisModuleBlockedClient*> queue_;
};

}  // namespace backplane
