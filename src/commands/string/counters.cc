// SPDX-License-Identifier: BSD-3-Clause
// INCR, DECR, INCRBY, DECRBY, INCRBYFLOAT.
#include <cmath>
#include <limits>

#include "base/numbers.h"
#include "command/context.h"
#include "commands/string/string_commands.h"

namespace backplane {
namespace {

void AddTo(CommandContext& ctx, int64_t delta) {
  bool failed;
  Key key = ctx.key(1);
  Entry* entry = ctx.FindForWrite(key, TypeId::kString, &failed);
  if (failed) return;
  int64_t value = 0;
  if (entry != nullptr && entry->is_integer()) {
    value = entry->integer();
  } else if (entry != nullptr) {
    auto parsed = ParseInt64(entry->string(nullptr));
    if (!parsed) return ctx.Error(errors::kNotInteger);
    value = *parsed;
  }
  if (__builtin_add_overflow(value, delta, &value)) return ctx.Error(errors::kIncrOverflow);
  if (entry != nullptr && entry->is_integer()) {
    ctx.db().UpdateInteger(entry, value);
  } else {
    ctx.db().SetInteger(key, value, TtlPolicy::kKeep);
  }
  ctx.Modified(key.bytes, kNotifyString, "incrby");
  ctx.reply().Integer(value);
}

void Incr(CommandContext& ctx) { AddTo(ctx, 1); }
void Decr(CommandContext& ctx) { AddTo(ctx, -1); }

void IncrBy(CommandContext& ctx) {
  auto delta = ctx.IntegerArg(2);
  if (delta) AddTo(ctx, *delta);
}

void DecrBy(CommandContext& ctx) {
  auto delta = ctx.IntegerArg(2);
  if (!delta) return;
  if (*delta == std::numeric_limits<int64_t>::min())
    return ctx.Error("ERR decrement would overflow");
  AddTo(ctx, -*delta);
}

void IncrByFloat(CommandContext& ctx) {
  bool failed;
  Key key = ctx.key(1);
  Entry* entry = ctx.FindForWrite(key, TypeId::kString, &failed);
  if (failed) return;
  long double value = 0;
  if (entry != nullptr) {
    char scratch[kNumberTextMax];
    auto parsed = ParseLongDouble(entry->string(scratch));
    if (!parsed) return ctx.Error(errors::kNotFloat);
    value = *parsed;
  }
  auto delta = ParseLongDouble(ctx.arg(2));
  if (!delta) return ctx.Error(errors::kNotFloat);
  value += *delta;
  if (std::isnan(value) || std::isinf(value)) return ctx.Error(errors::kIncrNan);
  char text[kLongDoubleTextMax];
  std::string_view result(text, LongDoubleToText(value, text));
  ctx.db().SetText(key, result, TtlPolicy::kKeep);
  ctx.Modified(key.bytes, kNotifyString, "incrbyfloat");
  ctx.reply().Bulk(result);
  // Replicas must not repeat the float arithmetic.
  ctx.Propagate({"SET", key.bytes, result, "KEEPTTL"});
}

constexpr uint64_t kFlags = kCmdWrite | kCmdDenyOom | kCmdFast;

constexpr CommandSpec kCommands[] = {
    {.name = "incr",
     .handler = Incr,
     .arity = 2,
     .flags = kFlags,
     .keys = {1, 1, 1},
     .acl = kAclString,
     .key_flags = kKeyRW | kKeyAccess | kKeyUpdate,
     .summary = "Adds one to the integer value of a key.",
     .since = "1.0.0",
     .group = "string",
     .complexity = "O(1)",
     .arguments = "key"},
    {.name = "decr",
     .handler = Decr,
     .arity = 2,
     .flags = kFlags,
     .keys = {1, 1, 1},
     .acl = kAclString,
     .key_flags = kKeyRW | kKeyAccess | kKeyUpdate,
     .summary = "Takes one from the integer value of a key.",
     .since = "1.0.0",
     .group = "string",
     .complexity = "O(1)",
     .arguments = "key"},
    {.name = "incrby",
     .handler = IncrBy,
     .arity = 3,
     .flags = kFlags,
     .keys = {1, 1, 1},
     .acl = kAclString,
     .key_flags = kKeyRW | kKeyAccess | kKeyUpdate,
     .summary = "Adds a number to the integer value of a key.",
     .since = "1.0.0",
     .group = "string",
     .complexity = "O(1)",
     .arguments = "key increment:integer"},
    {.name = "decrby",
     .handler = DecrBy,
     .arity = 3,
     .flags = kFlags,
     .keys = {1, 1, 1},
     .acl = kAclString,
     .key_flags = kKeyRW | kKeyAccess | kKeyUpdate,
     .summary = "Takes a number from the integer value of a key.",
     .since = "1.0.0",
     .group = "string",
     .complexity = "O(1)",
     .arguments = "key decrement:integer"},
    {.name = "incrbyfloat",
     .handler = IncrByFloat,
     .arity = 3,
     .flags = kFlags,
     .keys = {1, 1, 1},
     .acl = kAclString,
     .key_flags = kKeyRW | kKeyAccess | kKeyUpdate,
     .summary = "Adds a float to the numeric value of a key.",
     .since = "2.6.0",
     .group = "string",
     .complexity = "O(1)",
     .arguments = "key increment:double"},
};

}  // namespace

void RegisterStringCounters(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
