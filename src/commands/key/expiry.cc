// SPDX-License-Identifier: BSD-3-Clause
// EXPIRE and its forms, TTL and its forms, PERSIST.
#include <limits>

#include "base/ascii.h"
#include "base/numbers.h"
#include "command/context.h"
#include "commands/key/key_commands.h"

namespace backplane {
namespace {

struct Condition {
  bool nx = false, xx = false, gt = false, lt = false;
};

std::optional<Condition> ParseCondition(CommandContext& ctx) {
  Condition c;
  for (size_t i = 3; i < ctx.argc(); ++i) {
    if (ctx.ArgIs(i, "nx")) {
      c.nx = true;
    } else if (ctx.ArgIs(i, "xx")) {
      c.xx = true;
    } else if (ctx.ArgIs(i, "gt")) {
      c.gt = true;
    } else if (ctx.ArgIs(i, "lt")) {
      c.lt = true;
    } else {
      std::string_view option = ctx.arg(i);
      ctx.Error("ERR Unsupported option " + std::string(option.substr(0, option.find('\0'))));
      return std::nullopt;
    }
  }
  if (c.nx && (c.xx || c.gt || c.lt)) {
    ctx.Error("ERR NX and XX, GT or LT options at the same time are not compatible");
    return std::nullopt;
  }
  if (c.gt && c.lt) {
    ctx.Error("ERR GT and LT options at the same time are not compatible");
    return std::nullopt;
  }
  return c;
}

// No TTL counts as an infinite one.
bool Holds(const Condition& c, int64_t current, int64_t wanted) {
  if (c.nx && current >= 0) return false;
  if (c.xx && current < 0) return false;
  if (c.gt && (current < 0 || wanted <= current)) return false;
  if (c.lt && current >= 0 && wanted >= current) return false;
  return true;
}

void ExpireGeneric(CommandContext& ctx, int64_t unit_ms, bool relative) {
  auto condition = ParseCondition(ctx);
  if (!condition) return;
  auto value = ctx.IntegerArg(2);
  if (!value) return;
  constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
  int64_t now = ctx.keyspace().now_ms();
  bool overflows =
      *value > kMax / unit_ms || *value < std::numeric_limits<int64_t>::min() / unit_ms;
  int64_t at = overflows ? 0 : *value * unit_ms;
  if (!overflows && relative && at > kMax - now) overflows = true;
  if (overflows)
    return ctx.Error("ERR invalid expire time in '" + ctx.command().fullname + "' command");
  if (relative) at += now;
  Key key = ctx.key(1);
  Entry* entry = ctx.db().FindForWrite(key);
  if (entry == nullptr || !Holds(*condition, entry->expire_ms(), at)) return ctx.reply().Integer(0);
  if (ctx.keyspace().IsOver(at)) {
    ctx.db().Delete(key);
    ctx.Modified(key.bytes, kNotifyGeneric, "del");
    ctx.Propagate({"DEL", key.bytes});
    return ctx.reply().Integer(1);
  }
  ctx.db().SetExpire(entry, at);
  ctx.Modified(key.bytes, kNotifyGeneric, "expire");
  char text[kNumberTextMax];
  ctx.Propagate({"PEXPIREAT", key.bytes, std::string_view(text, Int64ToText(at, text))});
  ctx.reply().Integer(1);
}

void Expire(CommandContext& ctx) { ExpireGeneric(ctx, 1000, true); }
void PExpire(CommandContext& ctx) { ExpireGeneric(ctx, 1, true); }
void ExpireAt(CommandContext& ctx) { ExpireGeneric(ctx, 1000, false); }
void PExpireAt(CommandContext& ctx) { ExpireGeneric(ctx, 1, false); }

void TtlGeneric(CommandContext& ctx, int64_t unit_ms, bool relative) {
  Entry* entry = ctx.db().Peek(ctx.key(1));
  if (entry == nullptr) return ctx.reply().Integer(-2);
  if (!entry->has_expire()) return ctx.reply().Integer(-1);
  int64_t ms = entry->expire_ms();
  if (relative) ms = std::max<int64_t>(0, ms - ctx.keyspace().now_ms());
  // Seconds are rounded to the nearest; the sum could overflow.
  ctx.reply().Integer(unit_ms == 1 ? ms : ms / unit_ms + (ms % unit_ms >= 500 ? 1 : 0));
}

void Ttl(CommandContext& ctx) { TtlGeneric(ctx, 1000, true); }
void PTtl(CommandContext& ctx) { TtlGeneric(ctx, 1, true); }
void ExpireTime(CommandContext& ctx) { TtlGeneric(ctx, 1000, false); }
void PExpireTime(CommandContext& ctx) { TtlGeneric(ctx, 1, false); }

void Persist(CommandContext& ctx) {
  Key key = ctx.key(1);
  Entry* entry = ctx.db().FindForWrite(key);
  if (entry == nullptr || !entry->has_expire()) return ctx.reply().Integer(0);
  ctx.db().ClearExpire(entry);
  ctx.Modified(key.bytes, kNotifyGeneric, "persist");
  ctx.reply().Integer(1);
}

constexpr uint64_t kSetFlags = kCmdWrite | kCmdFast;
constexpr uint64_t kGetFlags = kCmdReadonly | kCmdFast;
constexpr KeyRange kOne = {1, 1, 1};

constexpr CommandSpec kCommands[] = {
    {.name = "expire",
     .handler = Expire,
     .arity = -3,
     .flags = kSetFlags,
     .keys = kOne,
     .acl = kAclKeyspace,
     .key_flags = kKeyRW | kKeyUpdate,
     .summary = "Sets a TTL in seconds.",
     .since = "1.0.0",
     .group = "generic",
     .complexity = "O(1)",
     .arguments = "key seconds:integer [condition@7.0.0(NX | XX | GT | LT)]",
     .history = "7.0.0: `NX`, `XX`, `GT` and `LT`"},
    {.name = "pexpire",
     .handler = PExpire,
     .arity = -3,
     .flags = kSetFlags,
     .keys = kOne,
     .acl = kAclKeyspace,
     .key_flags = kKeyRW | kKeyUpdate,
     .summary = "Sets a TTL in milliseconds.",
     .since = "2.6.0",
     .group = "generic",
     .complexity = "O(1)",
     .arguments = "key milliseconds:integer [condition@7.0.0(NX | XX | GT | LT)]",
     .history = "7.0.0: `NX`, `XX`, `GT` and `LT`"},
    {.name = "expireat",
     .handler = ExpireAt,
     .arity = -3,
     .flags = kSetFlags,
     .keys = kOne,
     .acl = kAclKeyspace,
     .key_flags = kKeyRW | kKeyUpdate,
     .summary = "Sets the Unix time in seconds at which the key goes.",
     .since = "1.2.0",
     .group = "generic",
     .complexity = "O(1)",
     .arguments = "key unix-time-seconds:unix-time [condition@7.0.0(NX | XX | GT | LT)]",
     .history = "7.0.0: `NX`, `XX`, `GT` and `LT`"},
    {.name = "pexpireat",
     .handler = PExpireAt,
     .arity = -3,
     .flags = kSetFlags,
     .keys = kOne,
     .acl = kAclKeyspace,
     .key_flags = kKeyRW | kKeyUpdate,
     .summary = "Sets the Unix time in milliseconds at which the key goes.",
     .since = "2.6.0",
     .group = "generic",
     .complexity = "O(1)",
     .arguments = "key unix-time-milliseconds:unix-time [condition@7.0.0(NX | XX | GT | LT)]",
     .history = "7.0.0: `NX`, `XX`, `GT` and `LT`"},
    {.name = "ttl",
     .handler = Ttl,
     .arity = 2,
     .flags = kGetFlags,
     .keys = kOne,
     .acl = kAclKeyspace,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The TTL in seconds; -1 without one, -2 without the key.",
     .since = "1.0.0",
     .group = "generic",
     .complexity = "O(1)",
     .arguments = "key",
     .history = "2.8.0: -2 says that there is no key",
     .tips = "nondeterministic_output"},
    {.name = "pttl",
     .handler = PTtl,
     .arity = 2,
     .flags = kGetFlags,
     .keys = kOne,
     .acl = kAclKeyspace,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The TTL in milliseconds; -1 without one, -2 without the key.",
     .since = "2.6.0",
     .group = "generic",
     .complexity = "O(1)",
     .arguments = "key",
     .history = "2.8.0: -2 says that there is no key",
     .tips = "nondeterministic_output"},
    {.name = "expiretime",
     .handler = ExpireTime,
     .arity = 2,
     .flags = kGetFlags,
     .keys = kOne,
     .acl = kAclKeyspace,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The Unix time in seconds at which the key goes.",
     .since = "7.0.0",
     .group = "generic",
     .complexity = "O(1)",
     .arguments = "key"},
    {.name = "pexpiretime",
     .handler = PExpireTime,
     .arity = 2,
     .flags = kGetFlags,
     .keys = kOne,
     .acl = kAclKeyspace,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The Unix time in milliseconds at which the key goes.",
     .since = "7.0.0",
     .group = "generic",
     .complexity = "O(1)",
     .arguments = "key"},
    {.name = "persist",
     .handler = Persist,
     .arity = 2,
     .flags = kSetFlags,
     .keys = kOne,
     .acl = kAclKeyspace,
     .key_flags = kKeyRW | kKeyUpdate,
     .summary = "Removes the TTL.",
     .since = "2.2.0",
     .group = "generic",
     .complexity = "O(1)",
     .arguments = "key"},
};

}  // namespace

void RegisterKeyExpiry(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
