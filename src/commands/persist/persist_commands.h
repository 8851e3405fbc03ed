// SPDX-License-Identifier: BSD-3-Clause
// Commands about the data set on disk and values as bytes: SAVE, BGSAVE, LASTSAVE, DUMP, RESTORE,
// BGREWRITEAOF, WAITAOF, and the bodies of DEBUG RELOAD and LOADAOF. Engine thread.
#pragma once

#include "command/context.h"
#include "command/registry.h"
#include "persist/persistence.h"

namespace backplane {

class AppendOnly;

// Both outlive the registry.
void RegisterPersistCommands(CommandRegistry& registry, Persistence& persistence,
                             AppendOnly& append_only);

// The parts of it.
void RegisterSaveCommands(CommandRegistry& registry, Persistence& persistence);
void RegisterDumpCommands(CommandRegistry& registry, Persistence& persistence);
void RegisterAofCommands(CommandRegistry& registry, AppendOnly& append_only);

// DEBUG RELOAD [MERGE] [NOFLUSH] [NOSAVE]; the arguments begin at argv[2].
void DebugReload(CommandContext& ctx, Persistence& persistence);
// DEBUG LOADAOF.
void DebugLoadAof(CommandContext& ctx, AppendOnly& append_only);

}  // namespace backplane
