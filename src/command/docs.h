// SPDX-License-Identifier: BSD-3-Clause
// What COMMAND DOCS tells of a command, and the line of syntax that the row of a built-in command
// gives its arguments in. The text is read when somebody asks; a command only points to its row. A
// module's command owns its documentation. Engine thread. The grammar, blanks between any two
// things left out:
//
//   arguments := item*
//   item      := '[' one ']' ['...'] | one          '[' ']': optional; '...' behind it: repeated
//                                                   together with its token
//   one       := [TOKEN] argument ['...'] | [name '='] TOKEN attribute*
//   argument  := name attribute* ['(' parts ')']
//   parts     := item item*                         one behind the other (block)
//              | one ('|' one)+                     one of them (oneof)
//   attribute := ':' type | "'" display text "'" | '#' key specification | '@' since | '!' until
//
// A word without small letters is a token ("EX", "=", "*"; "\"\"" is the empty one), other words
// are names. A token that no argument follows is an argument by itself, named as the token in small
// letters if no name is given. The type of a name is what ':' says; without it a name that is a
// type's ("key", "pattern") has that type, others are strings. Key arguments without '#' are
// numbered 0, 1, 2 as they come. SET's:
//
//   key value [condition@2.6.12(NX | XX)] [GET@6.2.0] [expiration(EX seconds:integer@2.6.12 | ...)]
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace backplane {

class Command;

enum class ArgumentType : uint8_t {
  kString,
  kInteger,
  kDouble,
  kKey,
  kPattern,
  kUnixTime,
  kPureToken,
  kOneOf,
  kBlock,
};

// "string", "pure-token".
std::string_view ArgumentTypeName(ArgumentType type);

struct ArgumentDoc {
  std::string name;
  ArgumentType type = ArgumentType::kString;
  std::string display_text;  // empty for oneof and block
  std::string token;
  std::string summary;
  std::string since;             // empty: as long as the command
  std::string deprecated_since;  // empty: is not
  int key_spec_index = -1;       // -1: none
  bool optional = false;
  bool multiple = false;
  bool multiple_token = false;  // the token is repeated too
  std::vector<ArgumentDoc> parts;
};

// What changed, and with which version.
struct HistoryEntry {
  std::string since;
  std::string change;
};

struct CommandDocs {
  std::string summary, since, group, complexity;  // those that are empty are not shown
  bool system = false;                            // the flag "syscmd": users have no use for it
  std::string deprecated_since;                   // not empty: the flag "deprecated"
  std::string replaced_by;
  std::vector<HistoryEntry> history;
  std::vector<ArgumentDoc> arguments;
};

// Reads a line of syntax. Errors say what is wrong, and where.
Result<std::vector<ArgumentDoc>> ParseArguments(std::string_view text);

// "2.4.0: several members; 6.2.0: GT and LT" as entries. Errors as above.
Result<std::vector<HistoryEntry>> ParseHistory(std::string_view text);

// Of a built-in or a module's command. REQUIRES: its row's texts can be read.
CommandDocs DocsOf(const Command& command);

}  // namespace backplane
