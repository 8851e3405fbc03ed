// SPDX-License-Identifier: BSD-3-Clause
// CONFIG GET, SET, REWRITE, RESETSTAT.
#include <algorithm>

#include "base/ascii.h"
#include "base/quoting.h"
#include "command/context.h"
#include "commands/help.h"
#include "commands/server/server_families.h"
#include "commands/server/server_samples.h"
#include "config/options.h"
#include "engine/engine.h"
#include "engine/memory_limit.h"
#include "net/event_loop.h"

namespace backplane {
namespace {

void ConfigGet(CommandContext& ctx) {
  std::vector<std::string> patterns(ctx.args().begin() + 2, ctx.args().end());
  auto pairs = ctx.owner<ServerServices>().options->Get(patterns);
  ctx.reply().BeginMap(pairs.size());
  for (const auto& [name, value] : pairs) {
    ctx.reply().Bulk(name);
    ctx.reply().Bulk(value);
  }
}

bool ProtectedConfigsAllowed(CommandContext& ctx) {
  switch (static_cast<LocalAccess>(ctx.engine().settings().enable_protected_configs)) {
    case LocalAccess::kYes:
      return true;
    case LocalAccess::kLocal:
      return ctx.session().link() == nullptr || ctx.session().link()->is_local();
    case LocalAccess::kNo:
      break;
  }
  return false;
}

// Whether the value must not be shown, even where there is no such option here.
bool IsSecretOption(CommandContext& ctx, std::string_view name) {
  constexpr std::string_view kSecrets[] = {"masteruser", "masterauth", "tls-key-file-pass",
                                           "tls-client-key-file-pass"};
  const Option* option = ctx.owner<ServerServices>().options->Find(name);
  if (option != nullptr) return (option->flags() & kOptionSensitive) != 0;
  return std::any_of(std::begin(kSecrets), std::end(kSecrets),
                     [&](std::string_view secret) { return EqualsIgnoreCase(secret, name); });
}

void ConfigSet(CommandContext& ctx) {
  if (ctx.argc() % 2 != 0) return ctx.Error(errors::kSyntax);
  std::vector<std::pair<std::string, std::string>> pairs;
  for (size_t i = 2; i + 1 < ctx.argc(); i += 2) {
    pairs.emplace_back(ctx.arg(i), ctx.arg(i + 1));
    if (IsSecretOption(ctx, ctx.arg(i))) ctx.Redact(i + 1);
  }
  auto status = ctx.owner<ServerServices>().options->SetAtRuntime(
      pairs, ProtectedConfigsAllowed(ctx), ctx.engine().loading());
  if (!status && status.error().code == ErrorCode::kBusy) return ctx.Error(errors::kLoading);
  if (!status) return ctx.Error("ERR " + status.error().message);
  ctx.reply().Ok();
}

// The users for the configuration file: none when they have a file of their own, or when there is
// only the default user as it is at first.
std::vector<std::vector<std::string>> UserWords(CommandContext& ctx) {
  std::vector<std::vector<std::string>> users;
  const Users* all = ctx.engine().users();
  if (all == nullptr || !ctx.engine().settings().aclfile.empty()) return users;
  const User& only = *all->default_user();
  const bool as_at_first = only.unrestricted() && only.enabled() && only.nopass();
  if (all->all().size() == 1 && as_at_first) return users;
  for (const std::string& line : all->Lines()) {
    if (auto words = SplitArgs(line)) users.push_back(std::move(*words));
  }
  return users;
}

}  // namespace

void RewriteConfig(CommandContext& ctx, RewriteWhat what) {
  auto& services = ctx.owner<ServerServices>();
  if (services.directives->config_file.empty()) {
    return ctx.Error("ERR The server is running without a config file");
  }
  services.directives->users = UserWords(ctx);
  const auto status = RewriteConfigFile(*services.options, *services.directives, what);
  if (!status) {
    ctx.engine().logger().Warning("CONFIG REWRITE failed: " + status.error().message);
    return ctx.Error("ERR Rewriting config file: " + status.error().message);
  }
  ctx.engine().logger().Notice("CONFIG REWRITE executed with success.");
  ctx.reply().Ok();
}

namespace {

void ConfigRewrite(CommandContext& ctx) { RewriteConfig(ctx, RewriteWhat::kChanged); }

void ResetStats(Command& command) {
  command.stats = {};
  for (auto& [name, sub] : command.subcommands) ResetStats(*sub);
}

void ConfigResetStat(CommandContext& ctx) {
  for (Command* command : ctx.engine().commands().All()) ResetStats(*command);
  ctx.engine().stats() = {};
  ctx.keyspace().stats() = {};
  if (Users* users = ctx.engine().users()) users->log().ResetTotals();
  auto& services = ctx.owner<ServerServices>();
  if (services.samples != nullptr) {
    services.samples->ResetCounters(ctx.keyspace().lazy_free().freed_objects());
  }
  if (services.loop != nullptr) services.loop->ResetTurnStats();
  if (MemoryLimit* limit = ctx.engine().memory_limit()) limit->ResetStats();
  ctx.reply().Ok();
}

void ConfigHelp(CommandContext& ctx) {
  ReplyHelp(ctx,
            {"GET <pattern> [<pattern> ...]", "    Options whose names match, with their values.",
             "SET <option> <value> [<option> <value> ...]", "    Changes options, all or none.",
             "RESETSTAT", "    Puts the counters that INFO shows back to zero.", "REWRITE",
             "    Writes the options in force to the configuration file."});
}

constexpr uint64_t kFlags = kCmdAdmin | kCmdNoScript | kCmdLoading | kCmdStale;

constexpr CommandSpec kCommands[] = {
    {.name = "config",
     .handler = nullptr,
     .arity = -2,
     .flags = 0,
     .acl = kAclSlow,
     .summary = "A container for commands about the configuration.",
     .since = "2.0.0",
     .group = "server",
     .complexity = "That of the subcommand"},
    {.name = "config|get",
     .handler = ConfigGet,
     .arity = -3,
     .flags = kFlags,
     .summary = "Options whose names match, with their values.",
     .since = "2.0.0",
     .group = "server",
     .complexity = "O(N) in options",
     .arguments = "parameter...",
     .history = "7.0.0: several patterns"},
    {.name = "config|set",
     .handler = ConfigSet,
     .arity = -4,
     .flags = kFlags,
     .summary = "Changes options, all or none.",
     .since = "2.0.0",
     .group = "server",
     .complexity = "O(N) in options",
     .arguments = "data(parameter value)...",
     .history = "7.0.0: several options",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
    {.name = "config|rewrite",
     .handler = ConfigRewrite,
     .arity = 2,
     .flags = kFlags,
     .summary = "Writes the options in force to the configuration file.",
     .since = "2.8.0",
     .group = "server",
     .complexity = "O(1)",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
    {.name = "config|resetstat",
     .handler = ConfigResetStat,
     .arity = 2,
     .flags = kFlags,
     .summary = "Puts counters back to zero.",
     .since = "2.0.0",
     .group = "server",
     .complexity = "O(1)",
     .tips = "request_policy:all_nodes response_policy:all_succeeded"},
    {.name = "config|help",
     .handler = ConfigHelp,
     .arity = 2,
     .flags = kCmdLoading | kCmdStale,
     .summary = "Shows the subcommands.",
     .since = "5.0.0",
     .group = "server",
     .complexity = "O(1)"},
};

}  // namespace

void RegisterConfigCommand(CommandRegistry& registry, ServerServices& services) {
  registry.Add(kCommands, &services);
}

}  // namespace backplane
