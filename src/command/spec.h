// SPDX-License-Identifier: BSD-3-Clause
// CommandSpec: one row of a family's table, at the foot of the file with its handlers. All data;
// RegisterX functions hand the rows to the registry, which checks them at start. Nothing here is
// mutable.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "command/flags.h"

namespace backplane {

class CommandContext;
class Command;

using CommandHandler = void (*)(CommandContext& ctx);

// Positions of keys in argv, as COMMAND's first, last and step: last < 0 counts from the end. first
// == 0: no keys.
struct KeyRange {
  int first = 0;
  int last = 0;
  int step = 0;
};

// Commands whose keys are counted by an argument ("numkeys key [key ...]"), or begin after a word.
struct KeyNumSpec {
  int numkeys_index = 0;      // argv position of the count; 0: none
  int destination = 0;        // argv position of a destination key in front of it; 0: none
  bool store_option = false;  // "STORE key" after the fixed part (SORT): the last one counts
  // "STORE key" and "STOREDIST key" after the fixed part (GEORADIUS): the first of each counts.
  bool store_dist_option = false;
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
  std::string_view summary = {};
  std::string_view since = {};
  std::string_view group = {};
  std::string_view complexity = {};
  KeyNumSpec keynum = {};
  std::string_view arguments =
      {};  // syntax after the name, as `redis-cli` hints show it: "key value [NX|XX]"
  // COMMAND INFO's tips for clients and proxies, separated by blanks.
  std::string_view tips = {};
};

}  // namespace backplane
