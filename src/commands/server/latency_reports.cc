// SPDX-License-Identifier: BSD-3-Clause
#include "commands/server/latency_reports.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <vector>

namespace backplane {
namespace {

// "5s", "12m", "3h", "2d": two digits and a unit.
std::string AgeText(int64_t seconds) {
  constexpr int64_t kMinute = 60;
  constexpr int64_t kHour = 60 * kMinute;
  constexpr int64_t kDay = 24 * kHour;
  if (seconds < kMinute) return fmt::format("{}s", seconds);
  if (seconds < kHour) return fmt::format("{}m", seconds / kMinute);
  if (seconds < kDay) return fmt::format("{}h", seconds / kHour);
  return fmt::format("{}d", seconds / kDay);
}

struct Spread {
  int64_t low = 0;
  int64_t high = 0;
  int64_t average = 0;
  int64_t deviation = 0;  // mean absolute
};

Spread SpreadOf(const LatencySeries& series) {
  Spread spread{series.at(0).millis, series.at(0).millis, 0, 0};
  const auto count = static_cast<int64_t>(series.size());
  int64_t sum = 0;
  for (size_t i = 0; i < series.size(); ++i) {
    const int64_t millis = series.at(i).millis;
    spread.low = std::min(spread.low, millis);
    spread.high = std::max(spread.high, millis);
    sum += millis;
  }
  spread.average = sum / count;
  int64_t away = 0;
  for (size_t i = 0; i < series.size(); ++i) {
    away += std::abs(series.at(i).millis - spread.average);
  }
  spread.deviation = away / count;
  return spread;
}

// Rows of the chart, each with three levels: a column ends in '_' (a third), 'o' or '#' (full).
constexpr int kRows = 4;
constexpr int kLevelsPerRow = 3;

std::string ChartRows(const LatencySeries& series, size_t first, const Spread& spread) {
  constexpr std::string_view kTops = "_o#";
  std::string text;
  for (int row = kRows - 1; row >= 0; --row) {
    for (size_t i = first; i < series.size(); ++i) {
      const int64_t range = std::max<int64_t>(spread.high - spread.low, 1);
      const int64_t level = (series.at(i).millis - spread.low) *
                            static_cast<int64_t>(kRows * kLevelsPerRow - 1) / range;
      const int64_t within = level - row * kLevelsPerRow;
      if (within >= kLevelsPerRow) {
        text += '|';
      } else {
        text += within < 0 ? ' ' : kTops[static_cast<size_t>(within)];
      }
    }
    text += '\n';
  }
  return text;
}

// The ages stand upright, one under each column.
std::string AgeRows(const LatencySeries& series, size_t first, int64_t now_s) {
  std::vector<std::string> ages;
  size_t height = 0;
  for (size_t i = first; i < series.size(); ++i) {
    ages.push_back(AgeText(std::max<int64_t>(now_s - series.at(i).time_s, 0)));
    height = std::max(height, ages.back().size());
  }
  std::string text;
  for (size_t row = 0; row < height; ++row) {
    for (const std::string& age : ages) text += row < age.size() ? age[row] : ' ';
    text += '\n';
  }
  return text;
}

std::string EventReport(std::string_view event, const LatencySeries& series, int64_t now_s) {
  const Spread spread = SpreadOf(series);
  const int64_t since = std::max<int64_t>(now_s - series.at(0).time_s, 1);
  return fmt::format(
      "{}: {} latency spikes (average {}ms, mean deviation {}ms, period {:.2f} sec). Worst all "
      "time "
      "event {}ms.\n",
      event, series.size(), spread.average, spread.deviation,
      static_cast<double>(since) / static_cast<double>(series.size()), series.max_millis());
}

enum class Advice { kLongCommands, kSlowLogOff, kSlowLogCoarse, kFork, kExpiry, kEviction, kDisk };

std::string_view TextOf(Advice advice) {
  switch (advice) {
    case Advice::kLongCommands:
      return "Commands took long. SLOWLOG GET names them; look for those that walk large values "
             "or all keys, and for large values that are deleted at once (UNLINK, and the "
             "lazyfree-lazy-* options, free them in the background).";
    case Advice::kSlowLogOff:
      return "The slow log is off. CONFIG SET slowlog-log-slower-than <microseconds> switches it "
             "on.";
    case Advice::kSlowLogCoarse:
      return "The slow log misses commands that this monitor counts. CONFIG SET "
             "slowlog-log-slower-than to no more than latency-monitor-threshold.";
    case Advice::kFork:
      return "fork() took long; it grows with the memory in use. Save less often, keep the data "
             "of one process smaller, and see that the machine's fork is fast (virtual machines "
             "with old hypervisors are slow at it; transparent huge pages make it worse).";
    case Advice::kExpiry:
      return "Removing expired keys took long. Spread the times at which many keys expire (their "
             "values are freed in the background).";
    case Advice::kEviction:
      return "Evicting keys took long. Raise maxmemory, lower maxmemory-eviction-tenacity, or "
             "consider lazyfree-lazy-eviction for large values.";
    case Advice::kDisk:
      return "Removing a file of a snapshot took long: the disk is busy or slow.";
  }
  return {};
}

std::set<Advice> AdviceFor(const LatencyMonitor& monitor, const LatencyDoctorFacts& facts) {
  std::set<Advice> advice;
  constexpr int64_t kMicrosPerMs = 1000;
  for (const auto& [event, series] : monitor.events()) {
    if (event == "command" || event == "fast-command") {
      advice.insert(Advice::kLongCommands);
      if (facts.slowlog_micros < 0) {
        advice.insert(Advice::kSlowLogOff);
      } else if (facts.slowlog_micros / kMicrosPerMs > monitor.threshold_ms()) {
        advice.insert(Advice::kSlowLogCoarse);
      }
    }
    if (event == "fork") advice.insert(Advice::kFork);
    if (event.starts_with("expire-")) advice.insert(Advice::kExpiry);
    if (event.starts_with("eviction-")) advice.insert(Advice::kEviction);
    if (event.starts_with("rdb-")) advice.insert(Advice::kDisk);
  }
  return advice;
}

}  // namespace

std::string LatencyGraph(std::string_view event, const LatencySeries& series, int64_t now_s) {
  constexpr size_t kColumns = 80;
  const Spread spread = SpreadOf(series);
  const size_t first = series.size() > kColumns ? series.size() - kColumns : 0;
  return fmt::format("{} - high {} ms, low {} ms (all time high {} ms)\n{}\n", event, spread.high,
                     spread.low, series.max_millis(), std::string(kColumns, '-')) +
         ChartRows(series, first, spread) + '\n' + AgeRows(series, first, now_s);
}

std::string LatencyDoctor(const LatencyMonitor& monitor, const LatencyDoctorFacts& facts) {
  if (monitor.events().empty()) {
    return monitor.enabled()
               ? "No event took as long as latency-monitor-threshold since the server started or "
                 "LATENCY RESET.\n"
               : "Latency monitoring is off. CONFIG SET latency-monitor-threshold <milliseconds> "
                 "switches it on.\n";
  }
  std::string text = "These events held the server up:\n\n";
  int number = 0;
  for (const auto& [event, series] : monitor.events()) {
    text += fmt::format("{}. {}", ++number, EventReport(event, series, facts.now_s));
  }
  text += "\nWhat can be done:\n\n";
  for (Advice advice : AdviceFor(monitor, facts)) {
    text.append("- ").append(TextOf(advice)).append("\n");
  }
  return text;
}

}  // namespace backplane
