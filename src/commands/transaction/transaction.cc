// SPDX-License-Identifier: BSD-3-Clause
// MULTI, EXEC, DISCARD, WATCH, UNWATCH.
#include "command/context.h"
#include "commands/families.h"
#include "engine/engine.h"

namespace backplane {
namespace {

void Multi(CommandContext& ctx) {
  if (ctx.session().transaction != nullptr) return ctx.Error("ERR MULTI calls can not be nested");
  ctx.session().transaction = std::make_unique<Transaction>();
  ctx.reply().Ok();
}

void EndWatch(CommandContext& ctx) { ctx.keyspace().watches().Unwatch(ctx.session().watcher); }

void Discard(CommandContext& ctx) {
  if (ctx.session().transaction == nullptr) return ctx.Error("ERR DISCARD without MULTI");
  ctx.session().transaction.reset();
  EndWatch(ctx);
  ctx.reply().Ok();
}

// A watched key whose time ran out since WATCH counts as changed, whether or not somebody has
// removed it yet.
bool WatchedKeyExpired(CommandContext& ctx) {
  for (const auto& watched : ctx.session().watcher.keys()) {
    if (watched.expired_at_watch) continue;
    Database& db = ctx.keyspace().db(watched.db);
    db.Peek(watched.key);  // removes it, and so touches the watcher, when it has expired
  }
  return ctx.session().watcher.touched();
}

void Exec(CommandContext& ctx) {
  Session& session = ctx.session();
  if (session.transaction == nullptr) return ctx.Error("ERR EXEC without MULTI");
  if (session.transaction->failed) {
    session.transaction.reset();
    EndWatch(ctx);
    return ctx.Error(errors::kExecAbort);
  }
  if (WatchedKeyExpired(ctx)) {
    session.transaction.reset();
    EndWatch(ctx);
    return ctx.reply().NullArray();
  }
  // What was allowed when it was queued may not be any more.
  bool writes = (session.transaction->flags_union & kCmdWrite) != 0;
  if (writes && ctx.engine().writes_refused()) {
    session.transaction.reset();
    EndWatch(ctx);
    return ctx.Error("EXECABORT Transaction discarded because of: " + ctx.engine().WriteRefusal());
  }
  ctx.engine().RunTransaction(session, ctx.reply());
}

void Watch(CommandContext& ctx) {
  if (ctx.session().transaction != nullptr)
    return ctx.Error("ERR WATCH inside MULTI is not allowed");
  for (size_t i = 1; i < ctx.argc(); ++i) {
    ctx.db().Peek(ctx.arg(i));
    ctx.keyspace().watches().Watch(ctx.session().watcher, ctx.db().index(), ctx.arg(i), false);
  }
  ctx.reply().Ok();
}

void Unwatch(CommandContext& ctx) {
  EndWatch(ctx);
  ctx.reply().Ok();
}

constexpr uint64_t kBase = kCmdNoScript | kCmdLoading | kCmdStale | kCmdAllowBusy;

constexpr CommandSpec kCommands[] = {
    {.name = "multi",
     .handler = Multi,
     .arity = 1,
     .flags = kBase | kCmdFast | kCmdNotQueued,
     .acl = kAclTransaction,
     .summary = "Begins a transaction.",
     .since = "1.2.0",
     .group = "transactions",
     .complexity = "O(1)"},
    {.name = "exec",
     .handler = Exec,
     .arity = 1,
     .flags = kCmdNoScript | kCmdLoading | kCmdStale | kCmdSkipSlowlog | kCmdNotQueued,
     .acl = kAclTransaction,
     .summary = "Runs the queued commands of a transaction.",
     .since = "1.2.0",
     .group = "transactions",
     .complexity = "That of the queued commands"},
    {.name = "discard",
     .handler = Discard,
     .arity = 1,
     .flags = kBase | kCmdFast | kCmdNotQueued,
     .acl = kAclTransaction,
     .summary = "Forgets the queued commands.",
     .since = "2.0.0",
     .group = "transactions",
     .complexity = "O(N) in queued commands"},
    {.name = "watch",
     .handler = Watch,
     .arity = -2,
     .flags = kBase | kCmdFast | kCmdNotQueued,
     .keys = {1, -1, 1},
     .acl = kAclTransaction,
     .key_flags = kKeyRO,
     .summary = "Makes the next EXEC fail if one of the keys changes.",
     .since = "2.2.0",
     .group = "transactions",
     .complexity = "O(1) for each key",
     .arguments = "key..."},
    {.name = "unwatch",
     .handler = Unwatch,
     .arity = 1,
     .flags = kBase | kCmdFast,
     .acl = kAclTransaction,
     .summary = "Forgets all watched keys.",
     .since = "2.2.0",
     .group = "transactions",
     .complexity = "O(1)"},
};

}  // namespace

void RegisterTransactionCommands(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
