// SPDX-License-Identifier: BSD-3-Clause
// ModuleReport: what a trial of a module in a child process found out. The child tells it line by
// line, so that what it had said before a crash or a hang is known. Shown by MODULE INSPECT,
// MODULE UPGRADE ... DRYRUN and --inspect-module; what LOAD and UPGRADE decide by. Any thread.
//
//   line  = word { " " word } LF       words quoted as in redis.conf
//   The first word says what it is: see ModuleReport::TakeLine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace backplane {

class ReplySink;

struct ModuleReport {
  struct Type {
    std::string name;
    int encver = 0;
  };

  std::string path;
  // --- the module ---
  std::string name;  // empty: it did not get to RedisModule_Init
  int version = 0;
  int api_version = 0;
  bool has_on_unload = false;
  std::vector<std::string> missing_functions;  // asked for, and not there
  std::vector<std::string> commands;
  std::vector<std::string> options;
  std::vector<Type> types;
  // --- the trial ---
  std::string phase;    // what it did last: "mapping", "OnLoad", "values"
  bool loaded = false;  // OnLoad accepted
  bool done = false;    // the trial came to its end
  std::string reason;   // why the load was refused; empty when it was not
  int signal = 0;       // that ended the child
  std::string place;    // function and offset where it was, with the signal
  bool hung = false;
  int64_t load_us = 0;
  // --- values, in a rehearsal ---
  uint64_t values = 0;
  uint64_t values_failed = 0;
  std::string value_error;  // of the first that failed
  int64_t save_us = 0;      // within rdb_save and aux_save
  int64_t revive_us = 0;    // within rdb_load and aux_load

  // Nothing speaks against it.
  bool ok() const { return loaded && done && values_failed == 0; }
  // Why it is not ok, one sentence; empty when it is.
  std::string Problem() const;

  // Understands a line of the child; unknown ones are passed over.
  void TakeLine(std::string_view line);
  // As one JSON object, indented, LF at the end.
  std::string ToJson() const;
  // As a map of words and values.
  void Reply(ReplySink& reply) const;
};

// "SIGSEGV" and the like.
std::string SignalName(int signal);
// A line for TakeLine.
std::string ReportLine(const std::vector<std::string>& words);

}  // namespace backplane
