// SPDX-License-Identifier: BSD-3-Clause
// API area: descriptions of commands. What a description says about arity and keys is in force;
// its documentation becomes that of COMMAND DOCS.
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/ascii.h"
#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/host.h"
#include "modhost/module_command.h"

namespace backplane {
namespace {

// The entry of a list whose entries have the size that the module was compiled with.
template <class T>
const T* EntryAt(const T* list, size_t entry_size, size_t index) {
  return reinterpret_cast<const T*>(reinterpret_cast<const char*>(list) + index * entry_size);
}

// What a module wrote into an enumeration, which may be no value of it.
template <class Enum>
int NumberIn(const Enum& value) {
  static_assert(sizeof(Enum) == sizeof(int));
  int number;
  std::memcpy(&number, &value, sizeof(number));
  return number;
}

constexpr int kDepthMax = 8;

std::string Text(const char* from) { return from == nullptr ? std::string() : std::string(from); }

// Modules that were compiled before there was a display text have none.
const char* DisplayText(const RedisModuleCommandArg& arg, size_t entry_size) {
  const bool has = entry_size >= offsetof(RedisModuleCommandArg, display_text) + sizeof(char*);
  return has && arg.display_text != nullptr ? arg.display_text : arg.name;
}

// Null when all is well.
const char* WhatIsWrong(const RedisModuleCommandKeySpec& spec) {
  switch (NumberIn(spec.begin_search_type)) {
    case REDISMODULE_KSPEC_BS_UNKNOWN:
      break;
    case REDISMODULE_KSPEC_BS_INDEX:
      if (spec.bs.index.pos < 1) return "a key specification begins before the first argument";
      break;
    case REDISMODULE_KSPEC_BS_KEYWORD:
      if (spec.bs.keyword.keyword == nullptr || spec.bs.keyword.startfrom == 0) {
        return "a key specification has no keyword, or no place to look for it";
      }
      break;
    default:
      return "a key specification begins in a way that does not exist";
  }
  switch (NumberIn(spec.find_keys_type)) {
    case REDISMODULE_KSPEC_FK_OMITTED:
    case REDISMODULE_KSPEC_FK_UNKNOWN:
      return nullptr;
    case REDISMODULE_KSPEC_FK_RANGE:
      return spec.fk.range.keystep < 0 ? "a key specification goes backwards" : nullptr;
    case REDISMODULE_KSPEC_FK_KEYNUM:
      return spec.fk.keynum.keynumidx < 0 || spec.fk.keynum.firstkey < 0 ||
                     spec.fk.keynum.keystep < 0
                 ? "a key specification counts backwards"
                 : nullptr;
  }
  return "a key specification finds keys in a way that does not exist";
}

// Null when all is well.
const char* WhatIsWrong(const RedisModuleCommandArg* list, size_t entry_size, int depth) {
  if (depth > kDepthMax) return "arguments are nested too deeply";
  for (size_t i = 0; list != nullptr; ++i) {
    const RedisModuleCommandArg& arg = *EntryAt(list, entry_size, i);
    if (arg.name == nullptr) return nullptr;
    const int type = NumberIn(arg.type);
    if (type < REDISMODULE_ARG_TYPE_STRING || type > REDISMODULE_ARG_TYPE_BLOCK) {
      return "an argument of a type that does not exist";
    }
    const bool nests = type == REDISMODULE_ARG_TYPE_ONEOF || type == REDISMODULE_ARG_TYPE_BLOCK;
    if (type == REDISMODULE_ARG_TYPE_PURE_TOKEN && arg.token == nullptr) {
      return "an argument that is a token has none";
    }
    // Whether there is a specification of that number is not asked: the command may have its keys
    // from its registration.
    if (type == REDISMODULE_ARG_TYPE_KEY && arg.key_spec_index < 0) {
      return "an argument that is a key names no key specification";
    }
    if (nests != (arg.subargs != nullptr)) return "a group of arguments without arguments";
    if (!nests) continue;
    if (const char* why = WhatIsWrong(arg.subargs, entry_size, depth + 1)) return why;
  }
  return nullptr;
}

KeySpec SpecOf(ModuleCommand& adapter, const RedisModuleCommandKeySpec& spec) {
  KeySpec out;
  out.notes = adapter.Keep(Text(spec.notes));
  out.flags = static_cast<uint32_t>(spec.flags);
  if (spec.begin_search_type == REDISMODULE_KSPEC_BS_KEYWORD) {
    out.keyword = adapter.Keep(spec.bs.keyword.keyword);
    out.begin = spec.bs.keyword.startfrom;
  } else if (spec.begin_search_type == REDISMODULE_KSPEC_BS_INDEX) {
    out.begin = spec.bs.index.pos;
  } else {
    out.unknown = true;
  }
  if (spec.find_keys_type == REDISMODULE_KSPEC_FK_KEYNUM) {
    out.counted = true;
    out.count_at = spec.fk.keynum.keynumidx;
    out.first = spec.fk.keynum.firstkey;
    out.step = spec.fk.keynum.keystep;
  } else if (spec.find_keys_type == REDISMODULE_KSPEC_FK_RANGE) {
    out.last = spec.fk.range.lastkey;
    out.step = spec.fk.range.keystep;
    out.limit = spec.fk.range.limit;
  } else if (spec.find_keys_type == REDISMODULE_KSPEC_FK_UNKNOWN) {
    out.unknown = true;
  }
  if (out.step == 0) out.step = 1;
  return out;
}

ArgumentType TypeOf(RedisModuleCommandArgType type) {
  switch (type) {
    case REDISMODULE_ARG_TYPE_STRING:
      return ArgumentType::kString;
    case REDISMODULE_ARG_TYPE_INTEGER:
      return ArgumentType::kInteger;
    case REDISMODULE_ARG_TYPE_DOUBLE:
      return ArgumentType::kDouble;
    case REDISMODULE_ARG_TYPE_KEY:
      return ArgumentType::kKey;
    case REDISMODULE_ARG_TYPE_PATTERN:
      return ArgumentType::kPattern;
    case REDISMODULE_ARG_TYPE_UNIX_TIME:
      return ArgumentType::kUnixTime;
    case REDISMODULE_ARG_TYPE_PURE_TOKEN:
      return ArgumentType::kPureToken;
    case REDISMODULE_ARG_TYPE_ONEOF:
      return ArgumentType::kOneOf;
    case REDISMODULE_ARG_TYPE_BLOCK:
      return ArgumentType::kBlock;
  }
  return ArgumentType::kString;  // unreachable: WhatIsWrong refuses other numbers
}

std::vector<ArgumentDoc> ArgumentsOf(const RedisModuleCommandArg* list, size_t entry_size) {
  std::vector<ArgumentDoc> arguments;
  for (size_t i = 0; list != nullptr; ++i) {
    const RedisModuleCommandArg& arg = *EntryAt(list, entry_size, i);
    if (arg.name == nullptr) break;
    ArgumentDoc& out = arguments.emplace_back();
    out.name = arg.name;
    out.type = TypeOf(arg.type);
    out.token = Text(arg.token);
    out.summary = Text(arg.summary);
    out.since = Text(arg.since);
    out.deprecated_since = Text(arg.deprecated_since);
    out.optional = (arg.flags & REDISMODULE_CMD_ARG_OPTIONAL) != 0;
    out.multiple_token = (arg.flags & REDISMODULE_CMD_ARG_MULTIPLE_TOKEN) != 0;
    out.multiple = (arg.flags & REDISMODULE_CMD_ARG_MULTIPLE) != 0;
    if (out.type == ArgumentType::kKey) out.key_spec_index = arg.key_spec_index;
    if (arg.subargs != nullptr) {
      out.parts = ArgumentsOf(arg.subargs, entry_size);
    } else {
      out.display_text = DisplayText(arg, entry_size);
    }
  }
  return arguments;
}

std::vector<HistoryEntry> HistoryOf(const RedisModuleCommandHistoryEntry* list, size_t entry_size) {
  std::vector<HistoryEntry> history;
  for (size_t i = 0; list != nullptr; ++i) {
    const RedisModuleCommandHistoryEntry& entry = *EntryAt(list, entry_size, i);
    if (entry.since == nullptr) break;
    history.push_back({entry.since, entry.changes});
  }
  return history;
}

// What COMMAND's first, last and step can say of these specifications: the first range with a fixed
// place, and those behind it that adjoin. All zero when there is none. False when there are keys
// outside of that range.
bool CoverWithOneRange(const std::vector<KeySpec>& specs, KeyRange* range) {
  bool whole = true;
  *range = {};
  for (const KeySpec& spec : specs) {
    if (!spec.keyword.empty() || spec.counted || spec.unknown) {
      whole = false;
      continue;
    }
    const int last = spec.last < 0 ? spec.last : spec.begin + spec.last;
    if (spec.limit > 1) whole = false;
    if (range->first == 0) {
      *range = {spec.begin, last, spec.step};
    } else if (range->last > 0 && range->step == 1 && spec.step == 1 &&
               spec.begin == range->last + 1) {
      range->last = last;
    } else {
      whole = false;
    }
  }
  return whole;
}

void Describe(ModuleCommand& adapter, const RedisModuleCommandInfo& info,
              std::vector<KeySpec> specs) {
  Command& command = adapter.command();
  auto docs = std::make_unique<CommandDocs>();
  docs->summary = Text(info.summary);
  docs->since = Text(info.since);
  docs->group = "module";
  docs->complexity = Text(info.complexity);
  docs->history = HistoryOf(info.history, info.version->sizeof_historyentry);
  docs->arguments = ArgumentsOf(info.args, info.version->sizeof_arg);
  command.docs = std::move(docs);
  command.tips = adapter.Keep(Text(info.tips));
  if (info.arity != 0) command.arity = info.arity;
  if (specs.empty()) return;
  const bool whole = CoverWithOneRange(specs, &command.keys);
  const bool asked = command.key_finder != nullptr;
  if (whole && !asked) {
    command.flags &= ~uint64_t{kCmdMovableKeys};
  } else {
    command.flags |= kCmdMovableKeys;
  }
  command.key_specs = std::move(specs);
}

int Refuse(const ModuleCommand& adapter, int error, const char* why) {
  adapter.module()->host().logger().Warning("Description of the module command '" +
                                            adapter.command().fullname + "' refused: " + why);
  errno = error;
  return REDISMODULE_ERR;
}

int SetCommandInfo(RedisModuleCommand* handle, const RedisModuleCommandInfo* info) {
  if (handle == nullptr || info == nullptr || info->version == nullptr) {
    errno = EINVAL;
    return REDISMODULE_ERR;
  }
  ModuleCommand& adapter = *ModuleCommand::From(handle);
  if (adapter.described) return Refuse(adapter, EEXIST, "there is one already");
  std::vector<KeySpec> specs;
  for (size_t i = 0; info->key_specs != nullptr; ++i) {
    const auto& spec = *EntryAt(info->key_specs, info->version->sizeof_keyspec, i);
    if (NumberIn(spec.begin_search_type) == REDISMODULE_KSPEC_BS_INVALID) break;
    if (const char* why = WhatIsWrong(spec)) return Refuse(adapter, EINVAL, why);
    specs.push_back(SpecOf(adapter, spec));
  }
  for (size_t i = 0; info->history != nullptr; ++i) {
    const auto& entry = *EntryAt(info->history, info->version->sizeof_historyentry, i);
    if (entry.since == nullptr) break;
    if (entry.changes == nullptr) return Refuse(adapter, EINVAL, "history without a change");
  }
  if (const char* why = WhatIsWrong(info->args, info->version->sizeof_arg, 0)) {
    return Refuse(adapter, EINVAL, why);
  }
  adapter.described = true;
  Describe(adapter, *info, std::move(specs));
  return REDISMODULE_OK;
}

}  // namespace

void RegisterCommandInfoApi(ApiTable& table) {
  const ApiRow rows[] = {BACKPLANE_API_ROW(SetCommandInfo)};
  table.Add(rows);
}

}  // namespace backplane
