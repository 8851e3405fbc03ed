// SPDX-License-Identifier: BSD-3-Clause
// What LATENCY GRAPH and LATENCY DOCTOR say, for people to read. Pure; used by latency.cc.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "engine/latency_monitor.h"

namespace backplane {

// A chart of the samples in text, each a column, its age below; and a heading.
std::string LatencyGraph(std::string_view event, const LatencySeries& series, int64_t now_s);

struct LatencyDoctorFacts {
  int64_t now_s = 0;
  int64_t slowlog_micros = 0;  // the slow log's threshold; negative: it is off
};
// What was observed, and advice on it.
std::string LatencyDoctor(const LatencyMonitor& monitor, const LatencyDoctorFacts& facts);

}  // namespace backplane
