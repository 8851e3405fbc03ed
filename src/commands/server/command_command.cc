// SPDX-License-Identifier: BSD-3-Clause
// COMMAND and its subcommands.
#include <algorithm>

#include "base/ascii.h"
#include "base/glob.h"
#include "command/context.h"
#include "commands/help.h"
#include "commands/server/command_docs.h"
#include "commands/server/server_families.h"
#include "engine/engine.h"

namespace backplane {
namespace {

using Fields = std::initializer_list<std::pair<std::string_view, int>>;

// "type" and "spec" of one half of a key specification.
void ReplyHalf(ReplySink& reply, std::string_view half, std::string_view type,
               std::string_view keyword, Fields numbers) {
  reply.Bulk(half);
  reply.BeginMap(2);
  reply.Bulk("type");
  reply.Bulk(type);
  reply.Bulk("spec");
  reply.BeginMap(numbers.size() + (keyword.empty() ? 0 : 1));
  if (!keyword.empty()) {
    reply.Bulk("keyword");
    reply.Bulk(keyword);
  }
  for (const auto& [name, value] : numbers) {
    reply.Bulk(name);
    reply.Integer(value);
  }
}

void ReplyKeySpec(ReplySink& reply, const KeySpec& spec) {
  auto flags = KeyFlagNames(spec.flags);
  reply.BeginMap(spec.notes.empty() ? 3 : 4);
  if (!spec.notes.empty()) {
    reply.Bulk("notes");
    reply.Bulk(spec.notes);
  }
  reply.Bulk("flags");
  reply.BeginSet(flags.size());
  for (auto f : flags) reply.SimpleString(f);
  if (spec.unknown) {
    ReplyHalf(reply, "begin_search", "unknown", {}, {});
    return ReplyHalf(reply, "find_keys", "unknown", {}, {});
  }
  if (spec.keyword.empty()) {
    ReplyHalf(reply, "begin_search", "index", {}, {{"index", spec.begin}});
  } else {
    ReplyHalf(reply, "begin_search", "keyword", ToUpper(spec.keyword), {{"startfrom", spec.begin}});
  }
  if (spec.counted) {
    ReplyHalf(reply, "find_keys", "keynum", {},
              {{"keynumidx", spec.count_at}, {"firstkey", spec.first}, {"keystep", spec.step}});
  } else {
    ReplyHalf(reply, "find_keys", "range", {},
              {{"lastkey", spec.last}, {"keystep", spec.step}, {"limit", spec.limit}});
  }
}

// Which arguments are keys takes more than first, last and step to say.
bool HasMovableKeys(const Command& command) {
  return std::any_of(command.key_specs.begin(), command.key_specs.end(), [](const KeySpec& spec) {
    return spec.counted || !spec.keyword.empty() || spec.unknown;
  });
}

std::vector<std::string_view> TipsOf(const Command& command) {
  std::vector<std::string_view> tips;
  for (std::string_view left = command.tips; !left.empty();) {
    const size_t end = left.find(' ');
    tips.push_back(left.substr(0, end));
    left.remove_prefix(end == std::string_view::npos ? left.size() : end + 1);
  }
  return tips;
}

void ReplyInfo(ReplySink& reply, const Command& command) {
  reply.BeginArray(10);
  reply.Bulk(command.fullname);
  reply.Integer(command.arity);
  auto flags = CommandFlagNames(
      command.flags | (HasMovableKeys(command) ? uint64_t{kCmdMovableKeys} : uint64_t{0}));
  reply.BeginSet(flags.size());
  for (auto f : flags) reply.SimpleString(f);
  reply.Integer(command.keys.first);
  reply.Integer(command.keys.last);
  reply.Integer(command.keys.step);
  auto categories = AclCategoryNames(command.acl);
  reply.BeginSet(categories.size());
  for (auto c : categories) reply.SimpleString("@" + std::string(c));
  const std::vector<std::string_view> tips = TipsOf(command);
  reply.BeginSet(tips.size());
  for (std::string_view tip : tips) reply.Bulk(tip);
  reply.BeginSet(command.key_specs.size());
  for (const KeySpec& spec : command.key_specs) ReplyKeySpec(reply, spec);
  if (command.subcommands.empty()) return reply.BeginSet(0);
  reply.BeginArray(command.subcommands.size());
  for (const auto& [name, sub] : command.subcommands) ReplyInfo(reply, *sub);
}

void CommandAll(CommandContext& ctx) {
  auto all = ctx.engine().commands().All();
  ctx.reply().BeginArray(all.size());
  for (const Command* c : all) ReplyInfo(ctx.reply(), *c);
}

void CommandCount(CommandContext& ctx) {
  ctx.reply().Integer(static_cast<int64_t>(ctx.engine().commands().size()));
}

void CommandInfo(CommandContext& ctx) {
  if (ctx.argc() == 2) return CommandAll(ctx);
  ctx.reply().BeginArray(ctx.argc() - 2);
  for (size_t i = 2; i < ctx.argc(); ++i) {
    const Command* command = ctx.engine().commands().FindFullName(ctx.arg(i));
    if (command == nullptr) {
      ctx.reply().Null();
    } else {
      ReplyInfo(ctx.reply(), *command);
    }
  }
}

void DocsCommand(CommandContext& ctx) {
  std::vector<const Command*> wanted;
  if (ctx.argc() == 2) {
    for (const Command* c : ctx.engine().commands().All()) wanted.push_back(c);
  }
  for (size_t i = 2; i < ctx.argc(); ++i) {
    const Command* command = ctx.engine().commands().FindFullName(ctx.arg(i));
    if (command != nullptr) wanted.push_back(command);
  }
  ctx.reply().BeginMap(wanted.size());
  for (const Command* c : wanted) ReplyCommandDocs(ctx.reply(), *c);
}

// The command that argv[2...] calls, with its key positions; nullopt after an error reply.
std::optional<std::vector<KeyUse>> KeysOfArgs(CommandContext& ctx, const Command** command) {
  auto args = ctx.args().subspan(2);
  *command = ctx.engine().commands().Resolve(args);
  if (*command == nullptr) {
    ctx.Error("ERR Invalid command specified");
    return std::nullopt;
  }
  auto keys = FindKeyUses(**command, args);
  if (!keys) {
    ctx.Error("ERR " + keys.error().message);
    return std::nullopt;
  }
  if (keys->empty() && !(*command)->Is(kCmdNoMandatoryKeys)) {
    ctx.Error("ERR Invalid arguments specified for command");
    return std::nullopt;
  }
  return *keys;
}

void CommandGetKeys(CommandContext& ctx) {
  const Command* command;
  auto keys = KeysOfArgs(ctx, &command);
  if (!keys) return;
  ctx.reply().BeginArray(keys->size());
  for (const KeyUse& key : *keys) ctx.reply().Bulk(ctx.arg(static_cast<size_t>(key.position) + 2));
}

void CommandGetKeysAndFlags(CommandContext& ctx) {
  const Command* command;
  auto keys = KeysOfArgs(ctx, &command);
  if (!keys) return;
  ctx.reply().BeginArray(keys->size());
  for (const KeyUse& key : *keys) {
    const auto flags = KeyFlagNames(key.flags);
    ctx.reply().BeginArray(2);
    ctx.reply().Bulk(ctx.arg(static_cast<size_t>(key.position) + 2));
    ctx.reply().BeginSet(flags.size());
    for (auto f : flags) ctx.reply().SimpleString(f);
  }
}

void CommandList(CommandContext& ctx) {
  enum class Filter { kNone, kModule, kCategory, kPattern } filter = Filter::kNone;
  if (ctx.argc() == 5 && ctx.ArgIs(2, "filterby")) {
    if (ctx.ArgIs(3, "module")) filter = Filter::kModule;
    if (ctx.ArgIs(3, "aclcat")) filter = Filter::kCategory;
    if (ctx.ArgIs(3, "pattern")) filter = Filter::kPattern;
  }
  if (ctx.argc() != 2 && filter == Filter::kNone) return ctx.Error(errors::kSyntax);
  uint64_t category = filter == Filter::kCategory ? AclCategoryByName(ToLower(ctx.arg(4))) : 0;
  std::vector<std::string_view> names;
  auto consider = [&](const Command& c) {
    bool shown = filter == Filter::kNone ||
                 (filter == Filter::kModule && EqualsIgnoreCase(c.module_name, ctx.arg(4))) ||
                 (filter == Filter::kCategory && (c.acl & category) != 0) ||
                 (filter == Filter::kPattern && GlobMatch(ctx.arg(4), c.fullname, true));
    if (shown) names.push_back(c.fullname);
  };
  for (const Command* c : ctx.engine().commands().All()) {
    consider(*c);
    for (const auto& [name, sub] : c->subcommands) consider(*sub);
  }
  ctx.reply().BeginArray(names.size());
  for (auto name : names) ctx.reply().Bulk(name);
}

void CommandHelp(CommandContext& ctx) {
  ReplyHelp(ctx,
            {"(no subcommand)", "    Details about all commands.", "COUNT",
             "    The number of commands.", "DOCS [<command-name> ...]", "    What commands do.",
             "GETKEYS <full-command>", "    The keys among the arguments of a call.",
             "GETKEYSANDFLAGS <full-command>", "    The same, with how each is used.",
             "INFO [<command-name> ...]", "    Details about some commands.",
             "LIST [FILTERBY (MODULE <name> | ACLCAT <cat> | PATTERN <pattern>)]",
             "    Names of commands."});
}

constexpr uint64_t kFlags = kCmdLoading | kCmdStale;

constexpr CommandSpec kCommands[] = {
    {.name = "command",
     .handler = CommandAll,
     .arity = -1,
     .flags = kFlags,
     .acl = kAclConnection,
     .summary = "Details about all commands.",
     .since = "2.8.13",
     .group = "server",
     .complexity = "O(N) in commands",
     .tips = "nondeterministic_output_order"},
    {.name = "command|count",
     .handler = CommandCount,
     .arity = 2,
     .flags = kFlags,
     .acl = kAclConnection,
     .summary = "The number of commands.",
     .since = "2.8.13",
     .group = "server",
     .complexity = "O(1)"},
    {.name = "command|info",
     .handler = CommandInfo,
     .arity = -2,
     .flags = kFlags,
     .acl = kAclConnection,
     .summary = "Details about some commands, or all.",
     .since = "2.8.13",
     .group = "server",
     .complexity = "O(N) in names",
     .arguments = "[command-name...]",
     .history = "7.0.0: without names it tells of all commands",
     .tips = "nondeterministic_output_order"},
    {.name = "command|docs",
     .handler = DocsCommand,
     .arity = -2,
     .flags = kFlags,
     .acl = kAclConnection,
     .summary = "What commands do.",
     .since = "7.0.0",
     .group = "server",
     .complexity = "O(N) in names",
     .arguments = "[command-name...]",
     .tips = "nondeterministic_output_order"},
    {.name = "command|getkeys",
     .handler = CommandGetKeys,
     .arity = -3,
     .flags = kFlags,
     .acl = kAclConnection,
     .summary = "The keys among the arguments of a call.",
     .since = "2.8.13",
     .group = "server",
     .complexity = "O(N) in arguments",
     .arguments = "command [arg...]"},
    {.name = "command|getkeysandflags",
     .handler = CommandGetKeysAndFlags,
     .arity = -3,
     .flags = kFlags,
     .acl = kAclConnection,
     .summary = "The keys among the arguments of a call, with how each is used.",
     .since = "7.0.0",
     .group = "server",
     .complexity = "O(N) in arguments",
     .arguments = "command [arg...]"},
    {.name = "command|list",
     .handler = CommandList,
     .arity = -2,
     .flags = kFlags,
     .acl = kAclConnection,
     .summary = "Names of commands.",
     .since = "7.0.0",
     .group = "server",
     .complexity = "O(N) in commands",
     .arguments = "[FILTERBY filterby(MODULE module-name | ACLCAT category | PATTERN pattern)]",
     .tips = "nondeterministic_output_order"},
    {.name = "command|help",
     .handler = CommandHelp,
     .arity = 2,
     .flags = kFlags,
     .acl = kAclConnection,
     .summary = "Shows the subcommands.",
     .since = "5.0.0",
     .group = "server",
     .complexity = "O(1)"},
};

}  // namespace

void RegisterCommandCommand(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
