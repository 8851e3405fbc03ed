// SPDX-License-Identifier: BSD-3-Clause
// HSET, HMSET, HSETNX, HDEL, HINCRBY, HINCRBYFLOAT.
#include <cmath>

#include "base/numbers.h"
#include "commands/collection.h"
#include "commands/families.h"
#include "commands/hash/hash_commands.h"
#include "value/hash_value.h"

namespace backplane {

void RegisterHashCommands(CommandRegistry& registry) {
  RegisterHashWrite(registry);
  RegisterHashRead(registry);
}

namespace {

bool OpenHash(CommandContext& ctx, const Key& key, Destination<HashValue>* hash) {
  if (!hash->Open(ctx, key, TypeId::kHash)) return false;
  if (!hash->exists()) hash->Create(std::make_unique<HashValue>());
  return true;
}

// Sets the pairs from argv[2] on; nullopt after replying an error, else the number of new fields.
std::optional<int64_t> SetFields(CommandContext& ctx) {
  if (ctx.argc() % 2 != 0) {
    ctx.Error(errors::WrongArity(ctx.command().fullname));
    return std::nullopt;
  }
  const Key key = ctx.key(1);
  Destination<HashValue> hash;
  if (!OpenHash(ctx, key, &hash)) return std::nullopt;
  const EncodingLimits& limits = ctx.limits();
  const uint64_t pairs = (ctx.argc() - 2) / 2;
  if (pairs > 1) hash->PrepareToGrow(pairs, limits);
  int64_t created = 0;
  ForEachElementArg(ctx, *hash, 2, 2, 0, [&](size_t i) {
    created += hash->Set(ctx.arg(i), ctx.arg(i + 1), limits) ? 1 : 0;
  });
  hash.Commit(ctx, key);
  ctx.Modified(key.bytes, kNotifyHash, "hset", pairs);
  return created;
}

void HSet(CommandContext& ctx) {
  if (const auto created = SetFields(ctx)) ctx.reply().Integer(*created);
}

void HMSet(CommandContext& ctx) {
  if (SetFields(ctx)) ctx.reply().Ok();
}

void HSetNx(CommandContext& ctx) {
  const Key key = ctx.key(1);
  Destination<HashValue> hash;
  if (!OpenHash(ctx, key, &hash)) return;
  if (!hash->SetIfAbsent(ctx.arg(2), ctx.arg(3), ctx.limits())) return ctx.reply().Integer(0);
  hash.Commit(ctx, key);
  ctx.reply().Integer(1);
  ctx.Modified(key.bytes, kNotifyHash, "hset");
}

void HDel(CommandContext& ctx) {
  const Key key = ctx.key(1);
  bool failed;
  Entry* entry = ctx.FindForWrite(key, TypeId::kHash, &failed);
  if (failed) return;
  if (entry == nullptr) return ctx.reply().Integer(0);
  auto& hash = entry->As<HashValue>();
  int64_t deleted = 0;
  ForEachElementArg(ctx, hash, 2, 1, 0,
                    [&](size_t i) { deleted += hash.Erase(ctx.arg(i)) ? 1 : 0; });
  ctx.reply().Integer(deleted);
  if (deleted == 0) return;
  ElementsRemoved<HashValue>(ctx, key, entry, kNotifyHash, "hdel", static_cast<uint64_t>(deleted));
}

void HIncrBy(CommandContext& ctx) {
  const auto delta = ctx.IntegerArg(3);
  if (!delta) return;
  const Key key = ctx.key(1);
  Destination<HashValue> hash;
  if (!OpenHash(ctx, key, &hash)) return;
  int64_t value = 0;
  Item old;
  if (hash->Get(ctx.arg(2), &old)) {
    const auto number = old.is_number() ? old.number() : ParseInt64(old.bytes());
    if (!number) return ctx.Error("ERR hash value is not an integer");
    value = *number;
  }
  if (__builtin_add_overflow(value, *delta, &value)) return ctx.Error(errors::kIncrOverflow);
  char text[kNumberTextMax];
  hash->Set(ctx.arg(2), {text, Int64ToText(value, text)}, ctx.limits());
  hash.Commit(ctx, key);
  ctx.reply().Integer(value);
  ctx.Modified(key.bytes, kNotifyHash, "hincrby");
}

void HIncrByFloat(CommandContext& ctx) {
  const auto delta = ParseLongDouble(ctx.arg(3));
  if (!delta) return ctx.Error(errors::kNotFloat);
  if (std::isnan(*delta) || std::isinf(*delta)) return ctx.Error("ERR value is NaN or Infinity");
  const Key key = ctx.key(1);
  Destination<HashValue> hash;
  if (!OpenHash(ctx, key, &hash)) return;
  long double value = 0;
  Item old;
  if (hash->Get(ctx.arg(2), &old)) {
    const auto number =
        old.is_number() ? static_cast<long double>(old.number()) : ParseLongDouble(old.bytes());
    if (!number) return ctx.Error("ERR hash value is not a float");
    value = *number;
  }
  value += *delta;
  if (std::isnan(value) || std::isinf(value)) return ctx.Error(errors::kIncrNan);
  char text[kLongDoubleTextMax];
  const std::string_view result(text, LongDoubleToText(value, text));
  hash->Set(ctx.arg(2), result, ctx.limits());
  hash.Commit(ctx, key);
  ctx.reply().Bulk(result);
  ctx.Modified(key.bytes, kNotifyHash, "hincrbyfloat");
  // Replicas must not repeat the float arithmetic.
  ctx.Propagate({"HSET", key.bytes, ctx.arg(2), result});
}

constexpr uint64_t kFlags = kCmdWrite | kCmdDenyOom | kCmdFast;

constexpr CommandSpec kCommands[] = {
    {.name = "hset",
     .handler = HSet,
     .arity = -4,
     .flags = kFlags,
     .keys = {1, 1, 1},
     .acl = kAclHash,
     .key_flags = kKeyRW | kKeyUpdate,
     .summary = "Sets fields of a hash; counts those that are new.",
     .since = "2.0.0",
     .group = "hash",
     .complexity = "O(N) in the number of fields",
     .arguments = "key data(field value)...",
     .history = "4.0.0: several fields and values"},
    {.name = "hmset",
     .handler = HMSet,
     .arity = -4,
     .flags = kFlags,
     .keys = {1, 1, 1},
     .acl = kAclHash,
     .key_flags = kKeyRW | kKeyUpdate,
     .summary = "Sets fields of a hash, as HSET does, and answers OK.",
     .since = "2.0.0",
     .group = "hash",
     .complexity = "O(N) in the number of fields",
     .arguments = "key data(field value)...",
     .deprecated = "4.0.0: `HSET`"},
    {.name = "hsetnx",
     .handler = HSetNx,
     .arity = 4,
     .flags = kFlags,
     .keys = {1, 1, 1},
     .acl = kAclHash,
     .key_flags = kKeyRW | kKeyInsert,
     .summary = "Sets a field of a hash that does not have it.",
     .since = "2.0.0",
     .group = "hash",
     .complexity = "O(1)",
     .arguments = "key field value"},
    {.name = "hdel",
     .handler = HDel,
     .arity = -3,
     .flags = kCmdWrite | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclHash,
     .key_flags = kKeyRW | kKeyDelete,
     .summary = "Removes fields from a hash.",
     .since = "2.0.0",
     .group = "hash",
     .complexity = "O(N) in the number of fields",
     .arguments = "key field...",
     .history = "2.4.0: several fields"},
    {.name = "hincrby",
     .handler = HIncrBy,
     .arity = 4,
     .flags = kFlags,
     .keys = {1, 1, 1},
     .acl = kAclHash,
     .key_flags = kKeyRW | kKeyAccess | kKeyUpdate,
     .summary = "Adds a number to the integer value of a field.",
     .since = "2.0.0",
     .group = "hash",
     .complexity = "O(1)",
     .arguments = "key field increment:integer"},
    {.name = "hincrbyfloat",
     .handler = HIncrByFloat,
     .arity = 4,
     .flags = kFlags,
     .keys = {1, 1, 1},
     .acl = kAclHash,
     .key_flags = kKeyRW | kKeyAccess | kKeyUpdate,
     .summary = "Adds a float to the numeric value of a field.",
     .since = "2.6.0",
     .group = "hash",
     .complexity = "O(1)",
     .arguments = "key field increment:double"},
};

}  // namespace

void RegisterHashWrite(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
