// SPDX-License-Identifier: BSD-3-Clause
// LPUSH, RPUSH, LPUSHX, RPUSHX, LPOP, RPOP, LLEN.
#include "commands/collection.h"
#include "commands/families.h"
#include "commands/list/list_commands.h"

namespace backplane {

void RegisterListCommands(CommandRegistry& registry) {
  RegisterListEnds(registry);
  RegisterListElements(registry);
  RegisterListMoves(registry);
  RegisterListBlocking(registry);
}

std::optional<ListEnd> ListEndArg(CommandContext& ctx, size_t i) {
  if (ctx.ArgIs(i, "left")) return ListEnd::kHead;
  if (ctx.ArgIs(i, "right")) return ListEnd::kTail;
  ctx.Error(errors::kSyntax);
  return std::nullopt;
}

namespace {

constexpr std::string_view PopEvent(ListEnd end) { return end == ListEnd::kHead ? "lpop" : "rpop"; }

void Push(CommandContext& ctx, ListEnd end, bool only_existing) {
  const Key key = ctx.key(1);
  Destination<ListValue> list;
  if (!list.Open(ctx, key, TypeId::kList)) return;
  if (!list.exists()) {
    if (only_existing) return ctx.reply().Integer(0);
    list.Create(std::make_unique<ListValue>());
  }
  const EncodingLimits& limits = ctx.limits();
  const size_t count = ctx.argc() - 2;
  if (count > 1) {
    size_t bytes = 0;
    for (size_t i = 2; i < ctx.argc(); ++i) bytes += ctx.arg(i).size();
    list->PrepareToGrow(bytes, count, limits);
  }
  for (size_t i = 2; i < ctx.argc(); ++i) list->Push(end, ctx.arg(i), limits);
  ctx.reply().Integer(static_cast<int64_t>(list->length()));
  list.Commit(ctx, key);
  ctx.Modified(key.bytes, kNotifyList, end == ListEnd::kHead ? "lpush" : "rpush", count);
}

void LPush(CommandContext& ctx) { Push(ctx, ListEnd::kHead, false); }
void RPush(CommandContext& ctx) { Push(ctx, ListEnd::kTail, false); }
void LPushX(CommandContext& ctx) { Push(ctx, ListEnd::kHead, true); }
void RPushX(CommandContext& ctx) { Push(ctx, ListEnd::kTail, true); }

void Pop(CommandContext& ctx, ListEnd end) {
  if (ctx.argc() > 3) return ctx.Error(errors::WrongArity(ctx.command().fullname));
  const bool counted = ctx.argc() == 3;
  uint64_t count = 1;
  if (counted) {
    const auto parsed = PositiveArg(ctx, 2);
    if (!parsed) return;
    count = static_cast<uint64_t>(*parsed);
  }
  const Key key = ctx.key(1);
  bool failed;
  Entry* entry = ctx.FindForWrite(key, TypeId::kList, &failed);
  if (failed) return;
  if (entry == nullptr) return counted ? ctx.reply().NullArray() : ctx.reply().Null();
  auto& list = entry->As<ListValue>();
  if (counted) {
    if (count == 0) return ctx.reply().BeginArray(0);
    return PopElements(ctx, key, entry, end, std::min(count, list.length()));
  }
  ReplyItem(ctx.reply(), list.Peek(end));
  list.Drop(end, 1, ctx.limits());
  ElementsRemoved<ListValue>(ctx, key, entry, kNotifyList, PopEvent(end), 1);
}

void LPop(CommandContext& ctx) { Pop(ctx, ListEnd::kHead); }
void RPop(CommandContext& ctx) { Pop(ctx, ListEnd::kTail); }

void LLen(CommandContext& ctx) {
  bool failed;
  const auto* list = FindValueForRead<ListValue>(ctx, 1, TypeId::kList, &failed);
  if (failed) return;
  ctx.reply().Integer(list != nullptr ? static_cast<int64_t>(list->length()) : 0);
}

constexpr uint64_t kPushFlags = kCmdWrite | kCmdDenyOom | kCmdFast;

constexpr CommandSpec kCommands[] = {
    {.name = "lpush",
     .handler = LPush,
     .arity = -3,
     .flags = kPushFlags,
     .keys = {1, 1, 1},
     .acl = kAclList,
     .key_flags = kKeyRW | kKeyInsert,
     .summary = "Puts elements at the head of a list, one after the other.",
     .since = "1.0.0",
     .group = "list",
     .complexity = "O(N) in the number of elements",
     .arguments = "key element...",
     .history = "2.4.0: several elements"},
    {.name = "rpush",
     .handler = RPush,
     .arity = -3,
     .flags = kPushFlags,
     .keys = {1, 1, 1},
     .acl = kAclList,
     .key_flags = kKeyRW | kKeyInsert,
     .summary = "Puts elements at the tail of a list.",
     .since = "1.0.0",
     .group = "list",
     .complexity = "O(N) in the number of elements",
     .arguments = "key element...",
     .history = "2.4.0: several elements"},
    {.name = "lpushx",
     .handler = LPushX,
     .arity = -3,
     .flags = kPushFlags,
     .keys = {1, 1, 1},
     .acl = kAclList,
     .key_flags = kKeyRW | kKeyInsert,
     .summary = "Puts elements at the head of a list that exists.",
     .since = "2.2.0",
     .group = "list",
     .complexity = "O(N) in the number of elements",
     .arguments = "key element...",
     .history = "4.0.0: several elements"},
    {.name = "rpushx",
     .handler = RPushX,
     .arity = -3,
     .flags = kPushFlags,
     .keys = {1, 1, 1},
     .acl = kAclList,
     .key_flags = kKeyRW | kKeyInsert,
     .summary = "Puts elements at the tail of a list that exists.",
     .since = "2.2.0",
     .group = "list",
     .complexity = "O(N) in the number of elements",
     .arguments = "key element...",
     .history = "4.0.0: several elements"},
    {.name = "lpop",
     .handler = LPop,
     .arity = -2,
     .flags = kCmdWrite | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclList,
     .key_flags = kKeyRW | kKeyAccess | kKeyDelete,
     .summary = "Takes elements from the head of a list.",
     .since = "1.0.0",
     .group = "list",
     .complexity = "O(N) in the number of elements taken",
     .arguments = "key [count:integer@6.2.0]",
     .history = "6.2.0: `count`"},
    {.name = "rpop",
     .handler = RPop,
     .arity = -2,
     .flags = kCmdWrite | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclList,
     .key_flags = kKeyRW | kKeyAccess | kKeyDelete,
     .summary = "Takes elements from the tail of a list.",
     .since = "1.0.0",
     .group = "list",
     .complexity = "O(N) in the number of elements taken",
     .arguments = "key [count:integer@6.2.0]",
     .history = "6.2.0: `count`"},
    {.name = "llen",
     .handler = LLen,
     .arity = 2,
     .flags = kCmdReadonly | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclList,
     .key_flags = kKeyRO,
     .summary = "The length of a list.",
     .since = "1.0.0",
     .group = "list",
     .complexity = "O(1)",
     .arguments = "key"},
};

}  // namespace

void PopElements(CommandContext& ctx, const Key& key, Entry* entry, ListEnd end, uint64_t count) {
  auto& list = entry->As<ListValue>();
  ReplySink& reply = ctx.reply();
  reply.BeginArray(count);
  auto answer = [&](const Item& item) { ReplyItem(reply, item); };
  if (end == ListEnd::kHead) {
    list.ForRange(0, count, answer);
  } else {
    list.ForRangeBackwards(list.length() - 1, count, answer);
  }
  list.Drop(end, count, ctx.limits());
  ElementsRemoved<ListValue>(ctx, key, entry, kNotifyList, PopEvent(end), count);
}

void RegisterListEnds(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
