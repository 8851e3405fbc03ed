// SPDX-License-Identifier: BSD-3-Clause
// DBSIZE, FLUSHDB, FLUSHALL, SWAPDB, TIME, ROLE, SHUTDOWN.
#include <algorithm>

#include "base/ascii.h"
#include "base/clock.h"
#include "base/memory_info.h"
#include "base/numbers.h"
#include "client/session.h"
#include "command/context.h"
#include "commands/server/server_families.h"
#include "engine/engine.h"
#include "persist/persistence.h"
#include "script/scripting.h"

namespace backplane {

void RegisterServerCommands(CommandRegistry& registry, ServerServices& services) {
  RegisterCommandCommand(registry);
  RegisterClusterCommands(registry);
  RegisterConfigCommand(registry, services);
  RegisterInfoCommand(registry, services);
  RegisterDebugCommand(registry, services);
  RegisterAdminCommands(registry, services);
  RegisterSlowLogCommand(registry);
  RegisterLatencyCommand(registry);
  RegisterMonitorCommand(registry);
  RegisterMemoryReports(registry, services);
  RegisterLolWutCommand(registry);
}

namespace {

void DbSize(CommandContext& ctx) { ctx.reply().Integer(static_cast<int64_t>(ctx.db().size())); }

// ASYNC or SYNC at argv[1]; nullopt after a syntax error.
std::optional<bool> LazyFlag(CommandContext& ctx) {
  if (ctx.argc() == 1) return ctx.engine().settings().lazyfree_lazy_user_flush;
  if (ctx.argc() == 2 && ctx.ArgIs(1, "async")) return true;
  if (ctx.argc() == 2 && ctx.ArgIs(1, "sync")) return false;
  ctx.Error(errors::kSyntax);
  return std::nullopt;
}

void FlushOne(CommandContext& ctx, Database& db, bool lazy) {
  uint64_t keys = db.size();
  Keyspace& ks = ctx.keyspace();
  ks.watches().TouchIf(db.index(), [&](std::string_view key) { return db.Peek(key) != nullptr; });
  db.Flush(lazy);
  ctx.Dirty(keys);
}

void FinishFlush(CommandContext& ctx, bool lazy) {
  ctx.ForcePropagation();
  // What a flush frees is wanted back by the system now, not after the allocator's decay time.
  if (!lazy) PurgeAllocator();
  ctx.reply().Ok();
}

void FlushDb(CommandContext& ctx) {
  auto lazy = LazyFlag(ctx);
  if (!lazy) return;
  ctx.engine().NotifyFlush(ctx.db().index(), !*lazy, true);
  FlushOne(ctx, ctx.db(), *lazy);
  ctx.engine().NotifyFlush(ctx.db().index(), !*lazy, false);
  FinishFlush(ctx, *lazy);
}

void FlushAll(CommandContext& ctx) {
  auto lazy = LazyFlag(ctx);
  if (!lazy) return;
  ctx.engine().NotifyFlush(-1, !*lazy, true);
  for (int i = 0; i < ctx.keyspace().database_count(); ++i)
    FlushOne(ctx, ctx.keyspace().db(i), *lazy);
  ctx.engine().NotifyFlush(-1, !*lazy, false);
  if (Persistence* persistence = ctx.owner<ServerServices>().persistence) persistence->OnFlushAll();
  FinishFlush(ctx, *lazy);
}

void SwapDb(CommandContext& ctx) {
  auto first = ctx.IntegerArg(1, "ERR invalid first DB index");
  if (!first) return;
  auto second = ctx.IntegerArg(2, "ERR invalid second DB index");
  if (!second) return;
  int64_t count = ctx.keyspace().database_count();
  if (*first < 0 || *first >= count || *second < 0 || *second >= count) {
    return ctx.Error(errors::kDbIndexOutOfRange);
  }
  ctx.keyspace().SwapDatabases(static_cast<int>(*first), static_cast<int>(*second));
  ctx.Dirty();
  ctx.engine().NotifySwap(static_cast<int>(*first), static_cast<int>(*second));
  ctx.reply().Ok();
}

void Time(CommandContext& ctx) {
  // One script is one moment.
  const bool scripted = ctx.session().kind() == Session::Kind::kScript;
  const int64_t now =
      scripted ? ctx.owner<ServerServices>().scripting->runner().TimeMicros() : WallMicros();
  ctx.reply().BeginArray(2);
  ctx.reply().BulkInteger(now / 1'000'000);
  ctx.reply().BulkInteger(now % 1'000'000);
}

void Role(CommandContext& ctx) {
  ctx.reply().BeginArray(3);
  ctx.reply().Bulk("master");
  ctx.reply().Integer(0);
  ctx.reply().BeginArray(0);
}

void Shutdown(CommandContext& ctx) {
  ShutdownOptions options;
  using Save = ShutdownOptions::Save;
  bool abort = false;
  for (size_t i = 1; i < ctx.argc(); ++i) {
    if (ctx.ArgIs(i, "nosave") && options.save != Save::kYes) {
      options.save = Save::kNo;
    } else if (ctx.ArgIs(i, "save") && options.save != Save::kNo) {
      options.save = Save::kYes;
    } else if (ctx.ArgIs(i, "now")) {
      options.now = true;
    } else if (ctx.ArgIs(i, "force")) {
      options.force = true;
    } else if (ctx.ArgIs(i, "abort")) {
      abort = true;
    } else {
      return ctx.Error(errors::kSyntax);
    }
  }
  if (abort && (options.now || options.force || options.save != Save::kByConfig)) {
    return ctx.Error(errors::kSyntax);
  }
  if (abort) {
    if (!ctx.owner<ServerServices>().control->AbortShutdown()) {
      return ctx.Error("ERR No shutdown in progress.");
    }
    return ctx.reply().Ok();
  }
  if (ctx.session().transaction != nullptr || ctx.session().executing_transaction) {
    return ctx.Error("ERR Command not allowed inside a transaction");
  }
  if (auto status = ctx.owner<ServerServices>().control->Shutdown(options); !status) {
    return ctx.Error("ERR Errors trying to SHUTDOWN. Check logs.");
  }
  if (ctx.session().link() != nullptr) ctx.session().link()->Close();
}

constexpr CommandSpec kCommands[] = {
    {.name = "dbsize",
     .handler = DbSize,
     .arity = 1,
     .flags = kCmdReadonly | kCmdFast,
     .acl = kAclKeyspace,
     .summary = "The number of keys in the database.",
     .since = "1.0.0",
     .group = "server",
     .complexity = "O(1)",
     .tips = "request_policy:all_shards response_policy:agg_sum"},
    {.name = "flushdb",
     .handler = FlushDb,
     .arity = -1,
     .flags = kCmdWrite,
     .acl = kAclKeyspace | kAclDangerous,
     .summary = "Removes all keys of the database.",
     .since = "1.0.0",
     .group = "server",
     .complexity = "O(N) in keys",
     .arguments = "[flush-type(ASYNC@4.0.0 | SYNC@6.2.0)]",
     .history = "4.0.0: `ASYNC`; 6.2.0: `SYNC`",
     .tips = "request_policy:all_shards response_policy:all_succeeded"},
    {.name = "flushall",
     .handler = FlushAll,
     .arity = -1,
     .flags = kCmdWrite,
     .acl = kAclKeyspace | kAclDangerous,
     .summary = "Removes all keys of all databases.",
     .since = "1.0.0",
     .group = "server",
     .complexity = "O(N) in keys",
     .arguments = "[flush-type(ASYNC@4.0.0 | SYNC@6.2.0)]",
     .history = "4.0.0: `ASYNC`; 6.2.0: `SYNC`",
     .tips = "request_policy:all_shards response_policy:all_succeeded"},
    {.name = "swapdb",
     .handler = SwapDb,
     .arity = 3,
     .flags = kCmdWrite | kCmdFast,
     .acl = kAclKeyspace | kAclDangerous,
     .summary = "Exchanges two databases.",
     .since = "4.0.0",
     .group = "server",
     .complexity = "O(N) in watched keys",
     .arguments = "index1:integer index2:integer"},
    {.name = "time",
     .handler = Time,
     .arity = 1,
     .flags = kCmdLoading | kCmdStale | kCmdFast,
     .summary = "The server's time: seconds and microseconds.",
     .since = "2.6.0",
     .group = "server",
     .complexity = "O(1)",
     .tips = "nondeterministic_output"},
    {.name = "role",
     .handler = Role,
     .arity = 1,
     .flags = kCmdNoScript | kCmdLoading | kCmdStale | kCmdFast,
     .acl = kAclAdmin | kAclDangerous,
     .summary = "The role in replication.",
     .since = "2.8.12",
     .group = "server",
     .complexity = "O(1)"},
    {.name = "shutdown",
     .handler = Shutdown,
     .arity = -1,
     .flags = kCmdAdmin | kCmdNoScript | kCmdLoading | kCmdStale | kCmdNoMulti | kCmdAllowBusy,
     .summary = "Saves, if configured, and stops the server.",
     .since = "1.0.0",
     .group = "server",
     .complexity = "O(N) in keys when saving",
     .arguments = "[save-selector(NOSAVE | SAVE)] [NOW@7.0.0] [FORCE@7.0.0] [ABORT@7.0.0]",
     .history = "7.0.0: `NOW`, `FORCE` and `ABORT`"},
};

}  // namespace

void RegisterAdminCommands(CommandRegistry& registry, ServerServices& services) {
  registry.Add(kCommands, &services);
}

}  // namespace backplane
