// SPDX-License-Identifier: BSD-3-Clause
// Yielding: a module's code that runs for long lets clients be answered now and then, most of them
// with -BUSY (RM_Yield). Owned by the ModuleHost; under the host lock.
//
// On the engine thread clients are served in place, as during a script. A thread that holds the
// lock lends it to the engine for a turn of its loop, in which modules' timers, sweeps and other
// chores that could run into the middle of its work rest.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "modhost/api_signatures.h"

struct RedisModuleCtx;

namespace backplane {

class Module;
class ModuleHost;

class Yielding {
 public:
  explicit Yielding(ModuleHost* host) : host_(host) {}

  // `busy_reply` may be null. Does nothing until busy-reply-threshold has passed since the code
  // began, and then as often as the server's hz; while data are loaded, from the beginning on.
  void Yield(RedisModuleCtx* ctx, int flags, const char* busy_reply);
  // Whose thread has lent the lock to the engine; null: nobody's.
  const Module* lender() const { return lender_; }
  // Engine thread, in each turn of the loop, with the lock.
  void NoteTurn() { turns_.fetch_add(1, std::memory_order_relaxed); }

 private:
  // `began`: tells the code that yields from other code; it has run for so long.
  bool IsDue(uint64_t began, int64_t age_ns);
  void ServeInPlace(const std::string& reply);
  void LendLock(RedisModuleCtx* ctx, const std::string& reply);

  ModuleHost* host_;
  const Module* lender_ = nullptr;
  bool serving_ = false;
  uint64_t began_ = 0;
  int64_t next_ns_ = 0;
  std::atomic<uint64_t> turns_{0};
};

}  // namespace backplane
