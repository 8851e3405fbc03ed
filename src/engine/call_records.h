// SPDX-License-Identifier: BSD-3-Clause
// CallRecords: what is kept or told about single calls: the slow log, latency events, MONITOR. The
// engine owns it, and shows it only calls that take as long as watched (all of them while somebody
// monitors), so that it costs others one comparison. Engine thread.
#pragma once

#include <cstdint>

#include "engine/latency_monitor.h"
#include "engine/monitors.h"
#include "engine/slow_log.h"

namespace backplane {

class Command;
class CommandContext;
class Engine;
class Session;

class CallRecords {
 public:
  // `engine` owns it.
  explicit CallRecords(Engine* engine);

  SlowLog& slow_log() { return slow_log_; }
  LatencyMonitor& latency() { return latency_; }
  Monitors& monitors() { return monitors_; }

  // MONITOR, and its end: RESET, or the client goes. Both may be repeated.
  void AddMonitor(Session& session);
  void RemoveMonitor(Session& session);

  // The command of `ctx` has run for so many ticks.
  void OnCall(CommandContext& ctx, uint64_t ticks);
  // A module's command of `ctx`, whose client has waited, has taken so many ticks in all.
  void OnWaitEnded(CommandContext& ctx, uint64_t ticks);
  // A setting or the clock's calibration has changed: says anew how long calls are watched.
  void Adjust();

  // Whether the session's command, which has just run, does not wait, or no more.
  bool HasEnded(const Session& session) const;

 private:
  // It runs again because what it waited for has come.
  bool IsRepeated(const Session& session) const;
  void Keep(CommandContext& ctx, int64_t micros);

  Engine* engine_;
  SlowLog slow_log_;
  LatencyMonitor latency_;
  Monitors monitors_;
};

}  // namespace backplane
