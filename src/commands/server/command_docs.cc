// SPDX-License-Identifier: BSD-3-Clause
// COMMAND DOCS: documentation as maps. Fields that have nothing to say are left out; their order is
// the one that clients see from Redis.
#include "commands/server/command_docs.h"

#include <string_view>
#include <utility>
#include <vector>

#include "command/registry.h"
#include "resp/reply_sink.h"

namespace backplane {
namespace {

using Field = std::pair<std::string_view, std::string_view>;

size_t CountFilled(std::initializer_list<Field> fields) {
  size_t count = 0;
  for (const auto& [name, value] : fields) count += value.empty() ? 0 : 1;
  return count;
}

void ReplyFilled(ReplySink& reply, std::initializer_list<Field> fields) {
  for (const auto& [name, value] : fields) {
    if (value.empty()) continue;
    reply.Bulk(name);
    reply.Bulk(value);
  }
}

void ReplyFlags(ReplySink& reply, std::string_view name,
                const std::vector<std::string_view>& flags) {
  if (flags.empty()) return;
  reply.Bulk(name);
  reply.BeginSet(flags.size());
  for (std::string_view flag : flags) reply.SimpleString(flag);
}

void ReplyArguments(ReplySink& reply, const std::vector<ArgumentDoc>& arguments);

void ReplyArgument(ReplySink& reply, const ArgumentDoc& argument) {
  // A token that is one has text even when it is empty.
  const bool token = argument.type == ArgumentType::kPureToken || !argument.token.empty();
  std::vector<std::string_view> flags;
  if (argument.optional) flags.push_back("optional");
  if (argument.multiple) flags.push_back("multiple");
  if (argument.multiple_token) flags.push_back("multiple_token");
  const std::initializer_list<Field> names = {{"name", argument.name},
                                              {"type", ArgumentTypeName(argument.type)},
                                              {"display_text", argument.display_text}};
  const std::initializer_list<Field> texts = {{"summary", argument.summary},
                                              {"since", argument.since},
                                              {"deprecated_since", argument.deprecated_since}};
  reply.BeginMap(CountFilled(names) + (argument.key_spec_index < 0 ? 0 : 1) + (token ? 1 : 0) +
                 CountFilled(texts) + (flags.empty() ? 0 : 1) + (argument.parts.empty() ? 0 : 1));
  ReplyFilled(reply, names);
  if (argument.key_spec_index >= 0) {
    reply.Bulk("key_spec_index");
    reply.Integer(argument.key_spec_index);
  }
  if (token) {
    reply.Bulk("token");
    reply.Bulk(argument.token);
  }
  ReplyFilled(reply, texts);
  ReplyFlags(reply, "flags", flags);
  if (!argument.parts.empty()) ReplyArguments(reply, argument.parts);
}

void ReplyArguments(ReplySink& reply, const std::vector<ArgumentDoc>& arguments) {
  reply.Bulk("arguments");
  reply.BeginArray(arguments.size());
  for (const ArgumentDoc& argument : arguments) ReplyArgument(reply, argument);
}

void ReplyHistory(ReplySink& reply, const std::vector<HistoryEntry>& history) {
  reply.Bulk("history");
  reply.BeginSet(history.size());
  for (const HistoryEntry& entry : history) {
    reply.BeginArray(2);
    reply.Bulk(entry.since);
    reply.Bulk(entry.change);
  }
}

}  // namespace

void ReplyCommandDocs(ReplySink& reply, const Command& command) {
  const CommandDocs docs = DocsOf(command);
  std::vector<std::string_view> flags;
  if (!docs.deprecated_since.empty()) flags.push_back("deprecated");
  if (docs.system) flags.push_back("syscmd");
  const std::initializer_list<Field> head = {{"summary", docs.summary},
                                             {"since", docs.since},
                                             {"group", docs.group},
                                             {"complexity", docs.complexity},
                                             {"module", command.module_name}};
  const std::initializer_list<Field> deprecation = {{"deprecated_since", docs.deprecated_since},
                                                    {"replaced_by", docs.replaced_by}};
  reply.Bulk(command.fullname);
  reply.BeginMap(CountFilled(head) + (flags.empty() ? 0 : 1) + CountFilled(deprecation) +
                 (docs.history.empty() ? 0 : 1) + (docs.arguments.empty() ? 0 : 1) +
                 (command.subcommands.empty() ? 0 : 1));
  ReplyFilled(reply, head);
  ReplyFlags(reply, "doc_flags", flags);
  ReplyFilled(reply, deprecation);
  if (!docs.history.empty()) ReplyHistory(reply, docs.history);
  if (!docs.arguments.empty()) ReplyArguments(reply, docs.arguments);
  if (command.subcommands.empty()) return;
  reply.Bulk("subcommands");
  reply.BeginMap(command.subcommands.size());
  for (const auto& [name, sub] : command.subcommands) ReplyCommandDocs(reply, *sub);
}

}  // namespace backplane
