// SPDX-License-Identifier: BSD-3-Clause
// RedisModuleCtx: what a module's callback gets: who calls, where replies go, what to free at the
// end. Made on the stack of the call that enters the module (thread-safe ones on the heap), so it
// must be cheap: nothing is allocated until the module asks for something.
//
// The first word is the module's GetApi: old headers read it from there.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "client/session.h"
#include "command/context.h"
#include "modhost/module.h"
#include "modhost/string.h"
#include "resp/reply_sink.h"

struct RedisModuleKey;
struct RedisModuleCallReply;
struct RedisModuleDict;
struct RedisModuleBlockedClient;
struct RedisModuleServerInfoData;

namespace backplane {

enum ContextFlag : uint32_t {
  kCtxAutoMemory = 1u << 0,
  kCtxThreadSafe = 1u << 1,
  kCtxBlockedReply = 1u << 2,
  kCtxBlockedTimeout = 1u << 3,
  kCtxBlockedDisconnected = 1u << 4,
  kCtxKeysRequest = 1u << 5,
  kCtxChannelsRequest = 1u << 6,
  kCtxNotification = 1u << 7,  // inside a keyspace event callback
  kCtxDetached = 1u << 8,
};

// A key position that a "getkeys-api" command reports.
struct ReportedPosition {
  int position;
  int flags;
};

}  // namespace backplane

struct RedisModuleCtx {
  // A context for `module` whose data access goes through `session` and whose replies go to `sink`.
  // Both outlive it.
  RedisModuleCtx(backplane::Module* module_in, backplane::Session* session_in,
                 backplane::ReplySink* sink_in)
      : get_api(backplane::SlotGetApi(module_in->slot())),
        module(module_in),
        session(session_in),
        sink(sink_in) {}
  RedisModuleCtx(const RedisModuleCtx&) = delete;
  RedisModuleCtx& operator=(const RedisModuleCtx&) = delete;
  // Closes open postponed replies, frees what automatic memory and the pool hold.
  ~RedisModuleCtx() {
    if (!deferred.empty() || pool != nullptr || !automatic.empty()) [[unlikely]]
      Finish();
  }

  backplane::ModuleHost& host() const { return module->host(); }
  bool Has(uint32_t flag) const { return (flags & flag) != 0; }
  backplane::Database& db() const;

  enum class Kind : uint8_t { kString, kKey, kReply, kDict, kInfo };
  // Remembers an object when automatic memory is on.
  void Track(Kind kind, void* object) {
    if ((flags & backplane::kCtxAutoMemory) != 0) automatic.push_back({object, kind});
  }
  // The object is being freed by the module itself, or is kept: false when it was not tracked.
  bool Untrack(Kind kind, const void* object);
  // Scratch memory until the callback ends.
  void* PoolAllocate(size_t bytes);

  void* get_api;
  backplane::Module* module;
  backplane::Session* session;
  backplane::ReplySink* sink;
  backplane::CommandContext* command = nullptr;
  uint32_t flags = 0;
  uint64_t client_id = 0;  // of the client that this is about; 0: nobody
  std::shared_ptr<backplane::User>
      user;  // whom calls are made as, when they are; null: the client's
  RedisModuleBlockedClient* blocked = nullptr;
  void* blocked_privdata = nullptr;
  RedisModuleString* ready_key = nullptr;
  std::vector<backplane::ReportedPosition>* positions = nullptr;
  std::vector<backplane::ReplySink::Deferred> deferred;  // postponed lengths, innermost last

 private:
  struct PoolBlock {
    PoolBlock* next;
    size_t used;
    size_t size;
  };
  struct Tracked {
    void* object;
    Kind kind;
  };
  void Finish();
  void FreeTracked(const Tracked& tracked);

  std::vector<Tracked> automatic;
  PoolBlock* pool = nullptr;
};
