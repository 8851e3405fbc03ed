// SPDX-License-Identifier: BSD-3-Clause
// The parts of the list family, put together by RegisterListCommands. A blocking command is its
// plain form plus a wait: the forms here take keys and ends as arguments so that it can call them.
#pragma once

#include <optional>

#include "command/context.h"
#include "value/list_value.h"

namespace backplane {

void RegisterListEnds(CommandRegistry& registry);
void RegisterListElements(CommandRegistry& registry);
void RegisterListMoves(CommandRegistry& registry);

// argv[i] as LEFT or RIGHT; nullopt after replying a syntax error.
std::optional<ListEnd> ListEndArg(CommandContext& ctx, size_t i);

// Replies with an array of `count` elements from that end and takes them out. REQUIRES: `entry` is
// a list of at least `count` elements; not to be touched afterwards.
void PopElements(CommandContext& ctx, const Key& key, Entry* entry, ListEnd end, uint64_t count);

}  // namespace backplane
