// SPDX-License-Identifier: BSD-3-Clause
// PropagationStream: every change of the data, as commands, in order. The AOF and replicas read it
// through sinks; without a sink it costs one branch per write. Commands of one unit (a transaction,
// a script, a module command with several calls) arrive wrapped in MULTI/EXEC. Engine thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backplane {

class PropagationSink {
 public:
  virtual ~PropagationSink() = default;
  // `db`: database the command applies to; -1 for MULTI and EXEC. Views die with the call.
  virtual void OnCommand(int db, std::span<const std::string_view> args) = 0;
};

class PropagationStream {
 public:
  bool wanted() const { return !sinks_.empty(); }
  void AddSink(PropagationSink* sink) { sinks_.push_back(sink); }
  void RemoveSink(PropagationSink* sink) { std::erase(sinks_, sink); }

  // Adds a command to the current unit. No-op when nobody wants the stream.
  void Append(int db, std::span<const std::string_view> args);
  // Units nest; the outermost End sends what has been added, in MULTI/EXEC when there is more than
  // one command.
  void BeginUnit() { ++depth_; }
  void EndUnit();
  uint64_t commands_sent() const { return sent_; }

 private:
  struct Pending {
    int db;
    std::vector<std::string> args;
  };
  void Send(int db, std::span<const std::string_view> args);

  std::vector<PropagationSink*> sinks_;
  std::vector<Pending> pending_;
  int depth_ = 0;
  uint64_t sent_ = 0;
};

}  // namespace backplane
