// SPDX-License-Identifier: BSD-3-Clause
// HGET, HMGET, HGETALL, HKEYS, HVALS, HLEN, HEXISTS, HSTRLEN, HRANDFIELD, HSCAN.
#include "commands/collection.h"
#include "commands/hash/hash_commands.h"
#include "value/hash_value.h"

namespace backplane {
namespace {

HashValue* FindHash(CommandContext& ctx, bool* failed) {
  return FindValueForRead<HashValue>(ctx, 1, TypeId::kHash, failed);
}

void HGet(CommandContext& ctx) {
  bool failed;
  const HashValue* hash = FindHash(ctx, &failed);
  if (failed) return;
  Item value;
  if (hash == nullptr || !hash->Get(ctx.arg(2), &value)) return ctx.reply().Null();
  ReplyItem(ctx.reply(), value);
}

void HMGet(CommandContext& ctx) {
  bool failed;
  const HashValue* hash = FindHash(ctx, &failed);
  if (failed) return;
  ReplySink& reply = ctx.reply();
  reply.BeginArray(ctx.argc() - 2);
  if (hash == nullptr) {
    for (size_t i = 2; i < ctx.argc(); ++i) reply.Null();
    return;
  }
  ForEachElementArg(ctx, *hash, 2, 1, 0, [&](size_t i) {
    Item value;
    hash->Get(ctx.arg(i), &value) ? ReplyItem(reply, value) : reply.Null();
  });
}

void HGetAll(CommandContext& ctx) {
  bool failed;
  const HashValue* hash = FindHash(ctx, &failed);
  if (failed) return;
  ReplySink& reply = ctx.reply();
  reply.BeginMap(hash != nullptr ? hash->length() : 0);
  if (hash == nullptr) return;
  hash->ForEach([&](const Item& field, const Item& value) {
    ReplyItem(reply, field);
    ReplyItem(reply, value);
  });
}

template <bool kValues>
void HalfOfAll(CommandContext& ctx) {
  bool failed;
  const HashValue* hash = FindHash(ctx, &failed);
  if (failed) return;
  ReplySink& reply = ctx.reply();
  reply.BeginArray(hash != nullptr ? hash->length() : 0);
  if (hash == nullptr) return;
  hash->ForEach(
      [&](const Item& field, const Item& value) { ReplyItem(reply, kValues ? value : field); });
}

void HKeys(CommandContext& ctx) { HalfOfAll<false>(ctx); }
void HVals(CommandContext& ctx) { HalfOfAll<true>(ctx); }

void HLen(CommandContext& ctx) {
  bool failed;
  const HashValue* hash = FindHash(ctx, &failed);
  if (failed) return;
  ctx.reply().Integer(hash != nullptr ? static_cast<int64_t>(hash->length()) : 0);
}

void HExists(CommandContext& ctx) {
  bool failed;
  const HashValue* hash = FindHash(ctx, &failed);
  if (failed) return;
  ctx.reply().Integer(hash != nullptr && hash->Contains(ctx.arg(2)) ? 1 : 0);
}

void HStrLen(CommandContext& ctx) {
  bool failed;
  const HashValue* hash = FindHash(ctx, &failed);
  if (failed) return;
  Item value;
  const bool found = hash != nullptr && hash->Get(ctx.arg(2), &value);
  ctx.reply().Integer(found ? static_cast<int64_t>(value.TextSize()) : 0);
}

void HRandField(CommandContext& ctx) {
  RandomCount wanted;
  if (ctx.argc() > 2) {
    const auto parsed = ParseRandomCount(ctx, "withvalues");
    if (!parsed) return;
    wanted = *parsed;
  }
  bool failed;
  const HashValue* hash = FindHash(ctx, &failed);
  if (failed) return;
  ReplySink& reply = ctx.reply();
  Random& random = ctx.keyspace().random();
  Item field;
  Item value;
  if (ctx.argc() == 2) {
    if (hash == nullptr) return reply.Null();
    hash->Sample(random, &field, &value);
    return ReplyItem(reply, field);
  }
  if (hash == nullptr) return reply.BeginArray(0);
  const uint64_t count = wanted.repeats ? wanted.count : std::min(wanted.count, hash->length());
  wanted.pairs ? BeginPairs(reply, count) : reply.BeginArray(count);
  auto answer = [&](const Item& f, const Item& v) {
    if (wanted.pairs) BeginPair(reply);
    ReplyItem(reply, f);
    if (wanted.pairs) ReplyItem(reply, v);
  };
  if (!wanted.repeats) return hash->SampleDistinct(random, count, answer);
  RepeatWithinOutputLimit(ctx, count, [&] {
    hash->Sample(random, &field, &value);
    answer(field, value);
  });
}

void HScan(CommandContext& ctx) {
  ScanValue<HashValue>(
      ctx, TypeId::kHash, ScanShape::kElementsAndValues,
      [](const HashValue& hash, uint64_t cursor, std::vector<ScannedElement>* found) {
        return hash.Scan(cursor, [&](const Item& field, const Item& value) {
          found->push_back({.element = field, .value = value});
        });
      });
}

constexpr uint64_t kFast = kCmdReadonly | kCmdFast;

constexpr CommandSpec kCommands[] = {
    {.name = "hget",
     .handler = HGet,
     .arity = 3,
     .flags = kFast,
     .keys = {1, 1, 1},
     .acl = kAclHash,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The value of a field.",
     .since = "2.0.0",
     .group = "hash",
     .complexity = "O(1)",
     .arguments = "key field"},
    {.name = "hmget",
     .handler = HMGet,
     .arity = -3,
     .flags = kFast,
     .keys = {1, 1, 1},
     .acl = kAclHash,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The values of several fields.",
     .since = "2.0.0",
     .group = "hash",
     .complexity = "O(N) in the number of fields",
     .arguments = "key field..."},
    {.name = "hgetall",
     .handler = HGetAll,
     .arity = 2,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclHash,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "All fields of a hash with their values.",
     .since = "2.0.0",
     .group = "hash",
     .complexity = "O(N) in the size of the hash",
     .arguments = "key",
     .tips = "nondeterministic_output_order"},
    {.name = "hkeys",
     .handler = HKeys,
     .arity = 2,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclHash,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "All fields of a hash.",
     .since = "2.0.0",
     .group = "hash",
     .complexity = "O(N) in the size of the hash",
     .arguments = "key",
     .tips = "nondeterministic_output_order"},
    {.name = "hvals",
     .handler = HVals,
     .arity = 2,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclHash,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "All values of a hash.",
     .since = "2.0.0",
     .group = "hash",
     .complexity = "O(N) in the size of the hash",
     .arguments = "key",
     .tips = "nondeterministic_output_order"},
    {.name = "hlen",
     .handler = HLen,
     .arity = 2,
     .flags = kFast,
     .keys = {1, 1, 1},
     .acl = kAclHash,
     .key_flags = kKeyRO,
     .summary = "The number of fields.",
     .since = "2.0.0",
     .group = "hash",
     .complexity = "O(1)",
     .arguments = "key"},
    {.name = "hexists",
     .handler = HExists,
     .arity = 3,
     .flags = kFast,
     .keys = {1, 1, 1},
     .acl = kAclHash,
     .key_flags = kKeyRO,
     .summary = "Whether a hash has a field.",
     .since = "2.0.0",
     .group = "hash",
     .complexity = "O(1)",
     .arguments = "key field"},
    {.name = "hstrlen",
     .handler = HStrLen,
     .arity = 3,
     .flags = kFast,
     .keys = {1, 1, 1},
     .acl = kAclHash,
     .key_flags = kKeyRO,
     .summary = "The length of a field's value in bytes.",
     .since = "3.2.0",
     .group = "hash",
     .complexity = "O(1)",
     .arguments = "key field"},
    {.name = "hrandfield",
     .handler = HRandField,
     .arity = -2,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclHash,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "Fields drawn at random; a negative count allows repetitions.",
     .since = "6.2.0",
     .group = "hash",
     .complexity = "O(N) in the number of fields drawn",
     .arguments = "key [options(count:integer [WITHVALUES])]",
     .tips = "nondeterministic_output"},
    {.name = "hscan",
     .handler = HScan,
     .arity = -3,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclHash,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "Iterates over the fields and values of a hash.",
     .since = "2.8.0",
     .group = "hash",
     .complexity = "O(1) for each call",
     .arguments = "key cursor:integer [MATCH pattern] [COUNT count:integer]",
     .tips = "nondeterministic_output"},
};

}  // namespace

void RegisterHashRead(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
