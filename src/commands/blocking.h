// SPDX-License-Identifier: BSD-3-Clause
// What blocking commands share. Engine thread.
#pragma once

#include <cstdint>
#include <optional>

#include "command/context.h"
#include "engine/blocked_commands.h"

namespace backplane {

// Seconds, with a fraction, as milliseconds; 0 is for ever. nullopt after replying an error.
std::optional<int64_t> TimeoutArg(CommandContext& ctx, size_t i);

// The same in whole milliseconds: WAIT and WAITAOF.
std::optional<int64_t> MillisTimeoutArg(CommandContext& ctx, size_t i);

// Whether the command is to look at the key argv[i] now: at all keys at first, and when it runs
// again only at the one that was written first.
bool LooksAtKey(CommandContext& ctx, size_t i);

// The command waits for one of argv[first..end) to hold a `type`. It is to return at once, and runs
// again from the beginning when one does. Where it cannot wait it has replied as after the time.
void WaitForKeys(CommandContext& ctx, size_t first, size_t end, TypeId type, int64_t timeout_ms,
                 BlockedCommands::TimeoutReply reply);

// The same for a wait of any kind.
void BlockCommand(CommandContext& ctx, BlockedCommands::Wait wait);

}  // namespace backplane
