// SPDX-License-Identifier: BSD-3-Clause
// The parts of the list family, put together by RegisterListCommands. A blocking command is its
// plain form plus a wait: what both call is here.
#pragma once

#include <optional>

#include "command/context.h"
#include "value/list_value.h"

namespace backplane {

void RegisterListEnds(CommandRegistry& registry);
void RegisterListElements(CommandRegistry& registry);
void RegisterListMoves(CommandRegistry& registry);
void RegisterListBlocking(CommandRegistry& registry);

// argv[i] as LEFT or RIGHT; nullopt after replying a syntax error.
std::optional<ListEnd> ListEndArg(CommandContext& ctx, size_t i);

// Replies with an array of `count` elements from that end and takes them out. REQUIRES: `entry` is
// a list of at least `count` elements; not to be touched afterwards.
void PopElements(CommandContext& ctx, const Key& key, Entry* entry, ListEnd end, uint64_t count);

// LMOVE of argv[1] to argv[2]. kNoSource: nothing was replied.
enum class Moved : uint8_t { kYes, kNoSource, kError };
Moved MoveElement(CommandContext& ctx, ListEnd from, ListEnd to);

// "numkeys key [key ...] <LEFT | RIGHT> [COUNT count]".
struct ListPopRequest {
  size_t first_key = 0;
  size_t end_of_keys = 0;
  ListEnd end = ListEnd::kHead;
  uint64_t count = 1;
};
// From argv[first] to the end; nullopt after replying an error.
std::optional<ListPopRequest> ListPopArgs(CommandContext& ctx, size_t first);
// LMPOP. False when none of the keys is a list; nothing was replied then.
bool PopFromFirst(CommandContext& ctx, const ListPopRequest& request);

}  // namespace backplane
