// SPDX-License-Identifier: BSD-3-Clause
#include "server/expire_cycle.h"

#include <algorithm>

#include "base/clock.h"
#include "commands/server/server_samples.h"
#include "engine/call_records.h"
#include "engine/engine.h"

namespace backplane {
namespace {

constexpr int64_t kSliceMicros = 1000;
constexpr int64_t kMicrosPerMilli = 1000;

}  // namespace

ExpireCycle::~ExpireCycle() {
  if (timer_ != 0) loop_->RemoveTimer(timer_);
}

void ExpireCycle::Begin() {
  if (timer_ != 0 || !RunSlice()) return;
  timer_ = loop_->AddTimer(NextPauseMs(), this);
}

// Slices have the same length whatever the effort is, so that nobody waits longer; what differs is
// how soon the next one comes. Timers know whole milliseconds: what is left over goes to the next
// pause.
int64_t ExpireCycle::NextPauseMs() {
  const int64_t percent = ExpireEffort(engine_->settings().active_expire_effort).time_percent;
  pause_micros_ += kSliceMicros * (100 - percent) / percent;
  const int64_t ms = std::max<int64_t>(pause_micros_ / kMicrosPerMilli, 1);
  pause_micros_ = std::max<int64_t>(pause_micros_ - ms * kMicrosPerMilli, 0);
  return ms;
}

int64_t ExpireCycle::OnTimer() {
  if (RunSlice()) return NextPauseMs();
  timer_ = 0;
  return -1;
}

bool ExpireCycle::RunSlice() {
  Keyspace& keyspace = engine_->keyspace();
  if (!keyspace.expires_keys() || !engine_->active_expire()) return false;
  const int64_t begin = MonotonicMicros();
  int64_t now = begin;
  bool capped = false;
  Database::ExpirySlice found;
  const int64_t stale_percent =
      ExpireEffort(engine_->settings().active_expire_effort).stale_percent;
  for (int i = 0; i < keyspace.database_count() && now - begin < kSliceMicros; ++i) {
    if (keyspace.db(i).expires_size() == 0) continue;
    Engine::Unit unit(*engine_);
    const auto slice = keyspace.db(i).ActiveExpire(kSliceMicros - (now - begin), stale_percent);
    found.seen += slice.seen;
    found.removed += slice.removed;
    now = MonotonicMicros();
    capped = now - begin >= kSliceMicros;
  }
  samples_->NoteExpireCycle(now - begin, capped);
  samples_->NoteStaleKeys(found.seen, found.removed);
  engine_->records().latency().Note("expire-cycle", now - begin);
  return capped;
}

}  // namespace backplane
