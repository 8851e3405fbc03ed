// SPDX-License-Identifier: BSD-3-Clause
// APPEND, GETRANGE, SUBSTR, SETRANGE, LCS.
#include <algorithm>
#include <cstring>

#include "base/numbers.h"
#include "command/context.h"
#include "commands/string/string_commands.h"
#include "config/settings.h"
#include "engine/engine.h"

namespace backplane {
namespace {

bool SizeOk(CommandContext& ctx, uint64_t size) {
  if (size <= static_cast<uint64_t>(ctx.engine().settings().proto_max_bulk_len)) return true;
  ctx.Error(errors::kStringTooLong);
  return false;
}

void Append(CommandContext& ctx) {
  bool failed;
  Key key = ctx.key(1);
  Entry* entry = ctx.FindForWrite(key, TypeId::kString, &failed);
  if (failed) return;
  std::string_view tail = ctx.arg(2);
  size_t size;
  if (entry == nullptr) {
    entry = ctx.db().SetStringAt(nullptr, key, tail, TtlPolicy::kDrop);
    size = tail.size();
  } else {
    size_t old_size = entry->string_size();
    size = old_size + tail.size();
    if (!SizeOk(ctx, size)) return;
    char* bytes = ctx.db().ResizeString(&entry, size, true);
    std::memcpy(bytes + old_size, tail.data(), tail.size());
  }
  ctx.Modified(key.bytes, kNotifyString, "append");
  ctx.reply().Integer(static_cast<int64_t>(size));
}

void GetRange(CommandContext& ctx) {
  auto start = ctx.IntegerArg(2);
  if (!start) return;
  auto end = ctx.IntegerArg(3);
  if (!end) return;
  bool failed;
  Entry* entry = ctx.FindForRead(ctx.key(1), TypeId::kString, &failed);
  if (failed) return;
  if (entry == nullptr) return ctx.reply().Bulk("");
  char scratch[kNumberTextMax];
  std::string_view text = entry->string(scratch);
  auto size = static_cast<int64_t>(text.size());
  int64_t from = *start;
  int64_t to = *end;
  if (from < 0 && to < 0 && from > to) return ctx.reply().Bulk("");
  if (from < 0) from = std::max<int64_t>(0, from + size);
  if (to < 0) to = std::max<int64_t>(0, to + size);
  to = std::min(to, size - 1);
  if (from > to || size == 0) return ctx.reply().Bulk("");
  ctx.reply().Bulk(text.substr(static_cast<size_t>(from), static_cast<size_t>(to - from + 1)));
}

void SetRange(CommandContext& ctx) {
  auto offset = ctx.IntegerArg(2);
  if (!offset) return;
  if (*offset < 0) return ctx.Error("ERR offset is out of range");
  std::string_view patch = ctx.arg(3);
  bool failed;
  Key key = ctx.key(1);
  Entry* entry = ctx.FindForWrite(key, TypeId::kString, &failed);
  if (failed) return;
  size_t old_size = entry == nullptr ? 0 : entry->string_size();
  if (patch.empty()) return ctx.reply().Integer(static_cast<int64_t>(old_size));
  auto at = static_cast<uint64_t>(*offset);
  if (!SizeOk(ctx, at + patch.size())) return;
  if (entry == nullptr) entry = ctx.db().SetString(key, "");
  size_t size = std::max<size_t>(old_size, at + patch.size());
  char* bytes = ctx.db().ResizeString(&entry, size, false);
  std::memcpy(bytes + at, patch.data(), patch.size());
  ctx.Modified(key.bytes, kNotifyString, "setrange");
  ctx.reply().Integer(static_cast<int64_t>(size));
}

struct LcsOptions {
  bool len = false;
  bool idx = false;
  bool with_match_len = false;
  int64_t min_match_len = 0;
};

bool ParseLcsOptions(CommandContext& ctx, LcsOptions* options) {
  for (size_t i = 3; i < ctx.argc(); ++i) {
    if (ctx.ArgIs(i, "idx")) {
      options->idx = true;
    } else if (ctx.ArgIs(i, "len")) {
      options->len = true;
    } else if (ctx.ArgIs(i, "withmatchlen")) {
      options->with_match_len = true;
    } else if (ctx.ArgIs(i, "minmatchlen") && i + 1 < ctx.argc()) {
      auto value = ctx.IntegerArg(++i);
      if (!value) return false;
      options->min_match_len = std::max<int64_t>(0, *value);
    } else {
      ctx.Error(errors::kSyntax);
      return false;
    }
  }
  if (options->len && options->idx) {
    ctx.Error("ERR If you want both the length and indexes, please just use IDX.");
    return false;
  }
  return true;
}

// One matching run, found walking from the ends to the starts: [a_from, a_to] in the first string,
// the same length in the second.
struct LcsRun {
  size_t a_from, a_to, b_from, b_to;
};

struct LcsResult {
  std::string text;
  std::vector<LcsRun> runs;  // last first
};

// Dynamic programming over (a+1) x (b+1) lengths, then back from the corner.
LcsResult ComputeLcs(std::string_view a, std::string_view b, const std::vector<uint32_t>& lengths) {
  size_t width = b.size() + 1;
  auto at = [&](size_t i, size_t j) { return lengths[i * width + j]; };
  LcsResult result;
  result.text.resize(at(a.size(), b.size()));
  size_t left = result.text.size();
  size_t i = a.size();
  size_t j = b.size();
  bool open = false;
  LcsRun run{};
  auto close = [&] {
    if (open) result.runs.push_back(run);
    open = false;
  };
  while (i > 0 && j > 0) {
    if (a[i - 1] == b[j - 1]) {
      result.text[--left] = a[i - 1];
      if (!open) run = {i - 1, i - 1, j - 1, j - 1};
      open = true;
      run.a_from = i - 1;
      run.b_from = j - 1;
      --i;
      --j;
    } else {
      close();
      if (at(i - 1, j) > at(i, j - 1)) {
        --i;
      } else {
        --j;
      }
    }
  }
  close();
  return result;
}

void ReplyRuns(CommandContext& ctx, const LcsResult& result, const LcsOptions& options) {
  ReplySink& reply = ctx.reply();
  reply.BeginMap(2);
  reply.Bulk("matches");
  uint64_t shown = 0;
  auto wanted = [&](const LcsRun& run) {
    return static_cast<int64_t>(run.a_to - run.a_from + 1) >= options.min_match_len;
  };
  for (const LcsRun& run : result.runs) shown += wanted(run) ? 1 : 0;
  reply.BeginArray(shown);
  for (const LcsRun& run : result.runs) {
    if (!wanted(run)) continue;
    reply.BeginArray(options.with_match_len ? 3 : 2);
    reply.BeginArray(2);
    reply.Integer(static_cast<int64_t>(run.a_from));
    reply.Integer(static_cast<int64_t>(run.a_to));
    reply.BeginArray(2);
    reply.Integer(static_cast<int64_t>(run.b_from));
    reply.Integer(static_cast<int64_t>(run.b_to));
    if (options.with_match_len) reply.Integer(static_cast<int64_t>(run.a_to - run.a_from + 1));
  }
  reply.Bulk("len");
  reply.Integer(static_cast<int64_t>(result.text.size()));
}

void Lcs(CommandContext& ctx) {
  Entry* first = ctx.db().FindForRead(ctx.key(1));
  Entry* second = ctx.db().FindForRead(ctx.key(2));
  if ((first != nullptr && !first->is_string()) || (second != nullptr && !second->is_string())) {
    return ctx.Error("ERR The specified keys must contain string values");
  }
  LcsOptions options;
  if (!ParseLcsOptions(ctx, &options)) return;
  char scratch_a[kNumberTextMax];
  char scratch_b[kNumberTextMax];
  std::string_view a = first == nullptr ? std::string_view() : first->string(scratch_a);
  std::string_view b = second == nullptr ? std::string_view() : second->string(scratch_b);
  const auto cells_max =
      static_cast<uint64_t>(ctx.engine().settings().proto_max_bulk_len) / sizeof(uint32_t);
  if ((a.size() + 1) > cells_max / (b.size() + 1)) {
    return ctx.Error(
        "ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len");
  }
  std::vector<uint32_t> lengths((a.size() + 1) * (b.size() + 1));
  size_t width = b.size() + 1;
  for (size_t i = 1; i <= a.size(); ++i) {
    for (size_t j = 1; j <= b.size(); ++j) {
      lengths[i * width + j] =
          a[i - 1] == b[j - 1] ? lengths[(i - 1) * width + j - 1] + 1
                               : std::max(lengths[(i - 1) * width + j], lengths[i * width + j - 1]);
    }
  }
  if (options.len) return ctx.reply().Integer(lengths.back());
  LcsResult result = ComputeLcs(a, b, lengths);
  if (options.idx) return ReplyRuns(ctx, result, options);
  ctx.reply().Bulk(result.text);
}

constexpr CommandSpec kCommands[] = {
    {.name = "append",
     .handler = Append,
     .arity = 3,
     .flags = kCmdWrite | kCmdDenyOom | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclString,
     .key_flags = kKeyRW | kKeyInsert,
     .summary = "Appends bytes to a string; creates the key.",
     .since = "2.0.0",
     .group = "string",
     .complexity = "O(1) amortised",
     .arguments = "key value"},
    {.name = "getrange",
     .handler = GetRange,
     .arity = 4,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclString,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "Returns a part of a string by first and last offset.",
     .since = "2.4.0",
     .group = "string",
     .complexity = "O(N) in the length returned",
     .arguments = "key start:integer end:integer"},
    {.name = "substr",
     .handler = GetRange,
     .arity = 4,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclString,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The old name of GETRANGE.",
     .since = "1.0.0",
     .group = "string",
     .complexity = "O(N) in the length returned",
     .arguments = "key start:integer end:integer",
     .deprecated = "2.0.0: `GETRANGE`"},
    {.name = "setrange",
     .handler = SetRange,
     .arity = 4,
     .flags = kCmdWrite | kCmdDenyOom,
     .keys = {1, 1, 1},
     .acl = kAclString,
     .key_flags = kKeyRW | kKeyUpdate,
     .summary = "Overwrites a part of a string from an offset on; fills a gap with zero bytes.",
     .since = "2.2.0",
     .group = "string",
     .complexity = "O(M) in the length of the value",
     .arguments = "key offset:integer value"},
    {.name = "lcs",
     .handler = Lcs,
     .arity = -3,
     .flags = kCmdReadonly,
     .keys = {1, 2, 1},
     .acl = kAclString,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "Finds the longest common subsequence of two strings.",
     .since = "7.0.0",
     .group = "string",
     .complexity = "O(N*M)",
     .arguments =
         "key1:key key2:key#0 [LEN] [IDX] [MINMATCHLEN min-match-len:integer] [WITHMATCHLEN]"},
};

}  // namespace

void RegisterStringRanges(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
