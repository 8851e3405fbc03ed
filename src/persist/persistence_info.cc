// SPDX-License-Identifier: BSD-3-Clause
// What INFO's Persistence section says.
#include <algorithm>

#include "base/clock.h"
#include "persist/append_only.h"
#include "persist/info_lines.h"
#include "persist/persistence.h"

namespace backplane {
std::string Persistence::LoadingInfo() const {
  if (!engine_.loading()) return {};
  InfoLines lines;
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
  const BackgroundChild* child = running ? child_.get() : foreign_child_;
  const bool writing = child != nullptr;
  const BackgroundChild::Report report = writing ? child->report() : BackgroundChild::Report{};
  const int64_t reported = writing ? child->reported_us() : 0;
  InfoLines lines;
  lines.Number("loading", engine_.loading() ? 1 : 0);
  lines.Number("async_loading", 0);
  lines.Number("current_cow_peak", writing ? child->cow_peak() : 0);
  lines.Number("current_cow_size", report.cow_bytes);
  lines.Signed("current_cow_size_age",
               reported == 0 ? 0 : (MonotonicMicros() - reported) / 1'000'000);
  lines.Percent("current_fork_perc", report.keys, writing ? keys_at_fork_ : 0);
  lines.Number("current_save_keys_processed", report.keys);
  lines.Number("current_save_keys_total", writing ? keys_at_fork_ : 0);
  lines.Number("rdb_changes_since_last_save", engine_.keyspace().dirty());
  lines.Number("rdb_bgsave_in_progress", running ? 1 : 0);
  lines.Signed("rdb_last_save_time", last_save_seconds());
  lines.Ok("rdb_last_bgsave_status", last_bgsave_ok_);
  lines.Signed("rdb_last_bgsave_time_sec", last_bgsave_seconds_);
  lines.Signed("rdb_current_bgsave_time_sec",
               running ? (WallMillis() - bgsave_start_ms_) / 1000 : -1);
  lines.Number("rdb_saves", saves_);
  lines.Number("rdb_last_cow_size", last_cow_bytes_);
  lines.Number("rdb_last_load_keys_expired", last_load_.keys_expired);
  lines.Number("rdb_last_load_keys_loaded", last_load_.keys_loaded);
  if (append_only_ != nullptr) append_only_->AppendInfo(lines);
  lines.Number("module_fork_in_progress", fork_claimed_ ? 1 : 0);
  lines.Number("module_fork_last_cow_size", 0);
  if (append_only_ != nullptr) append_only_->AppendFileInfo(lines);
  return lines.Take() + LoadingInfo();
}

}  // namespace backplane
