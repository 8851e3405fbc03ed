// SPDX-License-Identifier: BSD-3-Clause
// XDEL, XTRIM, XSETID, XLEN: all about a stream as a whole, and entries that go.
#include "commands/collection.h"
#include "commands/stream/stream_commands.h"

namespace backplane {
namespace {

void XLen(CommandContext& ctx) {
  bool failed;
  const auto* stream = FindValueForRead<StreamValue>(ctx, 1, TypeId::kStream, &failed);
  if (failed) return;
  ctx.reply().Integer(stream != nullptr ? static_cast<int64_t>(stream->length()) : 0);
}

void XDel(CommandContext& ctx) {
  const Key key = ctx.key(1);
  bool failed;
  Entry* entry = ctx.FindForWrite(key, TypeId::kStream, &failed);
  if (failed) return;
  if (entry == nullptr) return ctx.reply().Integer(0);
  // All or nothing: an argument that is no id must not stop it half way.
  for (size_t i = 2; i < ctx.argc(); ++i) {
    if (!StreamIdArg(ctx, i, 0)) return;
  }
  auto& stream = entry->As<StreamValue>();
  uint64_t deleted = 0;
  for (size_t i = 2; i < ctx.argc(); ++i) {
    if (stream.Erase(*ParseStreamId(ctx.arg(i), 0))) ++deleted;
  }
  ctx.reply().Integer(static_cast<int64_t>(deleted));
  if (deleted != 0) ctx.Modified(key.bytes, kNotifyStream, "xdel", deleted);
}

void XTrim(CommandContext& ctx) {
  size_t i = 2;
  auto options = StreamTrimArgs(ctx, &i, /*is_add=*/false);
  if (!options || !CheckStreamTrim(ctx, &*options, /*is_add=*/false)) return;
  const Key key = ctx.key(1);
  bool failed;
  Entry* entry = ctx.FindForWrite(key, TypeId::kStream, &failed);
  if (failed) return;
  if (entry == nullptr) return ctx.reply().Integer(0);
  auto& stream = entry->As<StreamValue>();
  const uint64_t removed = stream.Trim(options->trim);
  ctx.reply().Integer(static_cast<int64_t>(removed));
  if (removed == 0) return;
  if (options->trim.approximate && PropagationWanted(ctx)) {
    std::vector<std::string> args(ctx.args().begin(), ctx.args().end());
    MakeTrimExact(*options, stream, &args);
    const std::vector<std::string_view> views(args.begin(), args.end());
    ctx.Propagate(views);
  }
  ctx.Modified(key.bytes, kNotifyStream, "xtrim", removed);
}

struct SetIdOptions {
  std::optional<uint64_t> entries_added;
  std::optional<StreamId> max_deleted_id;
};

std::optional<SetIdOptions> SetIdArgs(CommandContext& ctx, StreamId id) {
  SetIdOptions options;
  for (size_t i = 3; i < ctx.argc(); i += 2) {
    const bool more = i + 1 < ctx.argc();
    if (more && ctx.ArgIs(i, "entriesadded")) {
      const auto count = ctx.IntegerArg(i + 1);
      if (!count) return std::nullopt;
      if (*count < 0) {
        ctx.Error("ERR entries_added must be positive");
        return std::nullopt;
      }
      options.entries_added = static_cast<uint64_t>(*count);
    } else if (more && ctx.ArgIs(i, "maxdeletedid")) {
      options.max_deleted_id = StreamIdArg(ctx, i + 1, 0);
      if (!options.max_deleted_id) return std::nullopt;
      if (id < *options.max_deleted_id) {
        ctx.Error(
            "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
        return std::nullopt;
      }
    } else {
      ctx.Error(errors::kSyntax);
      return std::nullopt;
    }
  }
  return options;
}

void XSetId(CommandContext& ctx) {
  const auto id = StreamIdArg(ctx, 2, 0);
  if (!id) return;
  const auto options = SetIdArgs(ctx, *id);
  if (!options) return;
  const Key key = ctx.key(1);
  bool failed;
  Entry* entry = ctx.FindForWrite(key, TypeId::kStream, &failed);
  if (failed) return;
  if (entry == nullptr) return ctx.Error(errors::kNoSuchKey);
  auto& stream = entry->As<StreamValue>();
  if (*id < stream.max_deleted_id()) {
    return ctx.Error("ERR The ID specified in XSETID is smaller than current max_deleted_entry_id");
  }
  StreamId newest;
  if (stream.log().LastId(&newest)) {
    if (*id < newest) {
      return ctx.Error("ERR The ID specified in XSETID is smaller than the target stream top item");
    }
    if (options->entries_added && *options->entries_added < stream.length()) {
      return ctx.Error(
          "ERR The entries_added specified in XSETID is smaller than the target stream length");
    }
  }
  stream.set_last_id(*id);
  if (options->entries_added) stream.set_entries_added(*options->entries_added);
  // 0-0 says that nothing was deleted, which is nothing new.
  if (options->max_deleted_id && *options->max_deleted_id != StreamId{}) {
    stream.set_max_deleted_id(*options->max_deleted_id);
  }
  ctx.reply().Ok();
  ctx.Dirty();
  ctx.Notify(kNotifyStream, "xsetid", key.bytes);
}

constexpr CommandSpec kCommands[] = {
    {.name = "xlen",
     .handler = XLen,
     .arity = 2,
     .flags = kCmdReadonly | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclStream,
     .key_flags = kKeyRO,
     .summary = "How many entries a stream has.",
     .since = "5.0.0",
     .group = "stream",
     .complexity = "O(1)",
     .arguments = "key"},
    {.name = "xdel",
     .handler = XDel,
     .arity = -3,
     .flags = kCmdWrite | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclStream,
     .key_flags = kKeyRW | kKeyDelete,
     .summary = "Deletes entries of a stream; returns how many were there.",
     .since = "5.0.0",
     .group = "stream",
     .complexity = "O(1) for each entry, whatever the stream's size",
     .arguments = "key id..."},
    {.name = "xtrim",
     .handler = XTrim,
     .arity = -4,
     .flags = kCmdWrite,
     .keys = {1, 1, 1},
     .acl = kAclStream,
     .key_flags = kKeyRW | kKeyDelete,
     .summary = "Deletes the oldest entries of a stream, down to a length or up to an id.",
     .since = "5.0.0",
     .group = "stream",
     .complexity = "O(N) in the entries that go",
     .arguments = "key trim(strategy(MAXLEN | MINID@6.2.0) [operator(equal== | approximately=~)] "
                  "threshold [LIMIT count:integer@6.2.0])",
     .history = "6.2.0: `MINID` and `LIMIT`",
     .tips = "nondeterministic_output"},
    {.name = "xsetid",
     .handler = XSetId,
     .arity = -3,
     .flags = kCmdWrite | kCmdDenyOom | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclStream,
     .key_flags = kKeyRW | kKeyUpdate,
     .summary = "Sets a stream's last id and counters, as replication needs it.",
     .since = "5.0.0",
     .group = "stream",
     .complexity = "O(1)",
     .arguments = "key last-id [ENTRIESADDED entries-added:integer@7.0.0] [MAXDELETEDID "
                  "max-deleted-id@7.0.0]",
     .history = "7.0.0: `ENTRIESADDED` and `MAXDELETEDID`"},
};

}  // namespace

void RegisterStreamTrim(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
