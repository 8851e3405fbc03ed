// SPDX-License-Identifier: BSD-3-Clause
// SADD, SREM, SMOVE, SISMEMBER, SMISMEMBER, SCARD, SMEMBERS, SSCAN.
#include "command/key_specs.h"
#include "commands/collection.h"
#include "commands/families.h"
#include "commands/set/set_commands.h"
#include "value/set_value.h"

namespace backplane {

void RegisterSetCommands(CommandRegistry& registry) {
  RegisterSetMembers(registry);
  RegisterSetRandom(registry);
  RegisterSetAlgebra(registry);
}

namespace {

SetValue* FindSet(CommandContext& ctx, bool* failed) {
  return FindValueForRead<SetValue>(ctx, 1, TypeId::kSet, failed);
}

void SAdd(CommandContext& ctx) {
  const Key key = ctx.key(1);
  Destination<SetValue> set;
  if (!set.Open(ctx, key, TypeId::kSet)) return;
  const EncodingLimits& limits = ctx.limits();
  const size_t count = ctx.argc() - 2;
  if (!set.exists()) {
    set.Create(SetValue::Create(ctx.arg(2), count, limits));
  } else if (count > 1) {
    set->PrepareToGrow(count, limits);
  }
  uint64_t added = 0;
  ForEachElementArg(ctx, *set, 2, 1, 0,
                    [&](size_t i) { added += set->Add(ctx.arg(i), limits) ? 1 : 0; });
  ctx.reply().Integer(static_cast<int64_t>(added));
  if (added == 0) return;
  set.Commit(ctx, key);
  ctx.Modified(key.bytes, kNotifySet, "sadd", added);
}

void SRem(CommandContext& ctx) {
  const Key key = ctx.key(1);
  bool failed;
  Entry* entry = ctx.FindForWrite(key, TypeId::kSet, &failed);
  if (failed) return;
  if (entry == nullptr) return ctx.reply().Integer(0);
  auto& set = entry->As<SetValue>();
  uint64_t removed = 0;
  ForEachElementArg(ctx, set, 2, 1, 0,
                    [&](size_t i) { removed += set.Remove(ctx.arg(i)) ? 1 : 0; });
  ctx.reply().Integer(static_cast<int64_t>(removed));
  if (removed > 0) ElementsRemoved<SetValue>(ctx, key, entry, kNotifySet, "srem", removed);
}

void SMove(CommandContext& ctx) {
  const Key source_key = ctx.key(1);
  const Key target_key = ctx.key(2);
  const std::string_view member = ctx.arg(3);
  bool failed;
  Entry* source = ctx.FindForWrite(source_key, TypeId::kSet, &failed);
  if (failed) return;
  // Without a source nothing is moved, whatever the target is.
  if (source == nullptr) return ctx.reply().Integer(0);
  Destination<SetValue> target;
  if (!target.Open(ctx, target_key, TypeId::kSet)) return;
  auto& set = source->As<SetValue>();
  if (target.exists() && &*target == &set) {
    return ctx.reply().Integer(set.Contains(member) ? 1 : 0);
  }
  if (!set.Remove(member)) return ctx.reply().Integer(0);
  ctx.reply().Integer(1);
  if (!target.exists()) target.Create(SetValue::Create(member, 1, ctx.limits()));
  const bool added = target->Add(member, ctx.limits());
  const bool emptied = set.length() == 0;
  if (emptied) ctx.db().DeleteEntry(source);
  target.Commit(ctx, target_key);

  ctx.Modified(source_key.bytes, kNotifySet, "srem");
  if (emptied) ctx.Notify(kNotifyGeneric, "del", source_key.bytes);
  if (added) ctx.Modified(target_key.bytes, kNotifySet, "sadd");
}

void SIsMember(CommandContext& ctx) {
  bool failed;
  const SetValue* set = FindSet(ctx, &failed);
  if (failed) return;
  ctx.reply().Integer(set != nullptr && set->Contains(ctx.arg(2)) ? 1 : 0);
}

void SMIsMember(CommandContext& ctx) {
  bool failed;
  const SetValue* set = FindSet(ctx, &failed);
  if (failed) return;
  ReplySink& reply = ctx.reply();
  reply.BeginArray(ctx.argc() - 2);
  if (set == nullptr) {
    for (size_t i = 2; i < ctx.argc(); ++i) reply.Integer(0);
    return;
  }
  ForEachElementArg(ctx, *set, 2, 1, 0,
                    [&](size_t i) { reply.Integer(set->Contains(ctx.arg(i)) ? 1 : 0); });
}

void SCard(CommandContext& ctx) {
  bool failed;
  const SetValue* set = FindSet(ctx, &failed);
  if (failed) return;
  ctx.reply().Integer(set != nullptr ? static_cast<int64_t>(set->length()) : 0);
}

void SMembers(CommandContext& ctx) {
  bool failed;
  const SetValue* set = FindSet(ctx, &failed);
  if (failed) return;
  ReplySink& reply = ctx.reply();
  reply.BeginSet(set != nullptr ? set->length() : 0);
  if (set != nullptr) set->ForEach([&](const Item& member) { ReplyItem(reply, member); });
}

void SScan(CommandContext& ctx) {
  ScanValue<SetValue>(
      ctx, TypeId::kSet, ScanShape::kElements,
      [](const SetValue& set, uint64_t cursor, std::vector<ScannedElement>* found) {
        return set.Scan(cursor, [&](const Item& member) { found->push_back({.element = member}); });
      });
}

constexpr CommandSpec kCommands[] = {
    {.name = "sadd",
     .handler = SAdd,
     .arity = -3,
     .flags = kCmdWrite | kCmdDenyOom | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclSet,
     .key_flags = kKeyRW | kKeyInsert,
     .summary = "Adds members to a set; counts those that are new.",
     .since = "1.0.0",
     .group = "set",
     .complexity = "O(N) in the number of members",
     .arguments = "key member...",
     .history = "2.4.0: several members"},
    {.name = "srem",
     .handler = SRem,
     .arity = -3,
     .flags = kCmdWrite | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclSet,
     .key_flags = kKeyRW | kKeyDelete,
     .summary = "Removes members from a set.",
     .since = "1.0.0",
     .group = "set",
     .complexity = "O(N) in the number of members",
     .arguments = "key member...",
     .history = "2.4.0: several members"},
    {.name = "smove",
     .handler = SMove,
     .arity = 4,
     .flags = kCmdWrite | kCmdFast,
     .keys = {1, 2, 1},
     .acl = kAclSet,
     .summary = "Moves a member from one set to another.",
     .since = "1.0.0",
     .group = "set",
     .complexity = "O(1)",
     .key_specs = key_specs::kMoveElement,
     .arguments = "source:key destination:key member"},
    {.name = "sismember",
     .handler = SIsMember,
     .arity = 3,
     .flags = kCmdReadonly | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclSet,
     .key_flags = kKeyRO,
     .summary = "Whether a set has a member.",
     .since = "1.0.0",
     .group = "set",
     .complexity = "O(1)",
     .arguments = "key member"},
    {.name = "smismember",
     .handler = SMIsMember,
     .arity = -3,
     .flags = kCmdReadonly | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "Whether a set has each of several members.",
     .since = "6.2.0",
     .group = "set",
     .complexity = "O(N) in the number of members",
     .arguments = "key member..."},
    {.name = "scard",
     .handler = SCard,
     .arity = 2,
     .flags = kCmdReadonly | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclSet,
     .key_flags = kKeyRO,
     .summary = "The number of members.",
     .since = "1.0.0",
     .group = "set",
     .complexity = "O(1)",
     .arguments = "key"},
    {.name = "smembers",
     .handler = SMembers,
     .arity = 2,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "All members of a set.",
     .since = "1.0.0",
     .group = "set",
     .complexity = "O(N) in the size of the set",
     .arguments = "key",
     .tips = "nondeterministic_output_order"},
    {.name = "sscan",
     .handler = SScan,
     .arity = -3,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "Iterates over the members of a set.",
     .since = "2.8.0",
     .group = "set",
     .complexity = "O(1) for each call",
     .arguments = "key cursor:integer [MATCH pattern] [COUNT count:integer]",
     .tips = "nondeterministic_output"},
};

}  // namespace

void RegisterSetMembers(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
