// SPDX-License-Identifier: BSD-3-Clause
// GET, SET and their relatives: SETNX, SETEX, PSETEX, GETSET, GETDEL, GETEX, STRLEN.
#include <limits>

#include "base/ascii.h"
#include "base/numbers.h"
#include "command/context.h"
#include "commands/families.h"
#include "commands/string/string_commands.h"

namespace backplane {

void RegisterStringCommands(CommandRegistry& registry) {
  RegisterStringGetSet(registry);
  RegisterStringCounters(registry);
  RegisterStringRanges(registry);
  RegisterStringMulti(registry);
}

std::optional<int64_t> ExpiryArg(CommandContext& ctx, size_t arg, int64_t unit_ms, bool relative) {
  auto value = ctx.IntegerArg(arg);
  if (!value) return std::nullopt;
  int64_t now = ctx.keyspace().now_ms();
  bool overflows = *value > std::numeric_limits<int64_t>::max() / unit_ms;
  // Refused below, so what it would come to does not matter.
  const bool computable = !overflows && *value > 0;
  int64_t ms = computable ? *value * unit_ms : 0;
  if (relative && ms > std::numeric_limits<int64_t>::max() - now) overflows = true;
  if (*value <= 0 || overflows) {
    ctx.Error("ERR invalid expire time in '" + ctx.command().fullname + "' command");
    return std::nullopt;
  }
  return relative ? ms + now : ms;
}

namespace {

void ReplyString(CommandContext& ctx, const Entry* entry) {
  char scratch[kNumberTextMax];
  ctx.reply().Bulk(entry->string(scratch));
}

void Get(CommandContext& ctx) {
  bool failed;
  Entry* entry = ctx.FindForRead(ctx.key(1), TypeId::kString, &failed);
  if (failed) return;
  if (entry == nullptr) return ctx.reply().Null();
  ReplyString(ctx, entry);
}

struct SetOptions {
  bool nx = false;
  bool xx = false;
  bool get = false;
  bool keep_ttl = false;
  bool persist = false;   // GETEX only
  size_t expire_arg = 0;  // 0: none
  int64_t unit_ms = 1;
  bool relative = true;
  std::string_view expire_word;  // which option of time it is: it may come again, no other may
  bool MayTake(std::string_view word) const { return expire_word.empty() || expire_word == word; }
};

// Reads "EX 10" and the like at *i. False when the word is no expiry option or conflicts with
// another.
bool ParseExpiryOption(CommandContext& ctx, size_t* i, SetOptions* options) {
  struct Form {
    std::string_view word;
    int64_t unit_ms;
    bool relative;
  };
  static constexpr Form kForms[] = {
      {"ex", 1000, true}, {"px", 1, true}, {"exat", 1000, false}, {"pxat", 1, false}};
  for (const Form& form : kForms) {
    if (!ctx.ArgIs(*i, form.word)) continue;
    if (!options->MayTake(form.word) || *i + 1 >= ctx.argc()) return false;
    options->expire_word = form.word;
    options->expire_arg = ++*i;
    options->unit_ms = form.unit_ms;
    options->relative = form.relative;
    return true;
  }
  return false;
}

bool ParseSetOptions(CommandContext& ctx, SetOptions* options) {
  for (size_t i = 3; i < ctx.argc(); ++i) {
    if (ctx.ArgIs(i, "nx") && !options->xx) {
      options->nx = true;
    } else if (ctx.ArgIs(i, "xx") && !options->nx) {
      options->xx = true;
    } else if (ctx.ArgIs(i, "get")) {
      options->get = true;
    } else if (ctx.ArgIs(i, "keepttl") && options->MayTake("keepttl")) {
      options->expire_word = "keepttl";
      options->keep_ttl = true;
    } else if (!ParseExpiryOption(ctx, &i, options)) {
      return false;
    }
  }
  return true;
}

void PropagateSetAt(CommandContext& ctx, std::string_view value, int64_t expire_ms) {
  char text[kNumberTextMax];
  std::string_view at(text, Int64ToText(expire_ms, text));
  ctx.Propagate({"SET", ctx.arg(1), value, "PXAT", at});
}

// What SET and its short forms have in common once options are known.
void SetGeneric(CommandContext& ctx, const SetOptions& options, size_t value_arg,
                bool reply_integer) {
  Database& db = ctx.db();
  int64_t expire_ms = -1;
  if (options.expire_arg != 0) {
    auto at = ExpiryArg(ctx, options.expire_arg, options.unit_ms, options.relative);
    if (!at) return;
    expire_ms = *at;
  }
  Key key = ctx.key(1);
  Entry* existing = db.FindForWrite(key);
  if (options.get) {
    if (existing != nullptr && !existing->is_string()) return ctx.Error(errors::kWrongType);
    if (existing != nullptr) {
      ReplyString(ctx, existing);
    } else {
      ctx.reply().Null();
    }
  }
  if ((options.nx && existing != nullptr) || (options.xx && existing == nullptr)) {
    if (options.get) return;
    return reply_integer ? ctx.reply().Integer(0) : ctx.reply().Null();
  }
  std::string_view value = ctx.arg(value_arg);
  Entry* entry =
      db.SetStringAt(existing, key, value, options.keep_ttl ? TtlPolicy::kKeep : TtlPolicy::kDrop);
  if (expire_ms >= 0) db.SetExpire(entry, expire_ms);
  ctx.Modified(key.bytes, kNotifyString, "set");
  if (expire_ms >= 0) {
    ctx.Notify(kNotifyGeneric, "expire", key.bytes);
    PropagateSetAt(ctx, value, expire_ms);
  }
  if (options.get) return;
  reply_integer ? ctx.reply().Integer(1) : ctx.reply().Ok();
}

void Set(CommandContext& ctx) {
  SetOptions options;
  if (ctx.argc() > 3 && !ParseSetOptions(ctx, &options)) return ctx.Error(errors::kSyntax);
  SetGeneric(ctx, options, 2, false);
}

void SetNx(CommandContext& ctx) { SetGeneric(ctx, {.nx = true}, 2, true); }
void SetEx(CommandContext& ctx) { SetGeneric(ctx, {.expire_arg = 2, .unit_ms = 1000}, 3, false); }
void PSetEx(CommandContext& ctx) { SetGeneric(ctx, {.expire_arg = 2, .unit_ms = 1}, 3, false); }

void GetSet(CommandContext& ctx) {
  bool failed;
  Key key = ctx.key(1);
  Entry* entry = ctx.FindForWrite(key, TypeId::kString, &failed);
  if (failed) return;
  if (entry != nullptr) {
    ReplyString(ctx, entry);
  } else {
    ctx.reply().Null();
  }
  ctx.db().SetStringAt(entry, key, ctx.arg(2), TtlPolicy::kDrop);
  ctx.Modified(key.bytes, kNotifyString, "set");
  ctx.Propagate({"SET", key.bytes, ctx.arg(2)});
}

void GetDel(CommandContext& ctx) {
  bool failed;
  Key key = ctx.key(1);
  Entry* entry = ctx.FindForRead(key, TypeId::kString, &failed);
  if (failed) return;
  if (entry == nullptr) return ctx.reply().Null();
  ReplyString(ctx, entry);
  ctx.db().Delete(key);
  ctx.Modified(key.bytes, kNotifyGeneric, "del");
  ctx.Propagate({"DEL", key.bytes});
}

void GetEx(CommandContext& ctx) {
  SetOptions options;
  for (size_t i = 2; i < ctx.argc(); ++i) {
    if (ctx.ArgIs(i, "persist") && options.MayTake("persist")) {
      options.expire_word = "persist";
      options.persist = true;
    } else if (!ParseExpiryOption(ctx, &i, &options)) {
      return ctx.Error(errors::kSyntax);
    }
  }
  bool failed;
  Key key = ctx.key(1);
  Entry* entry = ctx.FindForRead(key, TypeId::kString, &failed);
  if (failed) return;
  if (entry == nullptr) return ctx.reply().Null();
  std::optional<int64_t> expire_ms;
  if (options.expire_arg != 0) {
    expire_ms = ExpiryArg(ctx, options.expire_arg, options.unit_ms, options.relative);
    if (!expire_ms) return;
  }
  ReplyString(ctx, entry);
  if (expire_ms && ctx.keyspace().IsOver(*expire_ms)) {
    ctx.db().Delete(key);
    ctx.Modified(key.bytes, kNotifyGeneric, "del");
    ctx.Propagate({"DEL", key.bytes});
  } else if (expire_ms) {
    ctx.db().SetExpire(entry, *expire_ms);
    ctx.Modified(key.bytes, kNotifyGeneric, "expire");
    char text[kNumberTextMax];
    ctx.Propagate({"PEXPIREAT", key.bytes, std::string_view(text, Int64ToText(*expire_ms, text))});
  } else if (options.persist && entry->has_expire()) {
    ctx.db().ClearExpire(entry);
    ctx.Modified(key.bytes, kNotifyGeneric, "persist");
    ctx.Propagate({"PERSIST", key.bytes});
  }
}

void StrLen(CommandContext& ctx) {
  bool failed;
  Entry* entry = ctx.FindForRead(ctx.key(1), TypeId::kString, &failed);
  if (failed) return;
  ctx.reply().Integer(entry == nullptr ? 0 : static_cast<int64_t>(entry->string_size()));
}

constexpr uint64_t kWriteFast = kCmdWrite | kCmdDenyOom | kCmdFast;

// Only with GET is the old value seen.
uint32_t SetKeyFlags(std::span<const std::string_view> args) {
  constexpr size_t kOptionsFrom = 3;
  for (size_t i = kOptionsFrom; i < args.size(); ++i) {
    if (EqualsIgnoreCase(args[i], "get")) return kKeyRW | kKeyAccess | kKeyUpdate;
  }
  return kKeyOW | kKeyUpdate;
}

constexpr CommandSpec kCommands[] = {
    {.name = "get",
     .handler = Get,
     .arity = 2,
     .flags = kCmdReadonly | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclString,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "Returns the string value of a key.",
     .since = "1.0.0",
     .group = "string",
     .complexity = "O(1)",
     .arguments = "key"},
    {.name = "set",
     .handler = Set,
     .arity = -3,
     .flags = kCmdWrite | kCmdDenyOom,
     .keys = {1, 1, 1},
     .acl = kAclString,
     .key_flags = kKeyRW | kKeyAccess | kKeyUpdate | kKeyVariableFlags,
     .summary = "Stores a string under a key, whatever the key held before; optionally with "
                "conditions and a TTL.",
     .since = "1.0.0",
     .group = "string",
     .complexity = "O(1)",
     .key_flags_of_call = SetKeyFlags,
     .arguments =
         "key value [condition@2.6.12(NX | XX)] [GET@6.2.0] [expiration(EX seconds:integer@2.6.12 "
         "| PX milliseconds:integer@2.6.12 | EXAT unix-time-seconds:unix-time@6.2.0 | PXAT "
         "unix-time-milliseconds:unix-time@6.2.0 | KEEPTTL@6.0.0)]",
     .history = "2.6.12: `EX`, `PX`, `NX` and `XX`; 6.0.0: `KEEPTTL`; 6.2.0: `GET`, `EXAT` and "
                "`PXAT`; 7.0.0: `GET` goes together with `NX`",
     .key_notes = "GET reads the key"},
    {.name = "setnx",
     .handler = SetNx,
     .arity = 3,
     .flags = kWriteFast,
     .keys = {1, 1, 1},
     .acl = kAclString,
     .key_flags = kKeyOW | kKeyInsert,
     .summary = "Stores a string only if the key does not exist.",
     .since = "1.0.0",
     .group = "string",
     .complexity = "O(1)",
     .arguments = "key value",
     .deprecated = "2.6.12: `SET` with `NX`"},
    {.name = "setex",
     .handler = SetEx,
     .arity = 4,
     .flags = kCmdWrite | kCmdDenyOom,
     .keys = {1, 1, 1},
     .acl = kAclString,
     .key_flags = kKeyOW | kKeyUpdate,
     .summary = "Stores a string with a TTL in seconds.",
     .since = "2.0.0",
     .group = "string",
     .complexity = "O(1)",
     .arguments = "key seconds:integer value",
     .deprecated = "2.6.12: `SET` with `EX`"},
    {.name = "psetex",
     .handler = PSetEx,
     .arity = 4,
     .flags = kCmdWrite | kCmdDenyOom,
     .keys = {1, 1, 1},
     .acl = kAclString,
     .key_flags = kKeyOW | kKeyUpdate,
     .summary = "Stores a string with a TTL in milliseconds.",
     .since = "2.6.0",
     .group = "string",
     .complexity = "O(1)",
     .arguments = "key milliseconds:integer value",
     .deprecated = "2.6.12: `SET` with `PX`"},
    {.name = "getset",
     .handler = GetSet,
     .arity = 3,
     .flags = kWriteFast,
     .keys = {1, 1, 1},
     .acl = kAclString,
     .key_flags = kKeyRW | kKeyAccess | kKeyUpdate,
     .summary = "Stores a string and returns the previous one.",
     .since = "1.0.0",
     .group = "string",
     .complexity = "O(1)",
     .arguments = "key value",
     .deprecated = "6.2.0: `SET` with `GET`"},
    {.name = "getdel",
     .handler = GetDel,
     .arity = 2,
     .flags = kCmdWrite | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclString,
     .key_flags = kKeyRW | kKeyAccess | kKeyDelete,
     .summary = "Returns the string value of a key and deletes the key.",
     .since = "6.2.0",
     .group = "string",
     .complexity = "O(1)",
     .arguments = "key"},
    {.name = "getex",
     .handler = GetEx,
     .arity = -2,
     .flags = kCmdWrite | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclString,
     .key_flags = kKeyRW | kKeyAccess | kKeyUpdate,
     .summary = "Returns the string value of a key and sets or removes its TTL.",
     .since = "6.2.0",
     .group = "string",
     .complexity = "O(1)",
     .arguments = "key [expiration(EX seconds:integer | PX milliseconds:integer | EXAT "
                  "unix-time-seconds:unix-time | PXAT unix-time-milliseconds:unix-time | PERSIST)]",
     .key_notes = "it can change the time to live"},
    {.name = "strlen",
     .handler = StrLen,
     .arity = 2,
     .flags = kCmdReadonly | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclString,
     .key_flags = kKeyRO,
     .summary = "Returns the length of a string value in bytes.",
     .since = "2.2.0",
     .group = "string",
     .complexity = "O(1)",
     .arguments = "key"},
};

}  // namespace

void RegisterStringGetSet(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
