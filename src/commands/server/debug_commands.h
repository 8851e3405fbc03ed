// SPDX-License-Identifier: BSD-3-Clause
// The subcommands of DEBUG that stand in files of their own. Each replies once; debug.cc has
// checked the number of arguments.
#pragma once

#include "command/context.h"

namespace backplane {

void DebugDigest(CommandContext& ctx);
void DebugDigestValue(CommandContext& ctx);
void DebugObject(CommandContext& ctx);
void DebugPopulate(CommandContext& ctx);
void DebugHtStats(CommandContext& ctx);
void DebugHtStatsKey(CommandContext& ctx);
void DebugStringMatchLength(CommandContext& ctx);

}  // namespace backplane
