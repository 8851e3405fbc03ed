// SPDX-License-Identifier: BSD-3-Clause
// PropagationStream: units of commands to sinks.
#include "engine/propagation.h"

#include "base/assert.h"

namespace backplane {

void PropagationStream::Append(int db, std::span<const std::string_view> args) {
  if (sinks_.empty()) return;
  BP_ASSERT(depth_ > 0);
  pending_.push_back({db, std::vector<std::string>(args.begin(), args.end())});
}

void PropagationStream::Send(int db, std::span<const std::string_view> args) {
  ++sent_;
  for (PropagationSink* sink : sinks_) sink->OnCommand(db, args);
}

void PropagationStream::EndUnit() {
  BP_ASSERT(depth_ > 0);
  if (--depth_ > 0 || pending_.empty()) return;
  std::vector<Pending> unit;
  unit.swap(pending_);
  constexpr std::string_view kMulti[] = {"MULTI"};
  constexpr std::string_view kExec[] = {"EXEC"};
  bool several = unit.size() > 1;
  if (several) Send(-1, kMulti);
  std::vector<std::string_view> views;
  for (const Pending& command : unit) {
    views.assign(command.args.begin(), command.args.end());
    Send(command.db, views);
  }
  if (several) Send(-1, kExec);
}

}  // namespace backplane
