// SPDX-License-Identifier: BSD-3-Clause
// ZPOPMIN, ZPOPMAX, ZMPOP.
#include "base/numbers.h"
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

// "numkeys key [key ...] <MIN | MAX> [COUNT count]" from argv[1] on.
struct MPopRequest {
  size_t end_of_keys = 0;
  bool highest = false;
  uint64_t count = 1;
};

std::optional<MPopRequest> ParseMPop(CommandContext& ctx) {
  MPopRequest request;
  const auto keys = ctx.IntegerArgIn(1, 1, INT64_MAX, "ERR numkeys should be greater than 0");
  if (!keys) return std::nullopt;
  auto syntax_error = [&] {
    ctx.Error(errors::kSyntax);
    return std::nullopt;
  };
  if (static_cast<uint64_t>(*keys) >= ctx.argc() - 2) return syntax_error();
  request.end_of_keys = 2 + static_cast<size_t>(*keys);
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

void ZMPop(CommandContext& ctx) {
  const auto request = ParseMPop(ctx);
  if (!request) return;
  for (size_t i = 2; i < request->end_of_keys; ++i) {
    const Key key = ctx.key(i);
    bool failed;
    Entry* entry = ctx.FindForWrite(key, TypeId::kZSet, &failed);
    if (failed) return;
    if (entry == nullptr) continue;
    const uint64_t count = std::min(request->count, entry->As<ZSetValue>().length());
    if (PropagationWanted(ctx)) {
      char text[kNumberTextMax];
      ctx.Propagate({request->highest ? "ZPOPMAX" : "ZPOPMIN", key.bytes,
                     std::string_view(text, Uint64ToText(count, text))});
    }
    ctx.reply().BeginArray(2);
    ctx.reply().Bulk(key.bytes);
    return PopMembers(ctx, key, entry, request->highest, count, PopShape::kNested);
  }
  ctx.reply().NullArray();
}

constexpr uint32_t kKeyUse = kKeyRW | kKeyAccess | kKeyDelete;

constexpr CommandSpec kCommands[] = {
    {.name = "zpopmin",
     .handler = ZPopMin,
     .arity = -2,
     .flags = kCmdWrite | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyUse,
     .summary = "Takes the members with the lowest scores out of a sorted set.",
     .since = "5.0.0",
     .group = "sorted-set",
     .complexity = "O(log(N)*M): size of the sorted set, and members taken",
     .arguments = "key [count]"},
    {.name = "zpopmax",
     .handler = ZPopMax,
     .arity = -2,
     .flags = kCmdWrite | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclSortedSet,
     .key_flags = kKeyUse,
     .summary = "Takes the members with the highest scores out of a sorted set.",
     .since = "5.0.0",
     .group = "sorted-set",
     .complexity = "O(log(N)*M): size of the sorted set, and members taken",
     .arguments = "key [count]"},
    {.name = "zmpop",
     .handler = ZMPop,
     .arity = -4,
     .flags = kCmdWrite | kCmdMovableKeys,
     .acl = kAclSortedSet,
     .key_flags = kKeyUse,
     .summary = "Takes members from the first of several sorted sets that has any.",
     .since = "7.0.0",
     .group = "sorted-set",
     .complexity = "O(K+M*log(N)): keys looked at, members taken, size of the sorted set",
     .keynum = {.numkeys_index = 1},
     .arguments = "numkeys key [key ...] <MIN | MAX> [COUNT count]"},
};

}  // namespace

void RegisterZSetPop(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
