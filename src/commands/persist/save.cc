// SPDX-License-Identifier: BSD-3-Clause
// SAVE, BGSAVE, LASTSAVE, DEBUG RELOAD.
#include "commands/persist/persist_commands.h"
#include "engine/engine.h"

namespace backplane {

void RegisterPersistCommands(CommandRegistry& registry, Persistence& persistence,
                             AppendOnly& append_only) {
  RegisterSaveCommands(registry, persistence);
  RegisterDumpCommands(registry, persistence);
  RegisterAofCommands(registry, append_only);
}

void DebugReload(CommandContext& ctx, Persistence& persistence) {
  Persistence::ReloadOptions options;
  bool save = true;
  for (size_t i = 2; i < ctx.argc(); ++i) {
    if (ctx.ArgIs(i, "merge")) {
      options.merge = true;
    } else if (ctx.ArgIs(i, "noflush")) {
      options.flush = false;
    } else if (ctx.ArgIs(i, "nosave")) {
      save = false;
    } else {
      return ctx.Error("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
    }
  }
  // The reasons are in the log.
  if (save && !persistence.Save()) return ctx.Error("ERR");
  if (!persistence.Reload(options)) {
    return ctx.Error("ERR Error trying to load the RDB dump, check server logs.");
  }
  ctx.engine().logger().Warning("DB reloaded by DEBUG RELOAD");
  ctx.PreventPropagation();
  ctx.reply().Ok();
}

namespace {

constexpr std::string_view kInProgress = "ERR Background save already in progress";

void Save(CommandContext& ctx) {
  auto& persistence = ctx.owner<Persistence>();
  if (persistence.bgsave_running()) return ctx.Error(kInProgress);
  // The reason is in the log; clients know the bare code.
  if (!persistence.Save()) return ctx.Error("ERR");
  ctx.reply().Ok();
}

void BgSave(CommandContext& ctx) {
  bool schedule = false;
  if (ctx.argc() > 1) {
    if (ctx.argc() != 2 || !ctx.ArgIs(1, "schedule")) return ctx.Error(errors::kSyntax);
    schedule = true;
  }
  auto& persistence = ctx.owner<Persistence>();
  if (persistence.bgsave_running()) return ctx.Error(kInProgress);
  const bool in_transaction = ctx.session().executing_transaction;
  if (persistence.child_active() || in_transaction) {
    if (!schedule && !in_transaction) {
      return ctx.Error(
          "ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE "
          "in order to schedule a BGSAVE whenever possible.");
    }
    persistence.ScheduleBgSave();
    return ctx.reply().SimpleString("Background saving scheduled");
  }
  if (!persistence.BgSave()) return ctx.Error("ERR");
  ctx.reply().SimpleString("Background saving started");
}

void LastSave(CommandContext& ctx) {
  ctx.reply().Integer(ctx.owner<Persistence>().last_save_seconds());
}

constexpr uint64_t kSaveFlags = kCmdAdmin | kCmdNoScript | kCmdNoAsyncLoading;

constexpr CommandSpec kCommands[] = {
    {.name = "save",
     .handler = Save,
     .arity = 1,
     .flags = kSaveFlags | kCmdNoMulti,
     .summary = "Saves the data set to disk; the server answers nobody meanwhile.",
     .since = "1.0.0",
     .group = "server",
     .complexity = "O(N) where N is the number of keys in all databases"},
    {.name = "bgsave",
     .handler = BgSave,
     .arity = -1,
     .flags = kSaveFlags,
     .summary = "Saves the data set to disk in a forked child.",
     .since = "1.0.0",
     .group = "server",
     .complexity = "O(1)",
     .arguments = "[SCHEDULE@3.2.2]",
     .history = "3.2.2: `SCHEDULE`"},
    {.name = "lastsave",
     .handler = LastSave,
     .arity = 1,
     .flags = kCmdLoading | kCmdStale | kCmdFast,
     .acl = kAclAdmin | kAclDangerous,
     .summary = "Returns the Unix time of the last successful save to disk.",
     .since = "1.0.0",
     .group = "server",
     .complexity = "O(1)",
     .tips = "nondeterministic_output"},
};

}  // namespace

void RegisterSaveCommands(CommandRegistry& registry, Persistence& persistence) {
  registry.Add(kCommands, &persistence);
}

}  // namespace backplane
