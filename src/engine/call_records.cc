// SPDX-License-Identifier: BSD-3-Clause
#include "engine/call_records.h"

#include <algorithm>

#include "base/clock.h"
#include "client/session.h"
#include "command/context.h"
#include "engine/blocked_commands.h"
#include "engine/engine.h"

namespace backplane {

CallRecords::CallRecords(Engine* engine)
    : engine_(engine), latency_(&engine->settings().latency_monitor_threshold) {
  Adjust();
}

void CallRecords::AddMonitor(Session& session) {
  if (session.monitor) return;
  session.monitor = true;
  monitors_.sessions_.push_back(&session);
  Adjust();
}

void CallRecords::RemoveMonitor(Session& session) {
  if (!session.monitor) return;
  session.monitor = false;
  std::erase(monitors_.sessions_, &session);
  Adjust();
}

void CallRecords::Adjust() {
  const Settings& settings = engine_->settings();
  constexpr int64_t kNanosPerMicro = 1000;
  constexpr int64_t kMicrosPerMs = 1000;
  // Beyond an hour nothing is watched; the bound also keeps the products below from overflowing.
  constexpr int64_t kForEver = 3600ll * 1000 * 1000;
  int64_t micros = kForEver;
  if (settings.slowlog_log_slower_than >= 0) {
    micros = std::min(micros, settings.slowlog_log_slower_than);
  }
  if (latency_.enabled()) {
    micros = std::min(micros, std::min(latency_.threshold_ms(), kForEver) * kMicrosPerMs);
  }
  if (!monitors_.empty()) micros = 0;
  constexpr int64_t kNoShortReadMicros = 1000;
  engine_->set_times_all(micros < kNoShortReadMicros);
  // Half of it, because ticks are converted by a figure that is still being calibrated; what comes
  // too early is looked at again, exactly.
  engine_->set_watched_ticks(micros == kForEver
                                 ? UINT64_MAX
                                 : engine_->tick_clock().FromNanos(micros * kNanosPerMicro / 2));
}

void CallRecords::OnCall(CommandContext& ctx, uint64_t ticks) {
  const Session& session = ctx.session();
  if (HasEnded(session)) {
    constexpr int64_t kNanosPerMicro = 1000;
    Keep(ctx, engine_->tick_clock().ToNanos(ticks) / kNanosPerMicro);
  }
  // A command that runs again after a wait has been seen.
  if (!monitors_.empty() && !ctx.command().Is(kCmdSkipMonitor | kCmdAdmin) &&
      !IsRepeated(session)) {
    monitors_.Feed(ctx);
  }
}

void CallRecords::OnWaitEnded(CommandContext& ctx, uint64_t ticks) {
  constexpr int64_t kNanosPerMicro = 1000;
  Keep(ctx, engine_->tick_clock().ToNanos(ticks) / kNanosPerMicro);
}

bool CallRecords::IsRepeated(const Session& session) const {
  const BlockedCommands* blocked = engine_->blocked_commands();
  return session.blocked() && blocked != nullptr && blocked->is_retrying();
}

bool CallRecords::HasEnded(const Session& session) const {
  return !session.blocked() || (IsRepeated(session) && !engine_->blocked_commands()->waits_on());
}

void CallRecords::Keep(CommandContext& ctx, int64_t micros) {
  // What a module calls is a part of the module's own command.
  if (ctx.session().kind() == Session::Kind::kModule) return;
  const Command& command = ctx.command();
  const Settings& settings = engine_->settings();
  if (settings.slowlog_log_slower_than >= 0 && micros >= settings.slowlog_log_slower_than &&
      !command.Is(kCmdSkipSlowlog)) {
    constexpr int64_t kMsPerSecond = 1000;
    slow_log_.Add(ctx, WallMillis() / kMsPerSecond, micros,
                  static_cast<size_t>(settings.slowlog_max_len));
  }
  latency_.Note(command.Is(kCmdFast) ? "fast-command" : "command", micros);
}

}  // namespace backplane
