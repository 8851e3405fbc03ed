// SPDX-License-Identifier: BSD-3-Clause
// RENAME, RENAMENX, MOVE, COPY.
#include "base/ascii.h"
#include "base/numbers.h"
#include "command/context.h"
#include "commands/key/key_commands.h"
#include "engine/engine.h"

namespace backplane {
namespace {

void RenameGeneric(CommandContext& ctx, bool only_new) {
  Database& db = ctx.db();
  Key from = ctx.key(1);
  Key to = ctx.key(2);
  bool same = from.bytes == to.bytes;
  Entry* entry = db.FindForWrite(from);
  if (entry == nullptr) return ctx.Error(errors::kNoSuchKey);
  if (same) return only_new ? ctx.reply().Integer(0) : ctx.reply().Ok();
  if (db.FindForWrite(to) != nullptr) {
    if (only_new) return ctx.reply().Integer(0);
    db.Delete(to, ctx.engine().settings().lazyfree_lazy_server_del);
    entry = db.FindForWrite(from);
  } else {
    entry = db.FindForWrite(from);
  }
  // A module that is told of the other's end may have removed it.
  if (entry == nullptr) return ctx.Error(errors::kNoSuchKey);
  db.MoveEntry(entry, db, to);
  ctx.Touched(from.bytes);
  ctx.Touched(to.bytes);
  ctx.Notify(kNotifyGeneric, "rename_from", from.bytes);
  ctx.Notify(kNotifyGeneric, "rename_to", to.bytes);
  ctx.Dirty();
  only_new ? ctx.reply().Integer(1) : ctx.reply().Ok();
}

void Rename(CommandContext& ctx) { RenameGeneric(ctx, false); }
void RenameNx(CommandContext& ctx) { RenameGeneric(ctx, true); }

void Move(CommandContext& ctx) {
  auto index = ctx.DatabaseArg(2);
  if (!index) return;
  Database& target = ctx.keyspace().db(*index);
  if (&target == &ctx.db()) return ctx.Error(errors::kSameObject);
  Key key = ctx.key(1);
  Entry* entry = ctx.db().FindForWrite(key);
  if (entry == nullptr || target.FindForWrite(key) != nullptr) return ctx.reply().Integer(0);
  ctx.db().MoveEntry(entry, target, key);
  ctx.Touched(key.bytes);
  ctx.keyspace().KeyModified(target, key.bytes);
  ctx.Notify(kNotifyGeneric, "move_from", key.bytes);
  ctx.keyspace().Notify(target, kNotifyGeneric, "move_to", key.bytes);
  ctx.Dirty();
  ctx.reply().Integer(1);
}

struct CopyOptions {
  int db;
  bool replace = false;
};

std::optional<CopyOptions> ParseCopy(CommandContext& ctx) {
  CopyOptions options{ctx.db().index()};
  for (size_t i = 3; i < ctx.argc(); ++i) {
    if (ctx.ArgIs(i, "replace")) {
      options.replace = true;
    } else if (ctx.ArgIs(i, "db") && i + 1 < ctx.argc()) {
      auto index = ctx.DatabaseArg(++i);
      if (!index) return std::nullopt;
      options.db = *index;
    } else {
      ctx.Error(errors::kSyntax);
      return std::nullopt;
    }
  }
  return options;
}

void Copy(CommandContext& ctx) {
  auto options = ParseCopy(ctx);
  if (!options) return;
  Database& target = ctx.keyspace().db(options->db);
  Key from = ctx.key(1);
  Key to = ctx.key(2);
  if (&target == &ctx.db() && from.bytes == to.bytes) return ctx.Error(errors::kSameObject);
  Entry* entry = ctx.db().FindForRead(from);
  if (entry == nullptr) return ctx.reply().Integer(0);
  if (target.FindForWrite(to) != nullptr) {
    if (!options->replace) return ctx.reply().Integer(0);
  }
  std::unique_ptr<Value> clone;
  if (!entry->is_string()) {
    clone = entry->value().Clone();
    if (clone == nullptr) {
      return ctx.Error(entry->value().can_clone() ? "ERR module key failed to copy"
                                                  : "ERR not supported for this module key");
    }
  }
  target.Delete(to);
  entry = ctx.db().Peek(from);
  // A module that is told of the other's end may have removed it.
  if (entry == nullptr) return ctx.reply().Integer(0);
  int64_t expire_ms = entry->expire_ms();
  Entry* fresh;
  if (clone != nullptr) {
    fresh = target.Add(to, std::move(clone));
  } else {
    char scratch[kNumberTextMax];
    const bool raw = entry->encoding_name() == "raw";
    const bool number = entry->is_integer();
    const std::string text(entry->string(scratch));
    // A number that is kept as text stays one.
    fresh = number ? target.SetString(to, text) : target.SetText(to, text, TtlPolicy::kDrop);
    // The copy of a short one that was modified in place says so too.
    if (raw && fresh->encoding_name() != "raw") target.ResizeString(&fresh, text.size(), false);
  }
  if (expire_ms >= 0) target.SetExpire(fresh, expire_ms);
  ctx.keyspace().KeyModified(target, to.bytes);
  ctx.keyspace().Notify(target, kNotifyGeneric, "copy_to", to.bytes);
  ctx.Dirty();
  ctx.reply().Integer(1);
}

constexpr KeySpec kRenameKeys[] = {{.flags = kKeyRW | kKeyAccess | kKeyDelete, .begin = 1},
                                   {.flags = kKeyOW | kKeyUpdate, .begin = 2}};
constexpr KeySpec kRenameNxKeys[] = {{.flags = kKeyRW | kKeyAccess | kKeyDelete, .begin = 1},
                                     {.flags = kKeyOW | kKeyInsert, .begin = 2}};
constexpr KeySpec kCopyKeys[] = {{.flags = kKeyRO | kKeyAccess, .begin = 1},
                                 {.flags = kKeyOW | kKeyUpdate, .begin = 2}};

constexpr CommandSpec kCommands[] = {
    {.name = "rename",
     .handler = Rename,
     .arity = 3,
     .flags = kCmdWrite,
     .keys = {1, 2, 1},
     .acl = kAclKeyspace,
     .summary = "Gives a key another name, overwriting.",
     .since = "1.0.0",
     .group = "generic",
     .complexity = "O(1)",
     .key_specs = kRenameKeys,
     .arguments = "key newkey:key"},
    {.name = "renamenx",
     .handler = RenameNx,
     .arity = 3,
     .flags = kCmdWrite | kCmdFast,
     .keys = {1, 2, 1},
     .acl = kAclKeyspace,
     .summary = "Gives a key another name if that is free.",
     .since = "1.0.0",
     .group = "generic",
     .complexity = "O(1)",
     .key_specs = kRenameNxKeys,
     .arguments = "key newkey:key",
     .history = "3.2.0: no error when both names are the same"},
    {.name = "move",
     .handler = Move,
     .arity = 3,
     .flags = kCmdWrite | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclKeyspace,
     .key_flags = kKeyRW | kKeyAccess | kKeyUpdate,
     .summary = "Moves a key to another database.",
     .since = "1.0.0",
     .group = "generic",
     .complexity = "O(1)",
     .arguments = "key db:integer"},
    {.name = "copy",
     .handler = Copy,
     .arity = -3,
     .flags = kCmdWrite | kCmdDenyOom,
     .keys = {1, 2, 1},
     .acl = kAclKeyspace,
     .summary = "Copies a key's value to another key.",
     .since = "6.2.0",
     .group = "generic",
     .complexity = "O(N) in elements",
     .key_specs = kCopyKeys,
     .arguments = "source:key destination:key [DB destination-db:integer] [REPLACE]"},
};

}  // namespace

void RegisterKeyMoves(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
