// SPDX-License-Identifier: BSD-3-Clause
// Monitors: the clients that have said MONITOR, and the line that each of them gets for a command.
// Filled by MONITOR, fed by CallRecords and by scripts. Engine thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backplane {

class CommandContext;
class Session;

class Monitors {
 public:
  bool empty() const { return sessions_.empty(); }
  size_t size() const { return sessions_.size(); }

  // The command of `ctx` has run, or (a script) begins. Commands that are not to be shown are left
  // out.
  void Feed(CommandContext& ctx);
  // A command without a context: an EXEC that was refused.
  void Feed(const Session& from, std::span<const std::string_view> args);

 private:
  friend class CallRecords;
  // "1700000000.123456 [0 127.0.0.1:1234]".
  static std::string Head(const Session& from);
  void Send(std::string_view line);

  std::vector<Session*> sessions_;
};

}  // namespace backplane
