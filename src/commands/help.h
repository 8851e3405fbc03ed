// SPDX-License-Identifier: BSD-3-Clause
// The HELP subcommand of containers.
#pragma once

#include <initializer_list>
#include <string_view>

#include "command/context.h"

namespace backplane {

// Replies with the lines under the usual heading. Odd lines are syntax, even ones (indented) say
// what it does; the HELP entry is added.
void ReplyHelp(CommandContext& ctx, std::initializer_list<std::string_view> lines);

}  // namespace backplane
