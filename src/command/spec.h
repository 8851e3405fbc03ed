// SPDX-License-Identifier: BSD-3-Clause
// CommandSpec: one row of a family's table, at the foot of the file with its handlers. All data;
// RegisterX functions hand the rows to the registry, which checks them at start and points to them
// as long as it lives. Nothing here is mutable.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "command/flags.h"

namespace backplane {

class CommandContext;
class Command;

using CommandHandler = void (*)(CommandContext& ctx);
using KeyFlagsOfCall = uint32_t (*)(std::span<const std::string_view> args);

// Positions of keys in argv, as COMMAND's first, last and step: last < 0 counts from the end. first
// == 0: no keys.
struct KeyRange {
  int first = 0;
  int last = 0;
  int step = 0;
};

// One specification of keys, as COMMAND INFO shows them: where keys begin, which arguments from
// there on are keys, and what is done to them.
struct KeySpec {
  uint32_t flags = 0;  // KeyFlag bits
  // Keys begin at this argument; with a keyword, behind the first such word from here on (negative:
  // from there on backwards, counted from the end).
  int begin = 0;
  std::string_view keyword = {};
  // Counted: the argument count_at behind the start says how many keys there are, the first of them
  // is `first` behind the start. Otherwise keys go on to `last` behind the start (negative: from
  // the end of the arguments), or, with last -1 and a limit, through 1/limit of what is left.
  bool counted = false;
  int count_at = 0;
  int first = 0;
  int step = 1;
  int last = 0;
  int limit = 0;
  // No rule says which arguments they are: shown only.
  bool unknown = false;
  std::string_view notes = {};
};

// Which arguments are channels: `first` and those behind it, all of them when count is -1.
struct ChannelSpec {
  uint32_t flags = 0;  // ChannelFlag bits
  int first = 0;       // 0: none
  int count = 0;
};

// Commands whose keys are counted by an argument ("numkeys key [key ...]"), or begin after a word.
struct KeyNumSpec {
  int numkeys_index = 0;      // argv position of the count; 0: none
  int destination = 0;        // argv position of a destination key in front of it; 0: none
  bool store_option = false;  // "STORE key" after the fixed part (SORT): the last one counts
  // The keys are the first half of what follows this word, looked for from argv[keyword_from] on
  // (XREAD's STREAMS).
  std::string_view keyword = {};
  int keyword_from = 0;
};

struct CommandSpec {
  std::string_view name;   // lower case; "config|get" for a subcommand
  CommandHandler handler;  // nullptr for a pure container
  int arity;               // including the name; negative: at least
  uint64_t flags;
  KeyRange keys = {};
  uint64_t acl = 0;  // categories besides those that follow from the flags
  uint32_t key_flags =
      0;  // for COMMAND INFO and ACL; 0 derives RO|ACCESS or RW|UPDATE from the flags
  // Documentation for COMMAND DOCS (command/docs.h): one sentence, the first version that has it,
  // the family, what a call costs.
  std::string_view summary = {};
  std::string_view since = {};
  std::string_view group = {};
  std::string_view complexity = {};
  KeyNumSpec keynum = {};
  // For commands that do different things to their keys: these then, and keys and keynum only say
  // what COMMAND's first, last and step are.
  std::span<const KeySpec> key_specs = {};
  // How the keys of one call are used, where that depends on its arguments; kKeyVariableFlags.
  KeyFlagsOfCall key_flags_of_call = nullptr;
  ChannelSpec channels = {};
  // What follows the name, in the grammar of command/docs.h: "key value [condition(NX | XX)]".
  std::string_view arguments = {};
  // Changes of arguments and replies: "2.4.0: several members; 6.2.0: GT and LT".
  std::string_view history = {};
  // Since when there is something better, and what: "6.2.0: `LMOVE`".
  std::string_view deprecated = {};
  bool system = false;  // not meant for users
  // Why the first key specification says what it says; for rows without key_specs.
  std::string_view key_notes = {};
  // COMMAND INFO's tips for clients and proxies, separated by blanks.
  std::string_view tips = {};
};

}  // namespace backplane
