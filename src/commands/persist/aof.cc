// SPDX-License-Identifier: BSD-3-Clause
// BGREWRITEAOF, WAITAOF, DEBUG LOADAOF.
#include <limits>

#include "client/session.h"
#include "commands/blocking.h"
#include "commands/persist/persist_commands.h"
#include "engine/engine.h"
#include "persist/append_only.h"

namespace backplane {

void DebugLoadAof(CommandContext& ctx, AppendOnly& append_only) {
  ctx.PreventPropagation();
  if (!append_only.Reload()) {
    return ctx.Error("ERR Error trying to load the AOF files, check server logs.");
  }
  ctx.engine().logger().Warning("Append Only File loaded by DEBUG LOADAOF");
  ctx.reply().Ok();
}

namespace {

void BgRewriteAof(CommandContext& ctx) {
  auto& append_only = ctx.owner<AppendOnly>();
  if (append_only.rewriting()) {
    return ctx.Error("ERR Background append only file rewriting already in progress");
  }
  const Engine& engine = ctx.engine();
  // What has changed in this unit is told when it ends: after a fork now it would be there twice.
  const bool within_unit = engine.unit_depth() > 1 || ctx.engine().propagation().pending();
  if (ctx.session().executing_transaction || within_unit) {
    append_only.ScheduleRewrite();
    return ctx.reply().SimpleString("Background append only file rewriting scheduled");
  }
  auto status = append_only.StartRewrite();
  if (status) return ctx.reply().SimpleString("Background append only file rewriting started");
  if (status.error().code == ErrorCode::kBusy) {
    append_only.ScheduleRewrite();
    return ctx.reply().SimpleString("Background append only file rewriting scheduled");
  }
  ctx.Error(
      "ERR Can't execute an AOF background rewriting. Please check the server logs for more "
      "information.");
}

// There are no replicas yet: of them only the time says something.
void WaitAof(CommandContext& ctx) {
  const auto local_wanted =
      ctx.IntegerArgIn(1, 0, 1, "ERR value is out of range, value must between 0 and 1");
  if (!local_wanted) return;
  const auto replicas_wanted =
      ctx.IntegerArgIn(2, 0, std::numeric_limits<int64_t>::max(), errors::kMustBePositive);
  if (!replicas_wanted) return;
  const auto timeout_ms = MillisTimeoutArg(ctx, 3);
  if (!timeout_ms) return;
  const auto& append_only = ctx.owner<AppendOnly>();
  if (*local_wanted > 0 && !append_only.enabled()) {
    return ctx.Error("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.");
  }
  const int64_t local = append_only.IsSynced(ctx.session().last_write) ? 1 : 0;
  BlockedCommands* commands = ctx.engine().blocked_commands();
  const bool enough = local >= *local_wanted && *replicas_wanted == 0;
  if (enough || commands == nullptr || commands->is_last_try() ||
      !commands->CanBlock(ctx.session())) {
    ctx.reply().BeginArray(2);
    ctx.reply().Integer(local);
    ctx.reply().Integer(0);
    return;
  }
  BlockedCommands::Wait wait;
  wait.timeout_ms = *timeout_ms;
  wait.reply = BlockedCommands::TimeoutReply::kCommand;
  commands->Block(ctx, std::move(wait));
}

constexpr CommandSpec kCommands[] = {
    {.name = "bgrewriteaof",
     .handler = BgRewriteAof,
     .arity = 1,
     .flags = kCmdAdmin | kCmdNoScript | kCmdNoAsyncLoading,
     .summary = "Rewrites the append-only file in a forked child.",
     .since = "1.0.0",
     .group = "server",
     .complexity = "O(1)"},
    {.name = "waitaof",
     .handler = WaitAof,
     .arity = 4,
     .flags = kCmdBlocking,
     .acl = kAclConnection,
     .summary = "Waits until what this connection wrote is on the disk, here and at replicas.",
     .since = "7.2.0",
     .group = "generic",
     .complexity = "O(1)",
     .arguments = "numlocal:integer numreplicas:integer timeout:integer",
     .tips = "request_policy:all_shards response_policy:agg_min"},
};

}  // namespace

void RegisterAofCommands(CommandRegistry& registry, AppendOnly& append_only) {
  registry.Add(kCommands, &append_only);
}

}  // namespace backplane
