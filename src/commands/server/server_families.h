// SPDX-License-Identifier: BSD-3-Clause
// The parts of the server family, put together by RegisterServerCommands.
#pragma once

#include "commands/server/server_commands.h"
#include "config/options.h"

namespace backplane {

void RegisterCommandCommand(CommandRegistry& registry);
void RegisterClusterCommands(CommandRegistry& registry);
void RegisterConfigCommand(CommandRegistry& registry, ServerServices& services);
void RegisterInfoCommand(CommandRegistry& registry, ServerServices& services);
void RegisterSlowLogCommand(CommandRegistry& registry);
void RegisterLatencyCommand(CommandRegistry& registry);
void RegisterMonitorCommand(CommandRegistry& registry);
// REQUIRES: MEMORY is registered.
void RegisterMemoryReports(CommandRegistry& registry, ServerServices& services);
void RegisterLolWutCommand(CommandRegistry& registry);
void RegisterDebugCommand(CommandRegistry& registry, ServerServices& services);
void RegisterAdminCommands(CommandRegistry& registry, ServerServices& services);

// CONFIG REWRITE, and what DEBUG makes of it: replies.
void RewriteConfig(CommandContext& ctx, RewriteWhat what);

}  // namespace backplane
