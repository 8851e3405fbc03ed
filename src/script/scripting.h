// SPDX-License-Identifier: BSD-3-Clause
// Scripting: all of scripting as one service. Made by the server, used by the commands of
// commands/scripting and by INFO. Engine thread.
#pragma once

#include "script/debug_sessions.h"
#include "script/eval_scripts.h"
#include "script/function_libraries.h"
#include "script/script_runner.h"

namespace backplane {

class Scripting {
 public:
  // `engine` outlives it.
  explicit Scripting(Engine* engine)
      : runner_(engine), scripts_(&runner_), libraries_(&runner_), debug_sessions_(&runner_) {}

  ScriptRunner& runner() { return runner_; }
  EvalScripts& scripts() { return scripts_; }
  FunctionLibraries& libraries() { return libraries_; }
  DebugSessions& debug_sessions() { return debug_sessions_; }

 private:
  ScriptRunner runner_;
  EvalScripts scripts_;
  FunctionLibraries libraries_;
  DebugSessions debug_sessions_;
};

}  // namespace backplane
