// SPDX-License-Identifier: BSD-3-Clause
// The HELP subcommand of containers.
#include "commands/help.h"

#include "base/ascii.h"

namespace backplane {

void ReplyHelp(CommandContext& ctx, std::initializer_list<std::string_view> lines) {
  const Command& command = ctx.command();
  std::string_view container = command.parent != nullptr ? command.parent->name : command.name;
  ctx.reply().BeginArray(lines.size() + 3);
  ctx.reply().SimpleString(ToUpper(container) +
                           " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:");
  for (std::string_view line : lines) ctx.reply().SimpleString(line);
  ctx.reply().SimpleString("HELP");
  ctx.reply().SimpleString("    Shows this text.");
}

}  // namespace backplane
