// SPDX-License-Identifier: BSD-3-Clause
// ModuleCommand: registration and dispatch.
#include "modhost/module_command.h"

#include "base/ascii.h"
#include "modhost/context.h"
#include "modhost/host.h"
#include "modhost/module_code.h"

namespace backplane {
namespace {

struct FlagName {
  std::string_view name;
  uint64_t flag;
};

constexpr FlagName kFlags[] = {
    {"write", kCmdWrite},
    {"readonly", kCmdReadonly},
    {"admin", kCmdAdmin},
    {"deny-oom", kCmdDenyOom},
    {"deny-script", kCmdNoScript},
    {"allow-loading", kCmdLoading},
    {"pubsub", kCmdPubsub},
    {"random", 0},
    {"allow-stale", kCmdStale},
    {"no-monitor", kCmdSkipMonitor},
    {"no-slowlog", kCmdSkipSlowlog},
    {"fast", kCmdFast},
    {"no-auth", kCmdNoAuth},
    {"may-replicate", kCmdMayReplicate},
    {"getkeys-api", kCmdModuleGetKeys},
    {"getchannels-api", kCmdModuleGetChannels},
    {"no-cluster", kCmdModuleNoCluster},
    {"no-mandatory-keys", kCmdNoMandatoryKeys},
    {"blocking", kCmdBlocking},
    {"allow-busy", kCmdAllowBusy},
    {"internal", 0},
};

}  // namespace

bool ParseModuleCommandFlags(std::string_view text, uint64_t* flags) {
  *flags = kCmdModule;
  while (!text.empty()) {
    const size_t space = text.find(' ');
    std::string_view word = text.substr(0, space);
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
    if (word.empty()) continue;
    bool known = false;
    for (const FlagName& row : kFlags) {
      if (!EqualsIgnoreCase(row.name, word)) continue;
      *flags |= row.flag;
      known = true;
    }
    if (!known) return false;
  }
  return true;
}

ModuleCommand::~ModuleCommand() {
  // Subcommands go with their parent, which was registered before them and is destroyed after.
  if (command_ == nullptr || command_->parent != nullptr) return;
  module()->host().engine().commands().Remove(command_);
}

bool ModuleCommand::Register(ModuleCommand* parent, std::unique_ptr<Command> command) {
  command->owner = this;
  command->handler = function_ == nullptr ? nullptr : &ModuleCommand::Run;
  CommandRegistry& registry = module()->host().engine().commands();
  auto added = parent == nullptr ? registry.Add(std::move(command))
                                 : registry.AddSubcommand(parent->command_, std::move(command));
  if (!added) return false;
  command_ = *added;
  return true;
}

ModuleCommand* ModuleCommand::Of(const Command& command) {
  return command.module_name.empty() ? nullptr : static_cast<ModuleCommand*>(command.owner);
}

void ModuleCommand::Run(CommandContext& ctx) {
  auto& self = ctx.owner<ModuleCommand>();
  ModuleHost& host = self.module()->host();
  if (self.module()->draining() && host.held_commands().Hold(ctx)) [[unlikely]]
    return;
  RedisModuleCtx module_ctx(self.module(), &ctx.session(), &ctx.reply());
  module_ctx.command = &ctx;
  module_ctx.client_id = ctx.session().id();
  if (ctx.session().kind() == Session::Kind::kScript) [[unlikely]] {
    // What a script calls, its client does.
    if (const Session* executing = host.engine().executing()) {
      module_ctx.client_id = executing->id();
    }
  }
  ArgumentStrings args(host.strings(), ctx.args());
  const uint64_t begin = Ticks();
  const ModuleCode mark(*self.module(), "command");
  self.function_(&module_ctx, args.data(), args.size());
  ModuleUsage& usage = self.module()->usage();
  ++usage.calls;
  // Within other code of the module the time counts there.
  if (mark.outer() == nullptr || &mark.outer()->module() != self.module()) {
    usage.ticks += Ticks() - begin;
  }
}

namespace {

// Runs the command's function with the request to report positions.
void Ask(const Command& command, std::span<const std::string_view> args, uint32_t request,
         const char* purpose, std::vector<KeyUse>* out) {
  auto& self = *static_cast<ModuleCommand*>(command.owner);
  ModuleHost& host = self.module()->host();
  std::vector<ReportedPosition> reported;
  ModuleHost::InternalSession session(host, 0);
  ArgumentStrings strings(host.strings(), args);
  RedisModuleCtx ctx(self.module(), session.get(), &host.null_sink());
  ctx.flags |= request;
  ctx.positions = &reported;
  ModuleCallback mark(*self.module(), purpose);
  self.function()(&ctx, strings.data(), strings.size());
  for (const ReportedPosition& p : reported) {
    if (p.position > 0 && static_cast<size_t>(p.position) < args.size()) {
      out->push_back({p.position, static_cast<uint32_t>(p.flags)});
    }
  }
}

}  // namespace

void ModuleCommand::FindKeys(const Command& command, std::span<const std::string_view> args,
                             std::vector<KeyUse>* keys) {
  Ask(command, args, kCtxKeysRequest, "getkeys", keys);
}

void ModuleCommand::FindChannels(const Command& command, std::span<const std::string_view> args,
                                 std::vector<KeyUse>* channels) {
  Ask(command, args, kCtxChannelsRequest, "getchannels", channels);
}

}  // namespace backplane
