// SPDX-License-Identifier: BSD-3-Clause
// MemoryLimit: the eviction loop.
#include "engine/memory_limit.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "base/clock.h"
#include "client/session.h"
#include "client/transaction.h"
#include "engine/call_records.h"
#include "engine/engine.h"

namespace backplane {
namespace {

constexpr int64_t kMicrosPerMs = 1000;
// Between two shares of evictions that no command waits for.
constexpr int64_t kPauseMs = 1;
// Keys between two looks at the clock, and at what the lazy-free thread has given back.
constexpr int kKeysPerLook = 16;

EvictionPolicy PolicyOf(const Settings& settings) {
  return static_cast<EvictionPolicy>(settings.maxmemory_policy);
}

}  // namespace

MemoryLimit::MemoryLimit(Engine* engine, EventLoop* loop)
    : engine_(engine), loop_(loop), chooser_(&engine->keyspace()) {
  Apply();
}

MemoryLimit::~MemoryLimit() {
  engine_->set_memory_limit(nullptr);
  if (timer_ != 0) loop_->RemoveTimer(timer_);
}

void MemoryLimit::Apply() {
  const Settings& settings = engine_->settings();
  const EvictionPolicy policy = PolicyOf(settings);
  engine_->keyspace().SetAccessRules(CountsUse(policy), CountsUse(policy) || WatchesAge(policy),
                                     {settings.lfu_log_factor, settings.lfu_decay_time});
  chooser_.Clear();
  meter_.Calibrate();
  engine_->set_memory_limit(settings.maxmemory > 0 ? this : nullptr);
  if (settings.maxmemory == 0) {
    NoteExceeded(false);
    exhausted_ = false;
    return;
  }
  if (!TooMuch()) return;
  engine_->logger().Warning(
      "The limit of memory (maxmemory) is below what is in use: keys are evicted, or commands "
      "refused, as the policy has it.");
  if (timer_ == 0) timer_ = loop_->AddTimer(kPauseMs, this);
}

bool MemoryLimit::TooMuch() const {
  return meter_.Read() >
         static_cast<size_t>(engine_->settings().maxmemory) + leaving_bytes_ + told_bytes_;
}

void MemoryLimit::LookAgain() {
  meter_.Calibrate();
  if (engine_->keyspace().lazy_free().pending_objects() == 0) leaving_bytes_ = 0;
}

bool MemoryLimit::evicts() const {
  return PolicyOf(engine_->settings()) != EvictionPolicy::kNoEviction;
}

double MemoryLimit::UsedShare() const {
  const auto limit = static_cast<double>(engine_->settings().maxmemory);
  return limit == 0 ? 0 : static_cast<double>(meter_.Read()) / limit;
}

bool MemoryLimit::Allows(const Session& session, const Command& command) {
  // What a command has begun is not cut short: the room was made before it.
  // Nothing is evicted while data are loaded: clients are told that.
  if (evicting_ || engine_->unit_depth() != 0 || engine_->loading()) return true;
  exhausted_ = MakeRoom() == Outcome::kExhausted;
  if (!exhausted_) return true;
  if (command.Is(kCmdDenyOom)) return false;
  // EXEC stands for what it runs.
  return session.transaction == nullptr || command.fullname != "exec" ||
         (session.transaction->flags_union & kCmdDenyOom) == 0;
}

MemoryLimit::Outcome MemoryLimit::MakeRoom() {
  // While clients are paused the data stand still.
  if (engine_->client_pause() != nullptr) [[unlikely]]
    return Outcome::kEnough;
  if (leaving_bytes_ == 0 && !TooMuch()) [[likely]] {
    NoteExceeded(false);
    return Outcome::kEnough;
  }
  LookAgain();
  if (!TooMuch()) return Outcome::kEnough;
  NoteExceeded(true);
  Outcome outcome = Outcome::kExhausted;
  if (evicts() && !engine_->loading()) {
    const int64_t patience = PatienceMicros();
    evicting_ = true;
    engine_->RefreshClock();
    const LatencyTimer timer(&engine_->records().latency());
    outcome = EvictUntil(patience < 0 ? INT64_MAX : MonotonicMicros() + patience);
    timer.Note("eviction-cycle");
    evicting_ = false;
    told_bytes_ = 0;
  }
  if (outcome == Outcome::kEnough) NoteExceeded(false);
  if (outcome == Outcome::kGoesOn && timer_ == 0) timer_ = loop_->AddTimer(kPauseMs, this);
  return outcome;
}

MemoryLimit::Outcome MemoryLimit::EvictUntil(int64_t deadline_micros) {
  const Settings& settings = engine_->settings();
  // More would only cost time: the choice is as good as exact.
  constexpr int64_t kSamplesMax = 64;
  const auto samples = static_cast<int>(std::min(settings.maxmemory_samples, kSamplesMax));
  for (int evicted = 0; TooMuch();) {
    const auto victim = chooser_.Choose(PolicyOf(settings), samples);
    if (!victim) return WaitForLazyFree(deadline_micros);
    Evict(*victim);
    if (++evicted % kKeysPerLook != 0) continue;
    if (settings.lazyfree_lazy_eviction) LookAgain();
    if (MonotonicMicros() > deadline_micros && TooMuch()) return Outcome::kGoesOn;
  }
  return Outcome::kEnough;
}

// No key is left to evict, but some that were may not be freed yet.
MemoryLimit::Outcome MemoryLimit::WaitForLazyFree(int64_t deadline_micros) {
  constexpr useconds_t kNapMicros = 1000;
  for (;;) {
    const bool pending = engine_->keyspace().lazy_free().pending_objects() != 0;
    LookAgain();
    if (!TooMuch()) return Outcome::kEnough;
    if (!pending || MonotonicMicros() > deadline_micros) return Outcome::kExhausted;
    usleep(kNapMicros);
  }
}

void MemoryLimit::Evict(const EvictionChooser::Victim& victim) {
  Keyspace& keyspace = engine_->keyspace();
  Database& db = *victim.db;
  const std::string key(victim.entry->key());
  const bool lazy = engine_->settings().lazyfree_lazy_eviction;
  size_t before_telling;
  {
    Engine::Unit unit(*engine_);
    if (engine_->propagation().wanted()) {
      const std::string_view args[] = {lazy ? "UNLINK" : "DEL", key};
      engine_->propagation().Append(db.index(), args);
    }
    constexpr size_t kSamples = 5;
    const size_t bytes = lazy ? victim.entry->MemoryUsage(kSamples) : 0;
    const size_t pending = keyspace.lazy_free().pending_objects();
    const LatencyTimer timer(&engine_->records().latency());
    db.Evict(victim.entry, lazy);
    timer.Note("eviction-del");
    if (keyspace.lazy_free().pending_objects() > pending) leaving_bytes_ += bytes;
    ++keyspace.stats().evicted;
    before_telling = meter_.Read();
    keyspace.KeyModified(db, key);
    keyspace.Notify(db, kNotifyEvicted, "evicted", key);
  }
  const size_t after_telling = meter_.Read();
  if (after_telling > before_telling) told_bytes_ += after_telling - before_telling;
}

// How long one command waits for evictions at most; negative: for ever.
int64_t MemoryLimit::PatienceMicros() const {
  constexpr int64_t kLinear = 10;
  constexpr int64_t kMicrosPerStep = 50;
  constexpr int64_t kForEver = 100;
  constexpr double kGrowth = 1.15;
  const int64_t tenacity = engine_->settings().maxmemory_eviction_tenacity;
  if (tenacity >= kForEver) return -1;
  if (tenacity <= kLinear) return tenacity * kMicrosPerStep;
  return static_cast<int64_t>(kLinear * kMicrosPerStep *
                              std::pow(kGrowth, static_cast<double>(tenacity - kLinear)));
}

int64_t MemoryLimit::OnTimer() {
  // Whatever is asked for next takes its own share; the rest is done between commands.
  const bool limited = engine_->memory_limit() != nullptr;
  timer_ = 0;
  if (limited) MakeRoom();
  return -1;
}

void MemoryLimit::NoteExceeded(bool exceeded) {
  if (exceeded == (exceeded_since_micros_ != 0)) [[likely]]
    return;
  const int64_t now = MonotonicMicros();
  if (!exceeded) exceeded_micros_ += now - exceeded_since_micros_;
  exceeded_since_micros_ = exceeded ? now : 0;
}

int64_t MemoryLimit::current_exceeded_ms() const {
  if (exceeded_since_micros_ == 0) return 0;
  return (MonotonicMicros() - exceeded_since_micros_) / kMicrosPerMs;
}

int64_t MemoryLimit::exceeded_ms() const {
  return exceeded_micros_ / kMicrosPerMs + current_exceeded_ms();
}

}  // namespace backplane
