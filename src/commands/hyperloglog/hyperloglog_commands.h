// SPDX-License-Identifier: BSD-3-Clause
// The parts of the HyperLogLog family, put together by RegisterHyperLogLogCommands. Engine thread.
#pragma once

#include <string_view>

#include "command/context.h"

namespace backplane {

void RegisterHyperLogLogBasics(CommandRegistry& registry);
void RegisterHyperLogLogDebug(CommandRegistry& registry);

// Replies an error and returns false when the string is no HyperLogLog.
bool CheckHyperLogLog(CommandContext& ctx, std::string_view bytes);
// Of one whose header is right, but not what follows.
void ReplyCorrupt(CommandContext& ctx);
// `bytes`, which are not the entry's own, become its string. It is not to be used afterwards.
void StoreBytes(CommandContext& ctx, Entry* entry, std::string_view bytes);

}  // namespace backplane
