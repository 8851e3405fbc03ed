// SPDX-License-Identifier: BSD-3-Clause
// OBJECT, and MEMORY USAGE and PURGE.
#include "base/ascii.h"
#include "base/memory_info.h"
#include "command/context.h"
#include "commands/help.h"
#include "commands/key/key_commands.h"
#include "config/settings.h"
#include "engine/engine.h"
#include "keyspace/eviction.h"

namespace backplane {
namespace {

void ObjectEncoding(CommandContext& ctx) {
  Entry* entry = ctx.db().Peek(ctx.key(2));
  if (entry == nullptr) return ctx.reply().Null();
  ctx.reply().Bulk(entry->encoding_name());
}

void ObjectRefCount(CommandContext& ctx) {
  Entry* entry = ctx.db().Peek(ctx.key(2));
  if (entry == nullptr) return ctx.reply().Null();
  // Small integers are shared objects in Redis, and some clients look for that.
  bool shared = entry->is_string() && entry->is_integer() && entry->integer() >= 0 &&
                entry->integer() < 10000;
  // Not where each value needs an age or a count of its own for the choice of what is evicted.
  const Settings& settings = ctx.engine().settings();
  const auto policy = static_cast<EvictionPolicy>(settings.maxmemory_policy);
  if (settings.maxmemory > 0 && (WatchesAge(policy) || CountsUse(policy))) shared = false;
  ctx.reply().Integer(shared ? INT32_MAX : 1);
}

void ObjectIdleTime(CommandContext& ctx) {
  Entry* entry = ctx.db().Peek(ctx.key(2));
  if (entry == nullptr) return ctx.reply().Null();
  if (ctx.keyspace().counts_use()) {
    return ctx.Error(
        "ERR An LFU maxmemory policy is selected, idle time not tracked. Please note that when "
        "switching between policies at runtime LRU and LFU data will take some time to adjust.");
  }
  ctx.reply().Integer(static_cast<int64_t>(ctx.keyspace().IdleSecondsOf(*entry)));
}

void ObjectFreq(CommandContext& ctx) {
  const Entry* entry = ctx.db().Peek(ctx.key(2));
  if (entry == nullptr) return ctx.reply().Null();
  if (!ctx.keyspace().counts_use()) {
    return ctx.Error(
        "ERR An LFU maxmemory policy is not selected, access frequency not tracked. Please note "
        "that when switching between policies at runtime LRU and LFU data will take some time to "
        "adjust.");
  }
  ctx.reply().Integer(ctx.keyspace().FrequencyOf(*entry));
}

void ObjectHelp(CommandContext& ctx) {
  ReplyHelp(ctx, {"ENCODING <key>", "    How the value is held.", "FREQ <key>",
                  "    How often it is used; needs an LFU policy.", "IDLETIME <key>",
                  "    Seconds since the last access.", "REFCOUNT <key>",
                  "    References to the value."});
}

void MemoryUsage(CommandContext& ctx) {
  size_t samples = 5;
  for (size_t i = 3; i < ctx.argc(); ++i) {
    if (!ctx.ArgIs(i, "samples") || i + 1 >= ctx.argc()) return ctx.Error(errors::kSyntax);
    auto count = ctx.IntegerArg(++i);
    if (!count) return;
    if (*count < 0) return ctx.Error(errors::kSyntax);
    samples = static_cast<size_t>(*count);
  }
  Entry* entry = ctx.db().Peek(ctx.key(2));
  if (entry == nullptr) return ctx.reply().Null();
  ctx.reply().Integer(static_cast<int64_t>(entry->MemoryUsage(samples)));
}

void MemoryPurge(CommandContext& ctx) {
  PurgeAllocator();
  ctx.reply().Ok();
}

void MemoryHelp(CommandContext& ctx) {
  ReplyHelp(ctx, {"DOCTOR", "    What is remarkable about the server's memory, in words.",
                  "MALLOC-STATS", "    The allocator's own report.", "PURGE",
                  "    Gives memory that is free to the system.", "STATS",
                  "    Where the server's memory is.", "USAGE <key> [SAMPLES <count>]",
                  "    Bytes that a key takes with its value."});
}

constexpr uint64_t kSub = kCmdReadonly;
constexpr KeyRange kSecond = {2, 2, 1};

constexpr CommandSpec kCommands[] = {
    {.name = "object",
     .handler = nullptr,
     .arity = -2,
     .flags = 0,
     .acl = kAclSlow,
     .summary = "A container for commands about how values are held.",
     .since = "2.2.3",
     .group = "generic",
     .complexity = "That of the subcommand"},
    {.name = "object|encoding",
     .handler = ObjectEncoding,
     .arity = 3,
     .flags = kSub,
     .keys = kSecond,
     .acl = kAclKeyspace,
     .key_flags = kKeyRO,
     .summary = "How the value is held.",
     .since = "2.2.3",
     .group = "generic",
     .complexity = "O(1)",
     .arguments = "key",
     .tips = "nondeterministic_output"},
    {.name = "object|refcount",
     .handler = ObjectRefCount,
     .arity = 3,
     .flags = kSub,
     .keys = kSecond,
     .acl = kAclKeyspace,
     .key_flags = kKeyRO,
     .summary = "References to the value.",
     .since = "2.2.3",
     .group = "generic",
     .complexity = "O(1)",
     .arguments = "key",
     .tips = "nondeterministic_output"},
    {.name = "object|idletime",
     .handler = ObjectIdleTime,
     .arity = 3,
     .flags = kSub,
     .keys = kSecond,
     .acl = kAclKeyspace,
     .key_flags = kKeyRO,
     .summary = "Seconds since the last access.",
     .since = "2.2.3",
     .group = "generic",
     .complexity = "O(1)",
     .arguments = "key",
     .tips = "nondeterministic_output"},
    {.name = "object|freq",
     .handler = ObjectFreq,
     .arity = 3,
     .flags = kSub,
     .keys = kSecond,
     .acl = kAclKeyspace,
     .key_flags = kKeyRO,
     .summary = "How often the key is used.",
     .since = "4.0.0",
     .group = "generic",
     .complexity = "O(1)",
     .arguments = "key",
     .tips = "nondeterministic_output"},
    {.name = "object|help",
     .handler = ObjectHelp,
     .arity = 2,
     .flags = kCmdLoading | kCmdStale,
     .acl = kAclKeyspace,
     .summary = "Shows the subcommands.",
     .since = "6.2.0",
     .group = "generic",
     .complexity = "O(1)"},
    {.name = "memory",
     .handler = nullptr,
     .arity = -2,
     .flags = 0,
     .acl = kAclSlow,
     .summary = "A container for commands about memory.",
     .since = "4.0.0",
     .group = "server",
     .complexity = "That of the subcommand"},
    {.name = "memory|usage",
     .handler = MemoryUsage,
     .arity = -3,
     .flags = kSub,
     .keys = kSecond,
     .key_flags = kKeyRO,
     .summary = "Bytes that a key takes with its value.",
     .since = "4.0.0",
     .group = "server",
     .complexity = "O(N) in samples",
     .arguments = "key [SAMPLES count:integer]"},
    {.name = "memory|purge",
     .handler = MemoryPurge,
     .arity = 2,
     .flags = 0,
     .summary = "Gives memory that is free to the system.",
     .since = "4.0.0",
     .group = "server",
     .complexity = "O(N) in the memory allocated",
     .tips = "request_policy:all_shards response_policy:all_succeeded"},
    {.name = "memory|help",
     .handler = MemoryHelp,
     .arity = 2,
     .flags = kCmdLoading | kCmdStale,
     .summary = "Shows the subcommands.",
     .since = "4.0.0",
     .group = "server",
     .complexity = "O(1)"},
};

}  // namespace

void RegisterKeyObject(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
