// SPDX-License-Identifier: BSD-3-Clause
#include "server/expire_cycle.h"

#include <utility>

#include "base/clock.h"
#include "commands/server/server_samples.h"
#include "engine/call_records.h"
#include "engine/engine.h"

namespace backplane {
namespace {

// Together a quarter of the time, at most.
constexpr int64_t kSliceMicros = 1000;
constexpr int64_t kPauseMs = 3;

}  // namespace

ExpireCycle::~ExpireCycle() {
  if (timer_ != 0) loop_->RemoveTimer(timer_);
}

void ExpireCycle::Begin() {
  if (timer_ != 0 || !RunSlice()) return;
  timer_ = loop_->AddTimer(kPauseMs, this);
}

int64_t ExpireCycle::OnTimer() {
  if (RunSlice()) return kPauseMs;
  timer_ = 0;
  return -1;
}

bool ExpireCycle::RunSlice() {
  Keyspace& keyspace = engine_->keyspace();
  if (!keyspace.expires_keys() || !engine_->active_expire()) return false;
  const int64_t begin = MonotonicMicros();
  int64_t now = begin;
  bool capped = false;
  for (int i = 0; i < keyspace.database_count() && now - begin < kSliceMicros; ++i) {
    if (keyspace.db(i).expires_size() == 0) continue;
    Engine::Unit unit(*engine_);
    keyspace.db(i).ActiveExpire(kSliceMicros - (now - begin));
    now = MonotonicMicros();
    capped = now - begin >= kSliceMicros;
  }
  samples_->NoteExpireCycle(now - begin, capped);
  engine_->records().latency().Note("expire-cycle", now - begin);
  return capped;
}

}  // namespace backplane
