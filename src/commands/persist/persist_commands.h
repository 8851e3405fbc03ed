// SPDX-License-Identifier: BSD-3-Clause
// Commands about the data set on disk and values as bytes: SAVE, BGSAVE, LASTSAVE, DUMP, RESTORE,
// and DEBUG RELOAD's body. Engine thread.
#pragma once

#include "command/context.h"
#include "command/registry.h"
#include "persist/persistence.h"

namespace backplane {

// `persistence` outlives the registry.
void RegisterPersistCommands(CommandRegistry& registry, Persistence& persistence);

// The parts of it.
void RegisterSaveCommands(CommandRegistry& registry, Persistence& persistence);
void RegisterDumpCommands(CommandRegistry& registry, Persistence& persistence);

// DEBUG RELOAD [MERGE] [NOFLUSH] [NOSAVE]; the arguments begin at argv[2].
void DebugReload(CommandContext& ctx, Persistence& persistence);

}  // namespace backplane
