// SPDX-License-Identifier: BSD-3-Clause
// ACL's subcommands that change no user: CAT, DRYRUN, GENPASS, LOG, HELP.
#include "acl/users.h"
#include "base/ascii.h"
#include "base/random.h"
#include "command/context.h"
#include "commands/acl/acl_commands.h"
#include "commands/help.h"
#include "engine/engine.h"

namespace backplane {
namespace {

Users& UsersOf(CommandContext& ctx) { return *ctx.owner<AclServices>().users; }

void WrongSubcommandArity(CommandContext& ctx) {
  ctx.Error("ERR unknown subcommand or wrong number of arguments for '" + std::string(ctx.arg(1)) +
            "'. Try ACL HELP.");
}

void Cat(CommandContext& ctx) {
  if (ctx.argc() > 3) return WrongSubcommandArity(ctx);
  if (ctx.argc() == 2) {
    const auto names = AclCategoryNames(UINT64_MAX);
    ctx.reply().BeginArray(names.size());
    for (std::string_view name : names) ctx.reply().Bulk(name);
    return;
  }
  const uint64_t category = AclCategoryByName(ToLower(ctx.arg(2)));
  if (category == 0) return ctx.Error("ERR Unknown category '" + std::string(ctx.arg(2)) + "'");
  std::vector<std::string_view> names;
  auto consider = [&](const Command& command) {
    if ((command.acl & category) != 0) names.push_back(command.fullname);
  };
  for (const Command* command : ctx.engine().commands().All()) {
    consider(*command);
    for (const auto& [name, sub] : command->subcommands) consider(*sub);
  }
  ctx.reply().BeginArray(names.size());
  for (std::string_view name : names) ctx.reply().Bulk(name);
}

void DryRun(CommandContext& ctx) {
  const auto user = UsersOf(ctx).Find(ctx.arg(2));
  if (user == nullptr) return ctx.Error("ERR User '" + std::string(ctx.arg(2)) + "' not found");
  const auto args = ctx.args().subspan(3);
  const CommandRegistry& commands = ctx.engine().commands();
  const Command* command = commands.Resolve(args);
  if (command == nullptr) return ctx.Error("ERR Command '" + std::string(args[0]) + "' not found");
  if (!command->ArityOk(args.size())) return ctx.Error(errors::WrongArity(command->fullname));
  const AclVerdict verdict = user->Check(commands, *command, args);
  if (verdict.allowed()) return ctx.reply().Ok();
  ctx.reply().Bulk(DenialText(*user, *command, args, verdict, true));
}

void GenPass(CommandContext& ctx) {
  constexpr int64_t kBitsDefault = 256;
  constexpr int64_t kBitsMax = 4096;
  constexpr int64_t kBitsOfDigit = 4;
  if (ctx.argc() > 3) return WrongSubcommandArity(ctx);
  int64_t bits = kBitsDefault;
  if (ctx.argc() == 3) {
    const auto wanted = ctx.IntegerArg(2);
    if (!wanted) return;
    bits = *wanted;
    if (bits <= 0 || bits > kBitsMax) {
      return ctx.Error(
          "ERR ACL GENPASS argument must be the number of bits for the output password, a positive "
          "number up to 4096");
    }
  }
  ctx.reply().Bulk(EntropyHex(static_cast<size_t>((bits + kBitsOfDigit - 1) / kBitsOfDigit)));
}

void ReplyEntry(ReplySink& reply, const AclLog::Entry& entry, int64_t now_ms) {
  constexpr uint64_t kFields = 10;
  constexpr double kMillis = 1000;
  reply.BeginMap(kFields);
  reply.Bulk("count");
  reply.Integer(static_cast<int64_t>(entry.count));
  reply.Bulk("reason");
  reply.Bulk(AclLog::Name(entry.reason));
  reply.Bulk("context");
  reply.Bulk(AclLog::Name(entry.context));
  reply.Bulk("object");
  reply.Bulk(entry.object);
  reply.Bulk("username");
  reply.Bulk(entry.username);
  reply.Bulk("age-seconds");
  reply.Double(static_cast<double>(now_ms - entry.updated_ms) / kMillis);
  reply.Bulk("client-info");
  reply.Bulk(entry.client);
  reply.Bulk("entry-id");
  reply.Integer(static_cast<int64_t>(entry.id));
  reply.Bulk("timestamp-created");
  reply.Integer(entry.created_ms);
  reply.Bulk("timestamp-last-updated");
  reply.Integer(entry.updated_ms);
}

void Log(CommandContext& ctx) {
  AclLog& log = UsersOf(ctx).log();
  if (ctx.argc() > 3) return WrongSubcommandArity(ctx);
  if (ctx.argc() == 3 && ctx.ArgIs(2, "reset")) {
    log.Clear();
    return ctx.reply().Ok();
  }
  constexpr int64_t kShown = 10;
  int64_t count = kShown;
  if (ctx.argc() == 3) {
    const auto wanted = ctx.IntegerArg(2);
    if (!wanted) return;
    count = std::max<int64_t>(*wanted, 0);
  }
  const auto& entries = log.entries();
  size_t left = std::min(entries.size(), static_cast<size_t>(count));
  ctx.reply().BeginArray(left);
  for (auto it = entries.begin(); left > 0; ++it, --left) {
    ReplyEntry(ctx.reply(), *it, ctx.keyspace().now_ms());
  }
}

void Help(CommandContext& ctx) {
  ReplyHelp(ctx, {"CAT [<category>]",
                  "    All categories, or the commands of one.",
                  "DELUSER <username> [<username> ...]",
                  "    Removes users and closes their connections.",
                  "DRYRUN <username> <command> [<arg> ...]",
                  "    Whether the user may run the command; it is not run.",
                  "GENPASS [<bits>]",
                  "    A random password, of 256 bits or as many as are asked for.",
                  "GETUSER <username>",
                  "    What one user may do.",
                  "LIST",
                  "    All users as lines of an ACL file.",
                  "LOAD",
                  "    Reads all users from the ACL file anew.",
                  "LOG [<count> | RESET]",
                  "    The latest refusals and failed logins, or forgets them.",
                  "SAVE",
                  "    Writes all users to the ACL file.",
                  "SETUSER <username> <rule> [<rule> ...]",
                  "    Makes a user, or changes what it may do.",
                  "USERS",
                  "    The names of all users.",
                  "WHOAMI",
                  "    The user of this connection."});
}

constexpr uint64_t kOpen = kCmdNoScript | kCmdLoading | kCmdStale;
constexpr uint64_t kAdmin = kOpen | kCmdAdmin;

constexpr CommandSpec kCommands[] = {
    {.name = "acl|cat",
     .handler = Cat,
     .arity = -2,
     .flags = kOpen,
     .summary = "All categories of commands, or the commands of one.",
     .since = "6.0.0",
     .group = "server",
     .complexity = "O(N) in commands",
     .arguments = "[category]"},
    {.name = "acl|dryrun",
     .handler = DryRun,
     .arity = -4,
     .flags = kAdmin,
     .summary = "Whether a user may run a command, without running it.",
     .since = "7.0.0",
     .group = "server",
     .complexity = "O(1)",
     .arguments = "username command [arg...]"},
    {.name = "acl|genpass",
     .handler = GenPass,
     .arity = -2,
     .flags = kOpen,
     .summary = "A random password.",
     .since = "6.0.0",
     .group = "server",
     .complexity = "O(1)",
     .arguments = "[bits:integer]"},
    {.name = "acl|log",
     .handler = Log,
     .arity = -2,
     .flags = kAdmin,
     .summary = "The latest refusals and failed logins.",
     .since = "6.0.0",
     .group = "server",
     .complexity = "O(N) in entries",
     .arguments = "[operation(count:integer | RESET)]",
     .history = "7.2.0: an id, and the times of creation and of the last update"},
    {.name = "acl|help",
     .handler = Help,
     .arity = 2,
     .flags = kCmdLoading | kCmdStale,
     .summary = "Shows the subcommands.",
     .since = "6.0.0",
     .group = "server",
     .complexity = "O(1)"},
};

}  // namespace

void RegisterAclReportCommands(CommandRegistry& registry, AclServices& services) {
  registry.Add(kCommands, &services);
}

}  // namespace backplane
