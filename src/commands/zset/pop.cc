// SPDX-License-Identifier: BSD-3-Clause
// ZPOPMIN, ZPOPMAX, ZMPOP, and their blocking forms.
#include "base/numbers.h"
#include "commands/blocking.h"
#include "commands/zset/zset_commands.h"

namespace backplane {
namespace {

// How the members taken stand in the reply.
enum class PopShape : uint8_t {
  kFlat,    // member, score, member, score ... in both protocols
  kPairs,   // nested in RESP3, flat in RESP2
  kNested,  // nested in both
};

constexpr std::string_view PopEvent(bool highest) { return highest ? "zpopmax" : "zpopmin"; }

// Replies with `count` members from one end and takes them out. REQUIRES: the entry has as many;
// it is not to be touched afterwards.
void PopMembers(CommandContext& ctx, const Key& key, Entry* entry, bool highest, uint64_t count,
                PopShape shape) {
  auto& zset = entry->As<ZSetValue>();
  ReplySink& reply = ctx.reply();
  const bool nested =
      shape == PopShape::kNested || (shape == PopShape::kPairs && reply.resp() != 2);
  const ZSetValue::Span span{highest ? zset.length() - count : 0, count};
  reply.BeginArray(nested ? count : count * 2);
  zset.ForSpan(span, highest, [&](const Item& member, double score) {
    if (nested) reply.BeginArray(2);
    ReplyItem(reply, member);
    reply.Double(score);
  });
  zset.EraseSpan(span);
  ElementsRemoved<ZSetValue>(ctx, key, entry, kNotifyZSet, PopEvent(highest), count);
}

void Pop(CommandContext& ctx, bool highest) {
  if (ctx.argc() > 3) return ctx.Error(errors::kSyntax);
  const bool counted = ctx.argc() == 3;
  uint64_t count = 1;
  if (counted) {
    const auto parsed = PositiveArg(ctx, 2);
    if (!parsed) return;
    count = static_cast<uint64_t>(*parsed);
  }
  const Key key = ctx.key(1);
  bool failed;
  Entry* entry = ctx.FindForWrite(key, TypeId::kZSet, &failed);
  if (failed) return;
  if (entry == nullptr || count == 0) return ctx.reply().BeginArray(0);
  PopMembers(ctx, key, entry, highest, std::min(count, entry->As<ZSetValue>().length()),
             counted ? PopShape::kPairs : PopShape::kFlat);
}

void ZPopMin(CommandContext& ctx) { Pop(ctx, false); }
void ZPopMax(CommandContext& ctx) { Pop(ctx, true); }

// "numkeys key [key ...] <MIN | MAX> [COUNT count]" from argv[first] on.
struct MPopRequest {
  size_t first_key = 0;
  size_t end_of_keys = 0;
  bool highest = false;
  uint64_t count = 1;
};

std::optional<MPopRequest> ParseMPop(CommandContext& ctx, size_t first) {
  MPopRequest request;
  const auto keys = ctx.IntegerArgIn(first, 1, INT64_MAX, "ERR numkeys should be greater than 0");
  if (!keys) return std::nullopt;
  auto syntax_error = [&] {
    ctx.Error(errors::kSyntax);
    return std::nullopt;
  };
  if (static_cast<uint64_t>(*keys) >= ctx.argc() - first - 1) return syntax_error();
  request.first_key = first + 1;
  request.end_of_keys = request.first_key + static_cast<size_t>(*keys);
  request.highest = ctx.ArgIs(request.end_of_keys, "max");
  if (!request.highest && !ctx.ArgIs(request.end_of_keys, "min")) return syntax_error();
  const size_t option = request.end_of_keys + 1;
  if (option == ctx.argc()) return request;
  if (option + 2 > ctx.argc() || !ctx.ArgIs(option, "count")) return syntax_error();
  const auto count =
      ctx.IntegerArgIn(option + 1, 1, INT64_MAX, "ERR count should be greater than 0");
  if (!count) return std::nullopt;
  request.count = static_cast<uint64_t>(*count);
  if (option + 2 < ctx.argc()) return syntax_error();
  return request;
}

// False when none of the keys is a sorted set; nothing was replied then.
bool PopFromFirst(CommandContext& ctx, const MPopRequest& request) {
  for (size_t i = request.first_key; i < request.end_of_keys; ++i) {
    if (!LooksAtKey(ctx, i)) continue;
    const Key key = ctx.key(i);
    bool failed;
    Entry* entry = ctx.FindForWrite(key, TypeId::kZSet, &failed);
    if (failed) return true;
    if (entry == nullptr) continue;
    const uint64_t count = std::min(request.count, entry->As<ZSetValue>().length());
    if (PropagationWanted(ctx)) {
      char text[kNumberTextMax];
      ctx.Propagate({request.highest ? "ZPOPMAX" : "ZPOPMIN", key.bytes,
                     std::string_view(text, Uint64ToText(count, text))});
    }
    ctx.reply().BeginArray(2);
    ctx.reply().Bulk(key.bytes);
    PopMembers(ctx, key, entry, request.highest, count, PopShape::kNested);
    return true;
  }
  return false;
}

void ZMPop(CommandContext& ctx) {
  const auto request = ParseMPop(ctx, 1);
  if (request && !PopFromFirst(ctx, *request)) ctx.reply().NullArray();
}

void BZMPop(CommandContext& ctx) {
  const auto timeout_ms = TimeoutArg(ctx, 1);
  if (!timeout_ms) return;
  const auto request = ParseMPop(ctx, 2);
  if (!request || PopFromFirst(ctx, *request)) return;
  WaitForKeys(ctx, request->first_key, request->end_of_keys, TypeId::kZSet, *timeout_ms,
              BlockedCommands::TimeoutReply::kNullArray);
}

void BlockingPop(CommandContext& ctx, bool highest) {
  const size_t last = ctx.argc() - 1;
  const auto timeout_ms = TimeoutArg(ctx, last);
  if (!timeout_ms) return;
  for (size_t i = 1; i < last; ++i) {
    if (!LooksAtKey(ctx, i)) continue;
    const Key key = ctx.key(i);
    bool failed;
    Entry* entry = ctx.FindForWrite(key, TypeId::kZSet, &failed);
    if (failed) return;
    if (entry == nullptr) continue;
    if (PropagationWanted(ctx)) ctx.Propagate({highest ? "ZPOPMAX" : "ZPOPMIN", key.bytes});
    auto& zset = entry->As<ZSetValue>();
    const ZSetValue::Span span{highest ? zset.length() - 1 : 0, 1};
    ctx.reply().BeginArray(3);
    ctx.reply().Bulk(key.bytes);
    zset.ForSpan(span, false, [&](const Item& member, double score) {
      ReplyItem(ctx.reply(), member);
      ctx.reply().Double(score);
    });
    zset.EraseSpan(span);
    return ElementsRemoved<ZSetValue>(ctx, key, entry, kNotifyZSet, PopEvent(highest), 1);
  }
  WaitForKeys(ctx, 1, last, TypeId::kZSet, *timeout_ms, BlockedCommands::TimeoutReply::kNullArray);
}

void BZPopMin(CommandContext& ctx) { BlockingPop(ctx, false); }
void BZPopMax(CommandContext& ctx) { BlockingPop(ctx, true); }

constexpr CommandSpec kCommands[] = {
    {.name = "zpopmin",
     .handler = ZPopMin,
     .arity = -2,
     .flags = kCmdWrite | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyRW | kKeyAccess | kKeyDelete,
     .summary = "Takes the members with the lowest scores out of a sorted set.",
     .since = "5.0.0",
     .group = "sorted-set",
     .complexity = "O(log(N)*M): size of the sorted set, and members taken",
     .arguments = "key [count:integer]"},
    {.name = "zpopmax",
     .handler = ZPopMax,
     .arity = -2,
     .flags = kCmdWrite | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyRW | kKeyAccess | kKeyDelete,
     .summary = "Takes the members with the highest scores out of a sorted set.",
     .since = "5.0.0",
     .group = "sorted-set",
     .complexity = "O(log(N)*M): size of the sorted set, and members taken",
     .arguments = "key [count:integer]"},
    {.name = "zmpop",
     .handler = ZMPop,
     .arity = -4,
     .flags = kCmdWrite | kCmdMovableKeys,
     .acl = kAclSortedSet,
     .key_flags = kKeyRW | kKeyAccess | kKeyDelete,
     .summary = "Takes members from the first of several sorted sets that has any.",
     .since = "7.0.0",
     .group = "sorted-set",
     .complexity = "O(K+M*log(N)): keys looked at, members taken, size of the sorted set",
     .keynum = {.numkeys_index = 1},
     .arguments = "numkeys:integer key... where(MIN | MAX) [COUNT count:integer]"},
    {.name = "bzpopmin",
     .handler = BZPopMin,
     .arity = -3,
     .flags = kCmdWrite | kCmdFast | kCmdBlocking,
     .keys = {1, -2, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyRW | kKeyAccess | kKeyDelete,
     .summary = "Takes the member with the lowest score out of the first sorted set that has one; "
                "waits for one.",
     .since = "5.0.0",
     .group = "sorted-set",
     .complexity = "O(log(N)) in the size of the sorted set",
     .arguments = "key... timeout:double",
     .history = "6.0.0: parts of a second as timeout"},
    {.name = "bzpopmax",
     .handler = BZPopMax,
     .arity = -3,
     .flags = kCmdWrite | kCmdFast | kCmdBlocking,
     .keys = {1, -2, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyRW | kKeyAccess | kKeyDelete,
     .summary = "Takes the member with the highest score out of the first sorted set that has "
                "one; waits for one.",
     .since = "5.0.0",
     .group = "sorted-set",
     .complexity = "O(log(N)) in the size of the sorted set",
     .arguments = "key... timeout:double",
     .history = "6.0.0: parts of a second as timeout"},
    {.name = "bzmpop",
     .handler = BZMPop,
     .arity = -5,
     .flags = kCmdWrite | kCmdBlocking | kCmdMovableKeys,
     .acl = kAclSortedSet,
     .key_flags = kKeyRW | kKeyAccess | kKeyDelete,
     .summary = "ZMPOP that waits until one of the sorted sets has a member.",
     .since = "7.0.0",
     .group = "sorted-set",
     .complexity = "O(K+M*log(N)): keys looked at, members taken, size of the sorted set",
     .keynum = {.numkeys_index = 2},
     .arguments = "timeout:double numkeys:integer key... where(MIN | MAX) [COUNT count:integer]"},
};

}  // namespace

void RegisterZSetPop(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
