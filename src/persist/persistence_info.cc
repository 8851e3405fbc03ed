// SPDX-License-Identifier: BSD-3-Clause
// What INFO's Persistence section says.
#include <algorithm>
#include <cstdio>

#include "base/clock.h"
#include "persist/persistence.h"

namespace backplane {
namespace {

class Lines {
 public:
  void Number(const char* name, uint64_t value) { Text(name, std::to_string(value)); }
  void Signed(const char* name, int64_t value) { Text(name, std::to_string(value)); }
  void Text(const char* name, const std::string& value) {
    text_ += name;
    text_ += ':';
    text_ += value;
    text_ += "\r\n";
  }
  void Percent(const char* name, uint64_t part, uint64_t whole) {
    char value[32];
    const double share = whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
    std::snprintf(value, sizeof(value), "%.2f", 100 * share);
    Text(name, value);
  }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

const char* OkText(bool ok) { return ok ? "ok" : "err"; }

}  // namespace

std::string Persistence::LoadingInfo() const {
  if (!engine_.loading()) return {};
  Lines lines;
  const int64_t elapsed = (WallMillis() - loading_.start_ms) / 1000;
  const uint64_t loaded = loading_.loaded_bytes;
  const uint64_t left = loading_.total_bytes - std::min(loaded, loading_.total_bytes);
  lines.Signed("loading_start_time", loading_.start_ms / 1000);
  lines.Number("loading_total_bytes", loading_.total_bytes);
  lines.Number("loading_loaded_bytes", loaded);
  lines.Percent("loading_loaded_perc", loaded, loading_.total_bytes);
  lines.Signed("loading_eta_seconds",
               loaded == 0
                   ? 1
                   : static_cast<int64_t>(static_cast<double>(elapsed) * static_cast<double>(left) /
                                          static_cast<double>(loaded)));
  return lines.Take();
}

std::string Persistence::PersistenceInfo() const {
  const bool running = bgsave_running();
  const BackgroundChild::Report report = running ? child_->report() : BackgroundChild::Report{};
  const int64_t reported = running ? child_->reported_us() : 0;
  Lines lines;
  lines.Number("loading", engine_.loading() ? 1 : 0);
  lines.Number("async_loading", 0);
  lines.Number("current_cow_peak", running ? child_->cow_peak() : 0);
  lines.Number("current_cow_size", report.cow_bytes);
  lines.Signed("current_cow_size_age",
               reported == 0 ? 0 : (MonotonicMicros() - reported) / 1'000'000);
  lines.Percent("current_fork_perc", report.keys, running ? keys_at_fork_ : 0);
  lines.Number("current_save_keys_processed", report.keys);
  lines.Number("current_save_keys_total", running ? keys_at_fork_ : 0);
  lines.Number("rdb_changes_since_last_save", engine_.keyspace().dirty());
  lines.Number("rdb_bgsave_in_progress", running ? 1 : 0);
  lines.Signed("rdb_last_save_time", last_save_seconds());
  lines.Text("rdb_last_bgsave_status", OkText(last_bgsave_ok_));
  lines.Signed("rdb_last_bgsave_time_sec", last_bgsave_seconds_);
  lines.Signed("rdb_current_bgsave_time_sec",
               running ? (WallMillis() - bgsave_start_ms_) / 1000 : -1);
  lines.Number("rdb_saves", saves_);
  lines.Number("rdb_last_cow_size", last_cow_bytes_);
  lines.Number("rdb_last_load_keys_expired", last_load_.keys_expired);
  lines.Number("rdb_last_load_keys_loaded", last_load_.keys_loaded);
  lines.Number("aof_enabled", 0);
  lines.Number("aof_rewrite_in_progress", 0);
  lines.Number("aof_rewrite_scheduled", 0);
  lines.Signed("aof_last_rewrite_time_sec", -1);
  lines.Signed("aof_current_rewrite_time_sec", -1);
  lines.Text("aof_last_bgrewrite_status", "ok");
  lines.Number("aof_rewrites", 0);
  lines.Number("aof_rewrites_consecutive_failures", 0);
  lines.Text("aof_last_write_status", "ok");
  lines.Number("aof_last_cow_size", 0);
  lines.Number("module_fork_in_progress", fork_claimed_ ? 1 : 0);
  lines.Number("module_fork_last_cow_size", 0);
  return lines.Take() + LoadingInfo();
}

}  // namespace backplane
