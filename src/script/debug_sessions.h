// SPDX-License-Identifier: BSD-3-Clause
// DebugSessions: scripts that are run in the debugger (SCRIPT DEBUG), each for the client that
// asked. As a rule in a forked child, which has the data as they are now and whose changes nobody
// sees; in sync mode here, and the whole server stands still meanwhile. After it the client is
// closed. Made by Scripting; used by the commands. Engine thread.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "command/context.h"
#include "persist/background_child.h"

namespace backplane {

class EvalScripts;
class LuaDebugger;
class Persistence;
class ScriptRunner;

class DebugSessions {
 public:
  explicit DebugSessions(ScriptRunner* runner) : runner_(runner) {}
  DebugSessions(const DebugSessions&) = delete;
  DebugSessions& operator=(const DebugSessions&) = delete;
  // Children that still run are killed.
  ~DebugSessions() = default;
  // Both outlive it. Without persistence (unit tests) no child is forked. `interrupted`: the
  // process is to end.
  void Connect(Persistence* persistence, std::function<bool()> interrupted) {
    persistence_ = persistence;
    interrupted_ = std::move(interrupted);
  }

  // Why the client of this command cannot debug; null when it can.
  const char* Refusal(const CommandContext& ctx) const;
  // The client's next script is to be debugged, and is not part of a transaction or pipeline.
  bool Wanted(const CommandContext& ctx) const;
  // Runs `run`, which runs the script of that text for the context that it is given, in the
  // debugger, and replies. REQUIRES: Wanted(ctx).
  void Run(CommandContext& ctx, std::string_view source,
           const std::function<void(CommandContext& ctx)>& run);
  // The script cannot be run: replies that, the way the client of a session expects it.
  static void ReplyFailure(CommandContext& ctx, std::string_view error);

  // From the server's cron: reaps children.
  void OnCron();
  size_t children() const { return children_.size(); }

 private:
  class Child;
  void RunHere(CommandContext& ctx, std::string_view source,
               const std::function<void(CommandContext& ctx)>& run);
  void Fork(CommandContext& ctx, std::string_view source,
            const std::function<void(CommandContext& ctx)>& run);

  ScriptRunner* runner_;
  Persistence* persistence_ = nullptr;
  std::function<bool()> interrupted_;
  std::vector<std::unique_ptr<BackgroundChild>> children_;
};

}  // namespace backplane
