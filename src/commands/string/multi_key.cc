// SPDX-License-Identifier: BSD-3-Clause
// MGET, MSET, MSETNX.
#include "base/numbers.h"
#include "command/context.h"
#include "commands/string/string_commands.h"

namespace backplane {
namespace {

// Keys are taken in groups: hash and fetch the buckets of all, then the entries, then work. Hides
// the memory latency of one behind the others.
constexpr size_t kGroup = 16;

template <class F>
void ForEachKey(CommandContext& ctx, size_t first, size_t step, F&& f) {
  Database& db = ctx.db();
  uint64_t hashes[kGroup];
  for (size_t begin = first; begin < ctx.argc(); begin += kGroup * step) {
    size_t count = 0;
    for (size_t i = begin; i < ctx.argc() && count < kGroup; i += step, ++count) {
      hashes[count] = HashBytes(ctx.arg(i));
      db.PrefetchBucket(hashes[count]);
    }
    for (size_t k = 0; k < count; ++k) db.PrefetchEntry(hashes[k]);
    for (size_t k = 0; k < count; ++k) {
      size_t i = begin + k * step;
      f(i, Key(ctx.arg(i), hashes[k]));
    }
  }
}

void MGet(CommandContext& ctx) {
  ctx.reply().BeginArray(ctx.argc() - 1);
  ForEachKey(ctx, 1, 1, [&](size_t, const Key& key) {
    Entry* entry = ctx.db().FindForRead(key);
    if (entry == nullptr || !entry->is_string()) return ctx.reply().Null();
    char scratch[kNumberTextMax];
    ctx.reply().Bulk(entry->string(scratch));
  });
}

bool PairsOk(CommandContext& ctx) {
  if (ctx.argc() % 2 == 1) return true;
  ctx.Error(errors::WrongArity(ctx.command().fullname));
  return false;
}

void SetAll(CommandContext& ctx) {
  ForEachKey(ctx, 1, 2, [&](size_t i, const Key& key) {
    ctx.db().SetString(key, ctx.arg(i + 1));
    ctx.Modified(key.bytes, kNotifyString, "set");
  });
}

void MSet(CommandContext& ctx) {
  if (!PairsOk(ctx)) return;
  SetAll(ctx);
  ctx.reply().Ok();
}

void MSetNx(CommandContext& ctx) {
  if (!PairsOk(ctx)) return;
  for (size_t i = 1; i < ctx.argc(); i += 2) {
    if (ctx.db().FindForWrite(ctx.arg(i)) != nullptr) return ctx.reply().Integer(0);
  }
  SetAll(ctx);
  ctx.reply().Integer(1);
}

constexpr CommandSpec kCommands[] = {
    {.name = "mget",
     .handler = MGet,
     .arity = -2,
     .flags = kCmdReadonly | kCmdFast,
     .keys = {1, -1, 1},
     .acl = kAclString,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "Returns the string values of several keys.",
     .since = "1.0.0",
     .group = "string",
     .complexity = "O(N) in the number of keys",
     .arguments = "key...",
     .tips = "request_policy:multi_shard"},
    {.name = "mset",
     .handler = MSet,
     .arity = -3,
     .flags = kCmdWrite | kCmdDenyOom,
     .keys = {1, -1, 2},
     .acl = kAclString,
     .key_flags = kKeyOW | kKeyUpdate,
     .summary = "Stores several strings at once.",
     .since = "1.0.1",
     .group = "string",
     .complexity = "O(N) in the number of keys",
     .arguments = "data(key value)...",
     .tips = "request_policy:multi_shard response_policy:all_succeeded"},
    {.name = "msetnx",
     .handler = MSetNx,
     .arity = -3,
     .flags = kCmdWrite | kCmdDenyOom,
     .keys = {1, -1, 2},
     .acl = kAclString,
     .key_flags = kKeyOW | kKeyInsert,
     .summary = "Stores several strings at once if none of the keys exists.",
     .since = "1.0.1",
     .group = "string",
     .complexity = "O(N) in the number of keys",
     .arguments = "data(key value)..."},
};

}  // namespace

void RegisterStringMulti(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
