// SPDX-License-Identifier: BSD-3-Clause
// LMOVE, RPOPLPUSH, LMPOP.
#include "base/numbers.h"
#include "command/key_specs.h"
#include "commands/blocking.h"
#include "commands/collection.h"
#include "commands/list/list_commands.h"

namespace backplane {

Moved MoveElement(CommandContext& ctx, ListEnd from, ListEnd to) {
  const Key source_key = ctx.key(1);
  const Key target_key = ctx.key(2);
  bool failed;
  Entry* source = ctx.FindForWrite(source_key, TypeId::kList, &failed);
  if (failed) return Moved::kError;
  if (source == nullptr) return Moved::kNoSource;
  Destination<ListValue> target;
  if (!target.Open(ctx, target_key, TypeId::kList)) return Moved::kError;
  if (!target.exists()) target.Create(std::make_unique<ListValue>());
  auto& list = source->As<ListValue>();
  const EncodingLimits& limits = ctx.limits();

  const Item item = list.Peek(from);
  ReplyItem(ctx.reply(), item);
  if (&*target == &list) {
    // Rotates; the element borrows from the list that it goes to.
    const std::string copy = item.ToString();
    list.Drop(from, 1, limits);
    list.Push(to, copy, limits);
  } else {
    ItemText scratch;
    target->Push(to, item.Text(scratch), limits);
    list.Drop(from, 1, limits);
  }
  const bool emptied = list.length() == 0;
  if (emptied) ctx.db().DeleteEntry(source);
  target.Commit(ctx, target_key);

  ctx.Touched(target_key.bytes);
  ctx.Notify(kNotifyList, to == ListEnd::kHead ? "lpush" : "rpush", target_key.bytes);
  ctx.Modified(source_key.bytes, kNotifyList, from == ListEnd::kHead ? "lpop" : "rpop");
  if (emptied) ctx.Notify(kNotifyGeneric, "del", source_key.bytes);
  return Moved::kYes;
}

std::optional<ListPopRequest> ListPopArgs(CommandContext& ctx, size_t first) {
  ListPopRequest request;
  const auto keys = ctx.IntegerArgIn(first, 1, INT64_MAX, "ERR numkeys should be greater than 0");
  if (!keys) return std::nullopt;
  if (static_cast<uint64_t>(*keys) >= ctx.argc() - first - 1) {
    ctx.Error(errors::kSyntax);
    return std::nullopt;
  }
  request.first_key = first + 1;
  request.end_of_keys = request.first_key + static_cast<size_t>(*keys);
  const auto end = ListEndArg(ctx, request.end_of_keys);
  if (!end) return std::nullopt;
  request.end = *end;
  const size_t option = request.end_of_keys + 1;
  if (option == ctx.argc()) return request;
  if (option + 2 > ctx.argc() || !ctx.ArgIs(option, "count")) {
    ctx.Error(errors::kSyntax);
    return std::nullopt;
  }
  const auto count =
      ctx.IntegerArgIn(option + 1, 1, INT64_MAX, "ERR count should be greater than 0");
  if (!count) return std::nullopt;
  request.count = static_cast<uint64_t>(*count);
  if (option + 2 < ctx.argc()) {
    ctx.Error(errors::kSyntax);
    return std::nullopt;
  }
  return request;
}

bool PopFromFirst(CommandContext& ctx, const ListPopRequest& request) {
  for (size_t i = request.first_key; i < request.end_of_keys; ++i) {
    if (!LooksAtKey(ctx, i)) continue;
    const Key key = ctx.key(i);
    bool failed;
    Entry* entry = ctx.FindForWrite(key, TypeId::kList, &failed);
    if (failed) return true;
    if (entry == nullptr) continue;
    const uint64_t count = std::min(request.count, entry->As<ListValue>().length());
    if (PropagationWanted(ctx)) {
      char text[kNumberTextMax];
      ctx.Propagate({request.end == ListEnd::kHead ? "LPOP" : "RPOP", key.bytes,
                     std::string_view(text, Uint64ToText(count, text))});
    }
    ctx.reply().BeginArray(2);
    ctx.reply().Bulk(key.bytes);
    PopElements(ctx, key, entry, request.end, count);
    return true;
  }
  return false;
}

namespace {

void LMove(CommandContext& ctx) {
  const auto from = ListEndArg(ctx, 3);
  if (!from) return;
  const auto to = ListEndArg(ctx, 4);
  if (to && MoveElement(ctx, *from, *to) == Moved::kNoSource) ctx.reply().Null();
}

void RPopLPush(CommandContext& ctx) {
  if (MoveElement(ctx, ListEnd::kTail, ListEnd::kHead) == Moved::kNoSource) ctx.reply().Null();
}

void LMPop(CommandContext& ctx) {
  const auto request = ListPopArgs(ctx, 1);
  if (request && !PopFromFirst(ctx, *request)) ctx.reply().NullArray();
}

constexpr CommandSpec kCommands[] = {
    {.name = "lmove",
     .handler = LMove,
     .arity = 5,
     .flags = kCmdWrite | kCmdDenyOom,
     .keys = {1, 2, 1},
     .acl = kAclList,
     .summary = "Takes an element from one list and puts it into another, or the same.",
     .since = "6.2.0",
     .group = "list",
     .complexity = "O(1)",
     .key_specs = key_specs::kMoveElement,
     .arguments = "source:key destination:key wherefrom(LEFT | RIGHT) whereto(LEFT | RIGHT)"},
    {.name = "rpoplpush",
     .handler = RPopLPush,
     .arity = 3,
     .flags = kCmdWrite | kCmdDenyOom,
     .keys = {1, 2, 1},
     .acl = kAclList,
     .summary = "Moves the last element of a list to the head of another; LMOVE in one form.",
     .since = "1.2.0",
     .group = "list",
     .complexity = "O(1)",
     .key_specs = key_specs::kMoveElement,
     .arguments = "source:key destination:key",
     .deprecated = "6.2.0: `LMOVE` with `RIGHT` and `LEFT`"},
    {.name = "lmpop",
     .handler = LMPop,
     .arity = -4,
     .flags = kCmdWrite | kCmdMovableKeys,
     .acl = kAclList,
     .key_flags = kKeyRW | kKeyAccess | kKeyDelete,
     .summary = "Takes elements from the first of several lists that has any.",
     .since = "7.0.0",
     .group = "list",
     .complexity = "O(N+M): keys looked at, and elements taken",
     .keynum = {.numkeys_index = 1},
     .arguments = "numkeys:integer key... where(LEFT | RIGHT) [COUNT count:integer]"},
};

}  // namespace

void RegisterListMoves(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
