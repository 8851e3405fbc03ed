// SPDX-License-Identifier: BSD-3-Clause
// Scripts and functions: EVAL and its kin, SCRIPT, FCALL, FUNCTION. Engine thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "command/context.h"
#include "command/registry.h"
#include "script/scripting.h"

namespace backplane {

// `scripting` outlives the registry.
void RegisterScriptingCommands(CommandRegistry& registry, Scripting& scripting);

// The parts of it.
void RegisterEvalCommands(CommandRegistry& registry, Scripting& scripting);
void RegisterScriptCommand(CommandRegistry& registry, Scripting& scripting);
void RegisterFunctionCommands(CommandRegistry& registry, Scripting& scripting);

// The number of keys at argv[2]; nullopt after an error reply. `not_integer`: its text.
std::optional<size_t> KeyCountArg(CommandContext& ctx, std::string_view not_integer);
// True when a script runs, whose state this command must not touch; replied then. Commands of
// scripts are refused by their flag; a module's command that a script calls may still try.
bool RefusedWithinScript(CommandContext& ctx);
// True when the script may not run at all now; replied then. For scripts that say what they do:
// others fail at their first command.
bool RefusedAsWhole(CommandContext& ctx, uint32_t script_flags);
// The reply of SCRIPT KILL and FUNCTION KILL.
void ReplyKill(CommandContext& ctx, ScriptRunner::Kind kind);

}  // namespace backplane
