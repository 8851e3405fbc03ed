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

#include "command/propagation_target.h"

namespace backplane {

class PropagationSink {
 public:
  virtual ~PropagationSink() = default;
  // `db`: database the command applies to; -1 for MULTI and EXEC. Views die with the call.
  virtual void OnCommand(int db, std::span<const std::string_view> args) = 0;
};

class PropagationStream {
 public:
  bool wanted() const { return wanted_; }
  // `target`: what it is one of.
  void AddSink(PropagationSink* sink, PropagationTarget target) {
    sinks_.push_back({sink, target});
    Update();
  }
  void RemoveSink(PropagationSink* sink) {
    std::erase_if(sinks_, [sink](const Reader& reader) { return reader.sink == sink; });
    Update();
  }
  // Muted, it takes nothing: data are being loaded.
  void set_muted(bool muted) {
    muted_ = muted;
    Update();
  }

  // Adds a command to the current unit. No-op when nobody wants the stream.
  void Append(int db, std::span<const std::string_view> args,
              uint8_t targets = kPropagateEverywhere);
  // The current unit has commands.
  bool pending() const { return !pending_.empty(); }
  // Units nest; the outermost End sends what has been added, in MULTI/EXEC when there is more than
  // one command.
  void BeginUnit() { ++depth_; }
  void EndUnit() {
    if (depth_ == 1 && !pending_.empty()) [[unlikely]]
      return SendUnit();
    Leave();
  }
  // Of all units; within OnCommand: those of the unit included.
  uint64_t commands_sent() const { return sent_; }

 private:
  // A command of the unit; its words lie one after the other in Unit::bytes.
  struct Pending {
    int db;
    uint8_t targets;
    size_t words;
  };
  struct Reader {
    PropagationSink* sink;
    uint8_t target;
  };
  void Update() { wanted_ = !sinks_.empty() && !muted_; }
  void Leave();
  void SendUnit();
  void SendTo(const Reader& reader);

  std::vector<Reader> sinks_;
  bool muted_ = false;
  bool wanted_ = false;
  // The commands of the unit, copied: what they were made of may be gone at its end. Their memory
  // is kept for the next unit.
  std::vector<Pending> pending_;
  std::vector<size_t> word_ends_;
  std::string bytes_;
  std::vector<std::string_view> views_;
  int depth_ = 0;
  uint64_t sent_ = 0;
};

}  // namespace backplane
