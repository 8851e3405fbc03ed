// SPDX-License-Identifier: BSD-3-Clause
// DEL, UNLINK, EXISTS, TOUCH, TYPE, RANDOMKEY, KEYS.
#include "base/glob.h"
#include "command/context.h"
#include "commands/families.h"
#include "commands/key/key_commands.h"
#include "engine/engine.h"

namespace backplane {

void RegisterKeyCommands(CommandRegistry& registry) {
  RegisterKeyBasics(registry);
  RegisterKeyExpiry(registry);
  RegisterKeyScan(registry);
  RegisterKeyMoves(registry);
  RegisterKeyObject(registry);
  RegisterKeySort(registry);
}

namespace {

void DeleteAll(CommandContext& ctx, bool lazy) {
  int64_t deleted = 0;
  for (size_t i = 1; i < ctx.argc(); ++i) {
    Key key = ctx.key(i);
    if (!ctx.db().Delete(key, lazy)) continue;
    ctx.Modified(key.bytes, kNotifyGeneric, "del");
    ++deleted;
  }
  ctx.reply().Integer(deleted);
}

void Del(CommandContext& ctx) { DeleteAll(ctx, ctx.engine().settings().lazyfree_lazy_user_del); }
void Unlink(CommandContext& ctx) { DeleteAll(ctx, true); }

void Exists(CommandContext& ctx) {
  int64_t count = 0;
  for (size_t i = 1; i < ctx.argc(); ++i) count += ctx.db().Peek(ctx.key(i)) != nullptr ? 1 : 0;
  ctx.reply().Integer(count);
}

void Touch(CommandContext& ctx) {
  int64_t count = 0;
  for (size_t i = 1; i < ctx.argc(); ++i)
    count += ctx.db().FindForRead(ctx.key(i)) != nullptr ? 1 : 0;
  ctx.reply().Integer(count);
}

void Type(CommandContext& ctx) {
  Entry* entry = ctx.db().Peek(ctx.key(1));
  ctx.reply().SimpleString(entry == nullptr ? "none" : entry->type_name());
}

void RandomKey(CommandContext& ctx) {
  Entry* entry = ctx.db().RandomEntry();
  if (entry == nullptr) return ctx.reply().Null();
  ctx.reply().Bulk(entry->key());
}

void Keys(CommandContext& ctx) {
  std::string_view pattern = ctx.arg(1);
  bool all = pattern == "*";
  uint64_t count = 0;
  auto reply = ctx.reply().BeginDeferred(AggregateKind::kArray);
  ctx.db().ForEach([&](Entry* entry) {
    if (!all && !GlobMatch(pattern, entry->key())) return;
    if (ctx.db().IsExpired(*entry)) return;
    ctx.reply().Bulk(entry->key());
    ++count;
  });
  ctx.reply().EndDeferred(reply, count);
}

constexpr CommandSpec kCommands[] = {
    {.name = "del",
     .handler = Del,
     .arity = -2,
     .flags = kCmdWrite,
     .keys = {1, -1, 1},
     .acl = kAclKeyspace,
     .key_flags = kKeyRM | kKeyDelete,
     .summary = "Deletes keys.",
     .since = "1.0.0",
     .group = "generic",
     .complexity = "O(N) in keys and their elements",
     .arguments = "key...",
     .tips = "request_policy:multi_shard response_policy:agg_sum"},
    {.name = "unlink",
     .handler = Unlink,
     .arity = -2,
     .flags = kCmdWrite | kCmdFast,
     .keys = {1, -1, 1},
     .acl = kAclKeyspace,
     .key_flags = kKeyRM | kKeyDelete,
     .summary = "Deletes keys; large values are freed in the background.",
     .since = "4.0.0",
     .group = "generic",
     .complexity = "O(1) for each key",
     .arguments = "key...",
     .tips = "request_policy:multi_shard response_policy:agg_sum"},
    {.name = "exists",
     .handler = Exists,
     .arity = -2,
     .flags = kCmdReadonly | kCmdFast,
     .keys = {1, -1, 1},
     .acl = kAclKeyspace,
     .key_flags = kKeyRO,
     .summary = "Counts how many of the keys exist.",
     .since = "1.0.0",
     .group = "generic",
     .complexity = "O(N) in keys",
     .arguments = "key...",
     .history = "3.0.3: several keys",
     .tips = "request_policy:multi_shard response_policy:agg_sum"},
    {.name = "touch",
     .handler = Touch,
     .arity = -2,
     .flags = kCmdReadonly | kCmdFast,
     .keys = {1, -1, 1},
     .acl = kAclKeyspace,
     .key_flags = kKeyRO,
     .summary = "Counts existing keys and renews their access time.",
     .since = "3.2.1",
     .group = "generic",
     .complexity = "O(N) in keys",
     .arguments = "key...",
     .tips = "request_policy:multi_shard response_policy:agg_sum"},
    {.name = "type",
     .handler = Type,
     .arity = 2,
     .flags = kCmdReadonly | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclKeyspace,
     .key_flags = kKeyRO,
     .summary = "The type of a key's value.",
     .since = "1.0.0",
     .group = "generic",
     .complexity = "O(1)",
     .arguments = "key"},
    {.name = "randomkey",
     .handler = RandomKey,
     .arity = 1,
     .flags = kCmdReadonly,
     .acl = kAclKeyspace,
     .summary = "A key drawn at random.",
     .since = "1.0.0",
     .group = "generic",
     .complexity = "O(1)",
     .tips = "request_policy:all_shards response_policy:special nondeterministic_output"},
    {.name = "keys",
     .handler = Keys,
     .arity = 2,
     .flags = kCmdReadonly,
     .acl = kAclKeyspace | kAclDangerous,
     .summary = "All keys that match a pattern.",
     .since = "1.0.0",
     .group = "generic",
     .complexity = "O(N) in keys",
     .arguments = "pattern",
     .tips = "request_policy:all_shards nondeterministic_output_order"},
};

}  // namespace

void RegisterKeyBasics(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
