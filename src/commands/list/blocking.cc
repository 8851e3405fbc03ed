// SPDX-License-Identifier: BSD-3-Clause
// BLPOP, BRPOP, BLMOVE, BRPOPLPUSH, BLMPOP: the plain commands, and a wait when there is nothing.
#include "commands/blocking.h"

#include "command/key_specs.h"
#include "commands/collection.h"
#include "commands/list/list_commands.h"

namespace backplane {
namespace {

using TimeoutReply = BlockedCommands::TimeoutReply;

void BlockingPop(CommandContext& ctx, ListEnd end) {
  const size_t last = ctx.argc() - 1;
  const auto timeout_ms = TimeoutArg(ctx, last);
  if (!timeout_ms) return;
  for (size_t i = 1; i < last; ++i) {
    if (!LooksAtKey(ctx, i)) continue;
    const Key key = ctx.key(i);
    bool failed;
    Entry* entry = ctx.FindForWrite(key, TypeId::kList, &failed);
    if (failed) return;
    if (entry == nullptr) continue;
    const bool head = end == ListEnd::kHead;
    if (PropagationWanted(ctx)) ctx.Propagate({head ? "LPOP" : "RPOP", key.bytes});
    auto& list = entry->As<ListValue>();
    ctx.reply().BeginArray(2);
    ctx.reply().Bulk(key.bytes);
    ReplyItem(ctx.reply(), list.Peek(end));
    list.Drop(end, 1, ctx.limits());
    return ElementsRemoved<ListValue>(ctx, key, entry, kNotifyList, head ? "lpop" : "rpop", 1);
  }
  WaitForKeys(ctx, 1, last, TypeId::kList, *timeout_ms, TimeoutReply::kNullArray);
}

void BLPop(CommandContext& ctx) { BlockingPop(ctx, ListEnd::kHead); }
void BRPop(CommandContext& ctx) { BlockingPop(ctx, ListEnd::kTail); }

// `plain`: the form that does not wait, for replicas.
void MoveOrWait(CommandContext& ctx, ListEnd from, ListEnd to, int64_t timeout_ms,
                std::span<const std::string_view> plain) {
  switch (MoveElement(ctx, from, to)) {
    case Moved::kYes:
      if (PropagationWanted(ctx)) ctx.Propagate(plain);
      return;
    case Moved::kNoSource:
      return WaitForKeys(ctx, 1, 2, TypeId::kList, timeout_ms, TimeoutReply::kNull);
    case Moved::kError:
      return;
  }
}

void BLMove(CommandContext& ctx) {
  const auto from = ListEndArg(ctx, 3);
  if (!from) return;
  const auto to = ListEndArg(ctx, 4);
  if (!to) return;
  const auto timeout_ms = TimeoutArg(ctx, 5);
  if (!timeout_ms) return;
  const std::string_view plain[] = {"LMOVE", ctx.arg(1), ctx.arg(2), ctx.arg(3), ctx.arg(4)};
  MoveOrWait(ctx, *from, *to, *timeout_ms, plain);
}

void BRPopLPush(CommandContext& ctx) {
  const auto timeout_ms = TimeoutArg(ctx, 3);
  if (!timeout_ms) return;
  const std::string_view plain[] = {"RPOPLPUSH", ctx.arg(1), ctx.arg(2)};
  MoveOrWait(ctx, ListEnd::kTail, ListEnd::kHead, *timeout_ms, plain);
}

void BLMPop(CommandContext& ctx) {
  const auto timeout_ms = TimeoutArg(ctx, 1);
  if (!timeout_ms) return;
  const auto request = ListPopArgs(ctx, 2);
  if (!request || PopFromFirst(ctx, *request)) return;
  WaitForKeys(ctx, request->first_key, request->end_of_keys, TypeId::kList, *timeout_ms,
              TimeoutReply::kNullArray);
}

constexpr uint64_t kFlags = kCmdWrite | kCmdBlocking;

constexpr CommandSpec kCommands[] = {
    {.name = "blpop",
     .handler = BLPop,
     .arity = -3,
     .flags = kFlags,
     .keys = {1, -2, 1},
     .acl = kAclList,
     .key_flags = kKeyRW | kKeyAccess | kKeyDelete,
     .summary = "Takes the first element of the first list that has one; waits for one.",
     .since = "2.0.0",
     .group = "list",
     .complexity = "O(N) in the number of keys",
     .arguments = "key... timeout:double",
     .history = "6.0.0: parts of a second as timeout"},
    {.name = "brpop",
     .handler = BRPop,
     .arity = -3,
     .flags = kFlags,
     .keys = {1, -2, 1},
     .acl = kAclList,
     .key_flags = kKeyRW | kKeyAccess | kKeyDelete,
     .summary = "Takes the last element of the first list that has one; waits for one.",
     .since = "2.0.0",
     .group = "list",
     .complexity = "O(N) in the number of keys",
     .arguments = "key... timeout:double",
     .history = "6.0.0: parts of a second as timeout"},
    {.name = "blmove",
     .handler = BLMove,
     .arity = 6,
     .flags = kFlags | kCmdDenyOom,
     .keys = {1, 2, 1},
     .acl = kAclList,
     .summary = "LMOVE that waits until the source has an element.",
     .since = "6.2.0",
     .group = "list",
     .complexity = "O(1)",
     .key_specs = key_specs::kMoveElement,
     .arguments =
         "source:key destination:key wherefrom(LEFT | RIGHT) whereto(LEFT | RIGHT) timeout:double"},
    {.name = "brpoplpush",
     .handler = BRPopLPush,
     .arity = 4,
     .flags = kFlags | kCmdDenyOom,
     .keys = {1, 2, 1},
     .acl = kAclList,
     .summary = "RPOPLPUSH that waits until the source has an element; BLMOVE in one form.",
     .since = "2.2.0",
     .group = "list",
     .complexity = "O(1)",
     .key_specs = key_specs::kMoveElement,
     .arguments = "source:key destination:key timeout:double",
     .history = "6.0.0: parts of a second as timeout",
     .deprecated = "6.2.0: `BLMOVE` with `RIGHT` and `LEFT`"},
    {.name = "blmpop",
     .handler = BLMPop,
     .arity = -5,
     .flags = kCmdWrite | kCmdBlocking | kCmdMovableKeys,
     .acl = kAclList,
     .key_flags = kKeyRW | kKeyAccess | kKeyDelete,
     .summary = "LMPOP that waits until one of the lists has an element.",
     .since = "7.0.0",
     .group = "list",
     .complexity = "O(N+M): keys looked at, and elements taken",
     .keynum = {.numkeys_index = 2},
     .arguments =
         "timeout:double numkeys:integer key... where(LEFT | RIGHT) [COUNT count:integer]"},
};

}  // namespace

void RegisterListBlocking(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
