// SPDX-License-Identifier: BSD-3-Clause
// Yielding: when and how.
#include "modhost/yielding.h"

#include <unistd.h>

#include <algorithm>

#include "base/clock.h"
#include "engine/busy_server.h"
#include "modhost/context.h"
#include "modhost/host.h"

namespace backplane {
namespace {

constexpr int64_t kNanosPerMs = 1'000'000;
constexpr int64_t kNanosPerSecond = 1'000'000'000;

}  // namespace

bool Yielding::IsDue(uint64_t began, int64_t age_ns) {
  Engine& engine = host_->engine();
  const int64_t now_ns = MonotonicNanos();
  if (began != began_) {
    began_ = began;
    next_ns_ = now_ns;
    if (!engine.loading()) {
      // 0 stands for never, as with scripts.
      const int64_t threshold_ms = engine.settings().busy_reply_threshold;
      next_ns_ = threshold_ms == 0 ? INT64_MAX : now_ns - age_ns + threshold_ms * kNanosPerMs;
    }
  }
  if (now_ns < next_ns_) return false;
  next_ns_ = now_ns + kNanosPerSecond / std::max<int64_t>(engine.settings().hz, 1);
  return true;
}

void Yielding::Yield(RedisModuleCtx* ctx, int flags, const char* busy_reply) {
  if (host_->is_child || serving_ || host_->busy_server() == nullptr) return;
  if ((flags & REDISMODULE_YIELD_FLAG_CLIENTS) == 0) return;
  // A script that called the module has its own way to be busy.
  if (!host_->engine().busy_reply().empty()) return;
  const bool in_place = host_->lock().OnEngineThread();
  const int64_t turn_ns = host_->loop().turn_began_nanos();
  const uint64_t lock_ticks = host_->locked_at();
  const bool due =
      in_place ? IsDue(static_cast<uint64_t>(turn_ns), MonotonicNanos() - turn_ns)
               : IsDue(lock_ticks, host_->engine().tick_clock().ToNanos(Ticks() - lock_ticks));
  if (!due) return;
  const std::string reply =
      std::string("BUSY ") +
      (busy_reply != nullptr ? busy_reply : "Redis is busy running a module command.");
  serving_ = true;
  if (in_place) {
    ServeInPlace(reply);
  } else {
    LendLock(ctx, reply);
  }
  serving_ = false;
  // Whoever was served may have changed keys that are open.
  host_->NoteEntryMove();
}

void Yielding::ServeInPlace(const std::string& reply) {
  Engine& engine = host_->engine();
  // While data are loaded, clients hear just that.
  if (!engine.loading()) engine.set_busy_reply(reply);
  host_->busy_server()->ServeClientsWithin(engine.executing());
  engine.set_busy_reply({});
}

void Yielding::LendLock(RedisModuleCtx* ctx, const std::string& reply) {
  Module* module = ctx->module;
  host_->engine().set_busy_reply(reply);
  lender_ = module;
  const uint64_t turn = turns_.load(std::memory_order_relaxed);
  host_->ThreadReleasesLock();
  host_->loop().Wake();
  // A turn is short: the engine has been woken, and goes first.
  while (turns_.load(std::memory_order_relaxed) == turn) usleep(100);
  host_->ThreadTakesLock(module);
  // It is the same work still.
  began_ = host_->locked_at();
  lender_ = nullptr;
  host_->engine().set_busy_reply({});
}

}  // namespace backplane
