// SPDX-License-Identifier: BSD-3-Clause
// XGROUP and XACK: consumer groups, their consumers, and what is done with.
#include "base/ascii.h"
#include "commands/collection.h"
#include "commands/help.h"
#include "commands/stream/stream_commands.h"
#include "engine/engine.h"
#include "engine/key_waiters.h"

namespace backplane {
namespace {

constexpr std::string_view kNeedsKey =
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use "
    "the MKSTREAM option to create an empty stream automatically.";

// The stream argv[2]; nullptr after an error.
StreamValue* ExistingStream(CommandContext& ctx) {
  bool failed;
  Entry* entry = ctx.FindForWrite(ctx.key(2), TypeId::kStream, &failed);
  if (failed) return nullptr;
  if (entry != nullptr) return &entry->As<StreamValue>();
  ctx.Error(kNeedsKey);
  return nullptr;
}

// The group argv[3] of the stream argv[2]; nullptr after an error.
StreamGroup* ExistingGroup(CommandContext& ctx) {
  StreamValue* stream = ExistingStream(ctx);
  if (stream == nullptr) return nullptr;
  StreamGroup* group = stream->FindGroup(ctx.arg(3));
  if (group == nullptr) {
    ctx.Error("NOGROUP No such consumer group '" + errors::ShownArg(ctx.arg(3)) +
              "' for key name '" + errors::ShownArg(ctx.arg(2)) + "'");
  }
  return group;
}

struct PositionOptions {
  bool make_stream = false;
  int64_t entries_read = StreamGroup::kUnknown;
};

// What may follow the id of CREATE and SETID.
std::optional<PositionOptions> PositionArgs(CommandContext& ctx, bool create) {
  PositionOptions options;
  for (size_t i = 5; i < ctx.argc(); ++i) {
    if (create && ctx.ArgIs(i, "mkstream")) {
      options.make_stream = true;
    } else if (i + 1 < ctx.argc() && ctx.ArgIs(i, "entriesread")) {
      const auto count = ctx.IntegerArg(++i);
      if (!count) return std::nullopt;
      if (*count < 0 && *count != StreamGroup::kUnknown) {
        ctx.Error("ERR value for ENTRIESREAD must be positive or -1");
        return std::nullopt;
      }
      options.entries_read = *count;
    } else {
      ctx.Error(errors::SubcommandSyntax(ctx.arg(1), "XGROUP"));
      return std::nullopt;
    }
  }
  return options;
}

// The id argv[4], "$" being the stream's last.
std::optional<StreamId> PositionArg(CommandContext& ctx, const StreamValue* stream) {
  if (ctx.arg(4) == "$") return stream != nullptr ? stream->last_id() : StreamId{};
  return StreamIdArg(ctx, 4, 0, /*lenient=*/true);
}

void XGroupCreate(CommandContext& ctx) {
  const auto options = PositionArgs(ctx, /*create=*/true);
  if (!options) return;
  const Key key = ctx.key(2);
  Destination<StreamValue> stream;
  if (!stream.Open(ctx, key, TypeId::kStream)) return;
  const bool fresh = !stream.exists();
  if (fresh && !options->make_stream) return ctx.Error(kNeedsKey);
  const auto id = PositionArg(ctx, fresh ? nullptr : &*stream);
  if (!id) return;
  if (fresh) stream.Create(std::make_unique<StreamValue>());
  const bool added = stream->AddGroup(ctx.arg(3), *id, options->entries_read) != nullptr;
  if (!added) return ctx.Error("BUSYGROUP Consumer Group name already exists");
  stream.Commit(ctx, key);
  ctx.reply().Ok();
  if (fresh) ctx.Touched(key.bytes);
  ctx.Dirty();
  ctx.Notify(kNotifyStream, "xgroup-create", key.bytes);
}

void XGroupSetId(CommandContext& ctx) {
  const auto options = PositionArgs(ctx, /*create=*/false);
  if (!options) return;
  StreamGroup* group = ExistingGroup(ctx);
  if (group == nullptr) return;
  bool failed;
  const auto* stream = FindValueForRead<StreamValue>(ctx, 2, TypeId::kStream, &failed);
  const auto id = PositionArg(ctx, stream);
  if (!id) return;
  group->last_delivered = *id;
  group->entries_read = options->entries_read;
  group->bookmark = {};
  ctx.reply().Ok();
  ctx.Dirty();
  ctx.Notify(kNotifyStream, "xgroup-setid", ctx.arg(2));
}

void XGroupDestroy(CommandContext& ctx) {
  StreamValue* stream = ExistingStream(ctx);
  if (stream == nullptr) return;
  const bool removed = stream->RemoveGroup(ctx.arg(3));
  ctx.reply().Integer(removed ? 1 : 0);
  if (!removed) return;
  ctx.Dirty();
  // Who waits for the group's entries is to learn that there is no group.
  ctx.engine().key_waiters().Signal(ctx.db().index(), ctx.arg(2));
  ctx.Notify(kNotifyStream, "xgroup-destroy", ctx.arg(2));
}

void XGroupCreateConsumer(CommandContext& ctx) {
  StreamGroup* group = ExistingGroup(ctx);
  if (group == nullptr) return;
  bool created;
  group->AddConsumer(ctx.arg(4), ctx.keyspace().now_ms(), &created);
  ctx.reply().Integer(created ? 1 : 0);
  if (!created) return;
  ctx.Dirty();
  ctx.Notify(kNotifyStream, "xgroup-createconsumer", ctx.arg(2));
}

void XGroupDelConsumer(CommandContext& ctx) {
  StreamGroup* group = ExistingGroup(ctx);
  if (group == nullptr) return;
  StreamConsumer* consumer = group->FindConsumer(ctx.arg(4));
  if (consumer == nullptr) return ctx.reply().Integer(0);
  ctx.reply().Integer(static_cast<int64_t>(group->RemoveConsumer(consumer)));
  ctx.Dirty();
  ctx.Notify(kNotifyStream, "xgroup-delconsumer", ctx.arg(2));
}

void XGroupHelp(CommandContext& ctx) {
  ReplyHelp(ctx,
            {"CREATE <key> <group> <id | $> [MKSTREAM] [ENTRIESREAD <n>]",
             "    Makes a group that reads entries above <id>; MKSTREAM makes the stream, too.",
             "CREATECONSUMER <key> <group> <consumer>", "    Makes a consumer.",
             "DELCONSUMER <key> <group> <consumer>",
             "    Removes a consumer and what it has pending; returns how many entries that were.",
             "DESTROY <key> <group>", "    Removes a group.",
             "SETID <key> <group> <id | $> [ENTRIESREAD <n>]",
             "    Sets the id above which the group reads on."});
}

void XAck(CommandContext& ctx) {
  const Key key = ctx.key(1);
  bool failed;
  Entry* entry = ctx.FindForWrite(key, TypeId::kStream, &failed);
  if (failed) return;
  StreamGroup* group = entry != nullptr ? entry->As<StreamValue>().FindGroup(ctx.arg(2)) : nullptr;
  if (group == nullptr) return ctx.reply().Integer(0);
  // All or nothing, as with XDEL.
  for (size_t i = 3; i < ctx.argc(); ++i) {
    if (!StreamIdArg(ctx, i, 0)) return;
  }
  uint64_t done = 0;
  for (size_t i = 3; i < ctx.argc(); ++i) {
    if (group->Acknowledge(*ParseStreamId(ctx.arg(i), 0))) ++done;
  }
  ctx.reply().Integer(static_cast<int64_t>(done));
  ctx.Dirty(done);
}

constexpr uint64_t kChange = kCmdWrite;
constexpr uint64_t kGrow = kCmdWrite | kCmdDenyOom;

constexpr CommandSpec kCommands[] = {
    {.name = "xgroup",
     .handler = nullptr,
     .arity = -2,
     .flags = 0,
     .summary = "Commands about consumer groups.",
     .since = "5.0.0",
     .group = "stream",
     .complexity = "That of the subcommand"},
    {.name = "xgroup|create",
     .handler = XGroupCreate,
     .arity = -5,
     .flags = kGrow,
     .keys = {2, 2, 1},
     .acl = kAclStream,
     .key_flags = kKeyRW | kKeyInsert,
     .summary = "Makes a consumer group.",
     .since = "5.0.0",
     .group = "stream",
     .complexity = "O(1)",
     .arguments =
         "key group id-selector(id | new-id=$) [MKSTREAM] [ENTRIESREAD entries-read:integer]",
     .history = "7.0.0: `ENTRIESREAD`"},
    {.name = "xgroup|setid",
     .handler = XGroupSetId,
     .arity = -5,
     .flags = kChange,
     .keys = {2, 2, 1},
     .acl = kAclStream,
     .key_flags = kKeyRW | kKeyUpdate,
     .summary = "Sets the id above which a group reads on.",
     .since = "5.0.0",
     .group = "stream",
     .complexity = "O(1)",
     .arguments =
         "key group id-selector(id | new-id=$) [ENTRIESREAD entriesread:integer'entries-read']",
     .history = "7.0.0: `ENTRIESREAD`"},
    {.name = "xgroup|destroy",
     .handler = XGroupDestroy,
     .arity = 4,
     .flags = kChange,
     .keys = {2, 2, 1},
     .acl = kAclStream,
     .key_flags = kKeyRW | kKeyDelete,
     .summary = "Removes a consumer group.",
     .since = "5.0.0",
     .group = "stream",
     .complexity = "O(N) in the group's pending entries",
     .arguments = "key group"},
    {.name = "xgroup|createconsumer",
     .handler = XGroupCreateConsumer,
     .arity = 5,
     .flags = kGrow,
     .keys = {2, 2, 1},
     .acl = kAclStream,
     .key_flags = kKeyRW | kKeyInsert,
     .summary = "Makes a consumer in a group.",
     .since = "6.2.0",
     .group = "stream",
     .complexity = "O(1)",
     .arguments = "key group consumer"},
    {.name = "xgroup|delconsumer",
     .handler = XGroupDelConsumer,
     .arity = 5,
     .flags = kChange,
     .keys = {2, 2, 1},
     .acl = kAclStream,
     .key_flags = kKeyRW | kKeyDelete,
     .summary = "Removes a consumer with what it has pending.",
     .since = "5.0.0",
     .group = "stream",
     .complexity = "O(1)",
     .arguments = "key group consumer"},
    {.name = "xgroup|help",
     .handler = XGroupHelp,
     .arity = 2,
     .flags = kCmdLoading | kCmdStale,
     .acl = kAclStream,
     .summary = "Lists the subcommands.",
     .since = "5.0.0",
     .group = "stream",
     .complexity = "O(1)"},
    {.name = "xack",
     .handler = XAck,
     .arity = -4,
     .flags = kCmdWrite | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclStream,
     .key_flags = kKeyRW | kKeyUpdate,
     .summary = "Says that entries of a group are done with; returns how many were pending.",
     .since = "5.0.0",
     .group = "stream",
     .complexity = "O(1) for each id",
     .arguments = "key group id..."},
};

}  // namespace

void RegisterStreamGroup(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
