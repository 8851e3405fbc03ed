// SPDX-License-Identifier: BSD-3-Clause
// SCAN, and what all commands of its kind share.
#include "base/ascii.h"
#include "base/glob.h"
#include "base/numbers.h"
#include "command/context.h"
#include "commands/collection.h"
#include "commands/key/key_commands.h"

namespace backplane {

bool ScanOptions::Matches(std::string_view element) const {
  return !has_pattern || pattern == "*" || GlobMatch(pattern, element);
}

std::optional<ScanOptions> ParseScan(CommandContext& ctx, size_t cursor_arg, bool allow_type) {
  ScanOptions options;
  const std::optional<uint64_t> cursor = CursorArg(ctx, cursor_arg);
  if (!cursor) return std::nullopt;
  options.cursor = *cursor;
  for (size_t i = cursor_arg + 1; i < ctx.argc(); i += 2) {
    bool has_value = i + 1 < ctx.argc();
    if (has_value && ctx.ArgIs(i, "count")) {
      auto count = ctx.IntegerArg(i + 1);
      if (!count) return std::nullopt;
      if (*count < 1) {
        ctx.Error(errors::kSyntax);
        return std::nullopt;
      }
      options.count = *count;
    } else if (has_value && ctx.ArgIs(i, "match")) {
      options.pattern = ctx.arg(i + 1);
      options.has_pattern = true;
    } else if (has_value && allow_type && ctx.ArgIs(i, "type")) {
      options.type = ctx.arg(i + 1);
    } else {
      ctx.Error(errors::kSyntax);
      return std::nullopt;
    }
  }
  return options;
}

void ReplyScan(CommandContext& ctx, uint64_t cursor, const std::vector<std::string>& elements) {
  char text[kNumberTextMax];
  ctx.reply().BeginArray(2);
  ctx.reply().Bulk(std::string_view(text, Uint64ToText(cursor, text)));
  ctx.reply().BeginArray(elements.size());
  for (const std::string& element : elements) ctx.reply().Bulk(element);
}

namespace {

void Scan(CommandContext& ctx) {
  auto options = ParseScan(ctx, 1, true);
  if (!options) return;
  std::vector<std::string> keys;
  std::vector<std::string> expired;
  uint64_t cursor = options->cursor;
  // A step that finds little is followed by others, up to ten times the count of buckets, so that
  // sparse tables make progress.
  int64_t steps = options->count <= INT64_MAX / 10 ? options->count * 10 : INT64_MAX;
  int64_t seen = 0;
  do {
    cursor = ctx.db().Scan(cursor, [&](Entry* entry) {
      ++seen;
      if (!options->Matches(entry->key())) return;
      if (ctx.db().IsExpired(*entry)) {
        expired.emplace_back(entry->key());
      } else if (options->type.empty() || EqualsIgnoreCase(entry->type_name(), options->type)) {
        keys.emplace_back(entry->key());
      }
    });
  } while (cursor != 0 && seen < options->count && --steps > 0);
  for (const std::string& key : expired) ctx.db().Peek(key);
  ReplyScan(ctx, cursor, keys);
}

constexpr CommandSpec kCommands[] = {
    {.name = "scan",
     .handler = Scan,
     .arity = -2,
     .flags = kCmdReadonly,
     .acl = kAclKeyspace,
     .summary = "Iterates over the keys of the database.",
     .since = "2.8.0",
     .group = "generic",
     .complexity = "O(1) for each call",
     .arguments = "cursor:integer [MATCH pattern] [COUNT count:integer] [TYPE type@6.0.0]",
     .history = "6.0.0: `TYPE`",
     .tips = "nondeterministic_output request_policy:special response_policy:special"},
};

}  // namespace

void RegisterKeyScan(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
