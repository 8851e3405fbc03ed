// SPDX-License-Identifier: BSD-3-Clause
// SPOP, SRANDMEMBER.
#include "commands/collection.h"
#include "commands/set/set_commands.h"
#include "engine/engine.h"
#include "value/set_value.h"

namespace backplane {
namespace {

// What SPOP propagates: the draw must be the same everywhere.
void PropagateSRem(CommandContext& ctx, const Key& key, std::span<const std::string_view> members) {
  // So that no command of a million arguments goes to a replica.
  constexpr size_t kMembersPerCommand = 1024;
  if (!PropagationWanted(ctx)) return;
  std::vector<std::string_view> args;
  for (size_t i = 0; i < members.size(); i += kMembersPerCommand) {
    const auto part = members.subspan(i, std::min(kMembersPerCommand, members.size() - i));
    args.assign({"SREM", key.bytes});
    args.insert(args.end(), part.begin(), part.end());
    ctx.Propagate(args);
  }
}

void PopOne(CommandContext& ctx) {
  const Key key = ctx.key(1);
  bool failed;
  Entry* entry = ctx.FindForWrite(key, TypeId::kSet, &failed);
  if (failed) return;
  if (entry == nullptr) return ctx.reply().Null();
  auto& set = entry->As<SetValue>();
  const Item drawn = set.Sample(ctx.keyspace().random());
  ItemText scratch;
  const std::string_view member = drawn.Text(scratch);
  ctx.reply().Bulk(member);
  PropagateSRem(ctx, key, {&member, 1});
  set.Remove(member);
  ElementsRemoved<SetValue>(ctx, key, entry, kNotifySet, "spop", 1);
}

void PopAll(CommandContext& ctx, const Key& key, Entry* entry) {
  const auto& set = entry->As<SetValue>();
  const uint64_t count = set.length();
  ReplySink& reply = ctx.reply();
  reply.BeginSet(count);
  set.ForEach([&](const Item& member) { ReplyItem(reply, member); });
  const bool lazy = ctx.engine().settings().lazyfree_lazy_server_del;
  ctx.db().DeleteEntry(entry, lazy);
  ctx.Propagate({lazy ? "UNLINK" : "DEL", key.bytes});
  ctx.Modified(key.bytes, kNotifySet, "spop", count);
  ctx.Notify(kNotifyGeneric, "del", key.bytes);
}

void SPop(CommandContext& ctx) {
  if (ctx.argc() == 2) return PopOne(ctx);
  if (ctx.argc() > 3) return ctx.Error(errors::kSyntax);
  const auto parsed = PositiveArg(ctx, 2);
  if (!parsed) return;
  const auto count = static_cast<uint64_t>(*parsed);
  const Key key = ctx.key(1);
  bool failed;
  Entry* entry = ctx.FindForWrite(key, TypeId::kSet, &failed);
  if (failed) return;
  ReplySink& reply = ctx.reply();
  if (entry == nullptr || count == 0) return reply.BeginSet(0);
  auto& set = entry->As<SetValue>();
  if (count >= set.length()) return PopAll(ctx, key, entry);
  // Members are copied: taking one out moves the others of a compact set.
  std::vector<std::string> drawn;
  drawn.reserve(count);
  set.SampleDistinct(ctx.keyspace().random(), count,
                     [&](const Item& member) { drawn.push_back(member.ToString()); });
  reply.BeginSet(count);
  for (const std::string& member : drawn) {
    reply.Bulk(member);
    set.Remove(member);
  }
  const std::vector<std::string_view> members(drawn.begin(), drawn.end());
  PropagateSRem(ctx, key, members);
  ctx.Modified(key.bytes, kNotifySet, "spop", count);
}

void SRandMember(CommandContext& ctx) {
  if (ctx.argc() > 3) return ctx.Error(errors::kSyntax);
  RandomCount wanted;
  if (ctx.argc() == 3) {
    const auto parsed = ParseRandomCount(ctx, {});
    if (!parsed) return;
    wanted = *parsed;
  }
  bool failed;
  const auto* set = FindValueForRead<SetValue>(ctx, 1, TypeId::kSet, &failed);
  if (failed) return;
  ReplySink& reply = ctx.reply();
  Random& random = ctx.keyspace().random();
  if (ctx.argc() == 2) {
    if (set == nullptr) return reply.Null();
    return ReplyItem(reply, set->Sample(random));
  }
  if (set == nullptr) return reply.BeginArray(0);
  const uint64_t count = wanted.repeats ? wanted.count : std::min(wanted.count, set->length());
  reply.BeginArray(count);
  if (!wanted.repeats) {
    return set->SampleDistinct(random, count,
                               [&](const Item& member) { ReplyItem(reply, member); });
  }
  RepeatWithinOutputLimit(ctx, count, [&] { ReplyItem(reply, set->Sample(random)); });
}

constexpr CommandSpec kCommands[] = {
    {.name = "spop",
     .handler = SPop,
     .arity = -2,
     .flags = kCmdWrite | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclSet,
     .key_flags = kKeyRW | kKeyAccess | kKeyDelete,
     .summary = "Takes members out of a set, drawn at random.",
     .since = "1.0.0",
     .group = "set",
     .complexity = "O(N) in the number of members taken",
     .arguments = "key [count:integer@3.2.0]",
     .history = "3.2.0: `count`",
     .tips = "nondeterministic_output"},
    {.name = "srandmember",
     .handler = SRandMember,
     .arity = -2,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "Members drawn at random; a negative count allows repetitions.",
     .since = "1.0.0",
     .group = "set",
     .complexity = "O(N) in the number of members drawn",
     .arguments = "key [count:integer@2.6.0]",
     .history = "2.6.0: `count`",
     .tips = "nondeterministic_output"},
};

}  // namespace

void RegisterSetRandom(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
