// SPDX-License-Identifier: BSD-3-Clause
// API areas: log, assertions, latency, random bytes, clocks.
#include "modhost/api/log.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "base/ascii.h"
#include "base/clock.h"
#include "base/random.h"
#include "engine/call_records.h"
#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/context.h"
#include "modhost/host.h"
#include "modhost/host_accessor.h"

namespace backplane {

namespace {

constexpr size_t kLineMax = 1024;

LogLevel LevelOf(std::string_view name) {
  if (EqualsIgnoreCase(name, "debug")) return LogLevel::kDebug;
  if (EqualsIgnoreCase(name, "notice")) return LogLevel::kNotice;
  if (EqualsIgnoreCase(name, "warning")) return LogLevel::kWarning;
  return LogLevel::kVerbose;
}

}  // namespace

void LogFormatted(const Module* module, const char* level, const char* format, va_list values) {
  Logger& logger = CurrentHost()->logger();
  const LogLevel log_level = LevelOf(level);
  if (!logger.Enabled(log_level)) return;
  char line[kLineMax];
  // The name is not known before Init.
  const char* who = module != nullptr && module->identified() ? module->name().c_str() : "module";
  int size = std::snprintf(line, sizeof(line), "<%s> ", who);
  if (size < 0 || static_cast<size_t>(size) >= sizeof(line)) size = 0;
  std::vsnprintf(line + size, sizeof(line) - static_cast<size_t>(size), format, values);
  logger.Log(log_level, line);
}

namespace {

void Log(RedisModuleCtx* ctx, const char* level, const char* fmt, ...) {
  va_list values;
  va_start(values, fmt);
  LogFormatted(ctx == nullptr ? nullptr : ctx->module, level, fmt, values);
  va_end(values);
}

[[noreturn]] void _Assert(const char* estr, const char* file, int line) {
  Logger& logger = CurrentHost()->logger();
  logger.Warning("=== ASSERTION FAILED ===");
  logger.Warning("==> " + std::string(file) + ":" + std::to_string(line) + " '" + estr +
                 "' is not true");
  std::abort();
}

void LatencyAddSample(const char* event, mstime_t latency) {
  constexpr int64_t kMicrosPerMs = 1000;
  constexpr int64_t kMax = INT64_MAX / kMicrosPerMs;
  if (event == nullptr || latency < 0) return;
  CurrentHost()->engine().records().latency().Note(event,
                                                   std::min<int64_t>(latency, kMax) * kMicrosPerMs);
}

void GetRandomBytes(unsigned char* dst, size_t len) { EntropyBytes(dst, len); }

void GetRandomHexChars(char* dst, size_t len) {
  const std::string text = EntropyHex(len);
  text.copy(dst, len);
}

mstime_t Milliseconds() { return WallMillis(); }
ustime_t Microseconds() { return WallMicros(); }
uint64_t MonotonicMicroseconds() { return static_cast<uint64_t>(backplane::MonotonicMicros()); }
ustime_t CachedMicroseconds() { return CurrentHost()->keyspace().now_ms() * 1000; }

}  // namespace

void RegisterLogApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(Log),
      BACKPLANE_API_ROW(_Assert),
      BACKPLANE_API_ROW(LatencyAddSample),
      BACKPLANE_API_ROW(GetRandomBytes),
      BACKPLANE_API_ROW(GetRandomHexChars),
      BACKPLANE_API_ROW(Milliseconds),
      BACKPLANE_API_ROW(Microseconds),
      BACKPLANE_API_ROW(MonotonicMicroseconds),
      BACKPLANE_API_ROW(CachedMicroseconds),
  };
  table.Add(rows);
}

}  // namespace backplane
