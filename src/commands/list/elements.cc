// SPDX-License-Identifier: BSD-3-Clause
// LINDEX, LRANGE, LPOS, LSET, LTRIM, LINSERT, LREM.
#include "commands/collection.h"
#include "commands/list/list_commands.h"

namespace backplane {
namespace {

void LIndex(CommandContext& ctx) {
  bool failed;
  const auto* list = FindValueForRead<ListValue>(ctx, 1, TypeId::kList, &failed);
  if (failed) return;
  // The index of an element of nothing is not even looked at.
  if (list == nullptr) return ctx.reply().Null();
  const auto index = ctx.IntegerArg(2);
  if (!index) return;
  Item item;
  if (!list->At(*index, &item)) return ctx.reply().Null();
  ReplyItem(ctx.reply(), item);
}

// The indexes [*first, *first + count) that "start stop" mean in a list of `size` elements.
uint64_t ClampRange(int64_t start, int64_t stop, uint64_t size, uint64_t* first) {
  const auto length = static_cast<int64_t>(size);
  if (start < 0) start = std::max<int64_t>(start + length, 0);
  if (stop < 0) stop += length;
  stop = std::min(stop, length - 1);
  *first = 0;
  if (start > stop || start >= length) return 0;
  *first = static_cast<uint64_t>(start);
  return static_cast<uint64_t>(stop - start + 1);
}

void LRange(CommandContext& ctx) {
  const auto start = ctx.IntegerArg(2);
  if (!start) return;
  const auto stop = ctx.IntegerArg(3);
  if (!stop) return;
  bool failed;
  const auto* list = FindValueForRead<ListValue>(ctx, 1, TypeId::kList, &failed);
  if (failed) return;
  ReplySink& reply = ctx.reply();
  if (list == nullptr) return reply.BeginArray(0);
  uint64_t first;
  const uint64_t count = ClampRange(*start, *stop, list->length(), &first);
  reply.BeginArray(count);
  list->ForRange(first, count, [&](const Item& item) { ReplyItem(reply, item); });
}

struct PosOptions {
  int64_t rank = 1;
  std::optional<int64_t> count;
  int64_t max_compared = 0;
};

std::optional<PosOptions> ParsePos(CommandContext& ctx) {
  PosOptions options;
  for (size_t i = 3; i < ctx.argc(); i += 2) {
    const bool has_value = i + 1 < ctx.argc();
    if (has_value && ctx.ArgIs(i, "rank")) {
      const auto rank = NegatableArg(ctx, i + 1);
      if (!rank) return std::nullopt;
      if (*rank == 0) {
        ctx.Error(
            "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... "
            "or use negative to start from the end of the list");
        return std::nullopt;
      }
      options.rank = *rank;
    } else if (has_value && ctx.ArgIs(i, "count")) {
      options.count = ctx.IntegerArgIn(i + 1, 0, INT64_MAX, "ERR COUNT can't be negative");
      if (!options.count) return std::nullopt;
    } else if (has_value && ctx.ArgIs(i, "maxlen")) {
      const auto bound = ctx.IntegerArgIn(i + 1, 0, INT64_MAX, "ERR MAXLEN can't be negative");
      if (!bound) return std::nullopt;
      options.max_compared = *bound;
    } else {
      ctx.Error(errors::kSyntax);
      return std::nullopt;
    }
  }
  return options;
}

void LPos(CommandContext& ctx) {
  const auto options = ParsePos(ctx);
  if (!options) return;
  bool failed;
  const auto* list = FindValueForRead<ListValue>(ctx, 1, TypeId::kList, &failed);
  if (failed) return;
  ReplySink& reply = ctx.reply();
  const auto bound = static_cast<uint64_t>(options->max_compared);
  if (!options->count) {
    int64_t found = -1;
    if (list != nullptr) {
      list->FindEqual(ctx.arg(2), options->rank, bound, [&](uint64_t index) {
        found = static_cast<int64_t>(index);
        return false;
      });
    }
    return found < 0 ? reply.Null() : reply.Integer(found);
  }
  if (list == nullptr) return reply.BeginArray(0);
  uint64_t matches = 0;
  const auto array = reply.BeginDeferred(AggregateKind::kArray);
  list->FindEqual(ctx.arg(2), options->rank, bound, [&](uint64_t index) {
    reply.Integer(static_cast<int64_t>(index));
    ++matches;
    return matches != static_cast<uint64_t>(*options->count);
  });
  reply.EndDeferred(array, matches);
}

void LSet(CommandContext& ctx) {
  const Key key = ctx.key(1);
  bool failed;
  Entry* entry = ctx.FindForWrite(key, TypeId::kList, &failed);
  if (failed) return;
  if (entry == nullptr) return ctx.Error(errors::kNoSuchKey);
  const auto index = ctx.IntegerArg(2);
  if (!index) return;
  if (!entry->As<ListValue>().Set(*index, ctx.arg(3), ctx.limits())) {
    return ctx.Error(errors::kIndexOutOfRange);
  }
  ctx.reply().Ok();
  ctx.Modified(key.bytes, kNotifyList, "lset");
}

void LTrim(CommandContext& ctx) {
  const auto start = ctx.IntegerArg(2);
  if (!start) return;
  const auto stop = ctx.IntegerArg(3);
  if (!stop) return;
  const Key key = ctx.key(1);
  bool failed;
  Entry* entry = ctx.FindForWrite(key, TypeId::kList, &failed);
  if (failed) return;
  ctx.reply().Ok();
  if (entry == nullptr) return;
  auto& list = entry->As<ListValue>();
  const uint64_t size = list.length();
  uint64_t first;
  const uint64_t count = ClampRange(*start, *stop, size, &first);
  list.Trim(first, count, ctx.limits());
  // Told even if everything stays; not propagated then.
  ElementsRemoved<ListValue>(ctx, key, entry, kNotifyList, "ltrim", size - count);
}

void LInsert(CommandContext& ctx) {
  const bool before = ctx.ArgIs(2, "before");
  if (!before && !ctx.ArgIs(2, "after")) return ctx.Error(errors::kSyntax);
  const Key key = ctx.key(1);
  bool failed;
  Entry* entry = ctx.FindForWrite(key, TypeId::kList, &failed);
  if (failed) return;
  if (entry == nullptr) return ctx.reply().Integer(0);
  auto& list = entry->As<ListValue>();
  if (!list.InsertBeside(ctx.arg(3), before, ctx.arg(4), ctx.limits())) {
    return ctx.reply().Integer(-1);
  }
  ctx.reply().Integer(static_cast<int64_t>(list.length()));
  ctx.Modified(key.bytes, kNotifyList, "linsert");
}

void LRem(CommandContext& ctx) {
  const auto count = ctx.IntegerArg(2);
  if (!count) return;
  const Key key = ctx.key(1);
  bool failed;
  Entry* entry = ctx.FindForWrite(key, TypeId::kList, &failed);
  if (failed) return;
  if (entry == nullptr) return ctx.reply().Integer(0);
  const uint64_t removed = entry->As<ListValue>().RemoveEqual(ctx.arg(3), *count, ctx.limits());
  ctx.reply().Integer(static_cast<int64_t>(removed));
  if (removed > 0) ElementsRemoved<ListValue>(ctx, key, entry, kNotifyList, "lrem", removed);
}

constexpr CommandSpec kCommands[] = {
    {.name = "lindex",
     .handler = LIndex,
     .arity = 3,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclList,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The element at an index, negative from the tail.",
     .since = "1.0.0",
     .group = "list",
     .complexity = "O(N) in the distance from the nearer end",
     .arguments = "key index:integer"},
    {.name = "lrange",
     .handler = LRange,
     .arity = 4,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclList,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The elements between two indexes, both included.",
     .since = "1.0.0",
     .group = "list",
     .complexity = "O(S+N): distance of the start from the nearer end, and elements returned",
     .arguments = "key start:integer stop:integer"},
    {.name = "lpos",
     .handler = LPos,
     .arity = -3,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclList,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The indexes at which an element stands.",
     .since = "6.0.6",
     .group = "list",
     .complexity = "O(N) in the elements compared",
     .arguments =
         "key element [RANK rank:integer] [COUNT num-matches:integer] [MAXLEN len:integer]"},
    {.name = "lset",
     .handler = LSet,
     .arity = 4,
     .flags = kCmdWrite | kCmdDenyOom,
     .keys = {1, 1, 1},
     .acl = kAclList,
     .key_flags = kKeyRW | kKeyUpdate,
     .summary = "Replaces the element at an index.",
     .since = "1.0.0",
     .group = "list",
     .complexity = "O(N) in the distance from the nearer end",
     .arguments = "key index:integer element"},
    {.name = "ltrim",
     .handler = LTrim,
     .arity = 4,
     .flags = kCmdWrite,
     .keys = {1, 1, 1},
     .acl = kAclList,
     .key_flags = kKeyRW | kKeyDelete,
     .summary = "Keeps only the elements between two indexes.",
     .since = "1.0.0",
     .group = "list",
     .complexity = "O(N) in the elements removed",
     .arguments = "key start:integer stop:integer"},
    {.name = "linsert",
     .handler = LInsert,
     .arity = 5,
     .flags = kCmdWrite | kCmdDenyOom,
     .keys = {1, 1, 1},
     .acl = kAclList,
     .key_flags = kKeyRW | kKeyInsert,
     .summary = "Inserts an element before or after the first one that equals a pivot.",
     .since = "2.2.0",
     .group = "list",
     .complexity = "O(N) in the elements before the pivot",
     .arguments = "key where(BEFORE | AFTER) pivot element"},
    {.name = "lrem",
     .handler = LRem,
     .arity = 4,
     .flags = kCmdWrite,
     .keys = {1, 1, 1},
     .acl = kAclList,
     .key_flags = kKeyRW | kKeyDelete,
     .summary = "Removes elements of one value: the first ones, the last ones, or all.",
     .since = "1.0.0",
     .group = "list",
     .complexity = "O(N+M): the list's length, and elements removed",
     .arguments = "key count:integer element"},
};

}  // namespace

void RegisterListElements(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
