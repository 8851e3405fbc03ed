// SPDX-License-Identifier: BSD-3-Clause
// MODULE LOAD, LOADEX, UNLOAD, LIST.
#include "command/context.h"
#include "commands/help.h"
#include "commands/module/module_commands.h"
#include "modhost/host.h"

namespace backplane {
namespace {

void ReplyStatus(CommandContext& ctx, const Status& status) {
  if (!status) return ctx.Error("ERR " + status.error().message);
  ctx.reply().Ok();
}

std::vector<std::string> ArgsFrom(CommandContext& ctx, size_t first) {
  auto rest = ctx.args().subspan(first);
  return {rest.begin(), rest.end()};
}

void ModuleLoad(CommandContext& ctx) {
  ReplyStatus(ctx, ctx.owner<ModuleHost>().Load(std::string(ctx.arg(2)), ArgsFrom(ctx, 3)));
}

// "LOADEX path [CONFIG name value ...] [ARGS arg ...]"; ARGS takes all that follows.
void ModuleLoadEx(CommandContext& ctx) {
  ModuleConfigs configs;
  std::vector<std::string> args;
  for (size_t i = 3; i < ctx.argc(); ++i) {
    if (ctx.ArgIs(i, "config") && i + 2 < ctx.argc()) {
      configs.emplace_back(ctx.arg(i + 1), ctx.arg(i + 2));
      i += 2;
    } else if (ctx.ArgIs(i, "args")) {
      args = ArgsFrom(ctx, i + 1);
      break;
    } else {
      return ctx.Error("ERR syntax error: expected CONFIG name value, or ARGS");
    }
  }
  ReplyStatus(ctx, ctx.owner<ModuleHost>().Load(std::string(ctx.arg(2)), args, configs));
}

void ModuleUnload(CommandContext& ctx) {
  ReplyStatus(ctx, ctx.owner<ModuleHost>().Unload(ctx.arg(2)));
}

void ReplyModule(ReplySink& reply, const Module& module) {
  reply.BeginMap(4);
  reply.Bulk("name");
  reply.Bulk(module.name());
  reply.Bulk("ver");
  reply.Integer(module.version());
  reply.Bulk("path");
  reply.Bulk(module.path());
  reply.Bulk("args");
  reply.BeginArray(module.args().size());
  for (const std::string& arg : module.args()) reply.Bulk(arg);
}

void ModuleList(CommandContext& ctx) {
  const auto& modules = ctx.owner<ModuleHost>().modules();
  ctx.reply().BeginArray(modules.size());
  for (const auto& module : modules) ReplyModule(ctx.reply(), *module);
}

void ModuleHelp(CommandContext& ctx) {
  ReplyHelp(ctx, {"LIST", "    The modules that are loaded.", "LOAD <path> [<arg> ...]",
                  "    Loads a module and hands it the arguments.",
                  "LOADEX <path> [CONFIG <name> <value> ...] [ARGS <arg> ...]",
                  "    Loads a module with values for its options, and arguments.", "UNLOAD <name>",
                  "    Unloads a module."});
}

constexpr uint64_t kFlags = kCmdAdmin | kCmdNoScript | kCmdNoAsyncLoading;
constexpr uint64_t kChange = kFlags | kCmdProtected;

constexpr CommandSpec kCommands[] = {
    {.name = "module",
     .handler = nullptr,
     .arity = -2,
     .flags = 0,
     .acl = kAclSlow,
     .summary = "A container for commands about modules.",
     .since = "4.0.0",
     .group = "server",
     .complexity = "Depends on subcommand."},
    {.name = "module|load",
     .handler = ModuleLoad,
     .arity = -3,
     .flags = kChange,
     .summary = "Loads a module.",
     .since = "4.0.0",
     .group = "server",
     .complexity = "O(1)",
     .arguments = "path [arg [arg ...]]"},
    {.name = "module|loadex",
     .handler = ModuleLoadEx,
     .arity = -3,
     .flags = kChange,
     .summary = "Loads a module with values for its options.",
     .since = "7.0.0",
     .group = "server",
     .complexity = "O(1)",
     .arguments = "path [CONFIG name value [CONFIG name value ...]] [ARGS args [args ...]]"},
    {.name = "module|unload",
     .handler = ModuleUnload,
     .arity = 3,
     .flags = kChange,
     .summary = "Unloads a module.",
     .since = "4.0.0",
     .group = "server",
     .complexity = "O(1)",
     .arguments = "name"},
    {.name = "module|list",
     .handler = ModuleList,
     .arity = 2,
     .flags = kFlags,
     .summary = "The modules that are loaded.",
     .since = "4.0.0",
     .group = "server",
     .complexity = "O(N) in modules"},
    {.name = "module|help",
     .handler = ModuleHelp,
     .arity = 2,
     .flags = kCmdLoading | kCmdStale,
     .summary = "Shows the subcommands.",
     .since = "5.0.0",
     .group = "server",
     .complexity = "O(1)"},
};

}  // namespace

void RegisterModuleCommands(CommandRegistry& registry, ModuleHost& host) {
  registry.Add(kCommands, &host);
}

void ModuleReports::ReplyModules(ReplySink& reply) {
  reply.BeginArray(host_->modules().size());
  for (const auto& module : host_->modules()) ReplyModule(reply, *module);
}

std::string ModuleReports::ModuleSections(std::string_view wanted) {
  return host_->ModuleSections(wanted, false);
}

bool ModuleReports::HasSection(std::string_view name) { return host_->HasInfoSection(name); }

void ModuleReports::Append(std::string* out) { *out += host_->ModulesInfo(); }

}  // namespace backplane
