// SPDX-License-Identifier: BSD-3-Clause
// DUMP and RESTORE.
#include <limits>

#include "base/numbers.h"
#include "commands/persist/persist_commands.h"
#include "engine/engine.h"
#include "persist/dump_payload.h"

namespace backplane {
namespace {

void Dump(CommandContext& ctx) {
  const Entry* entry = ctx.db().FindForRead(ctx.key(1));
  if (entry == nullptr) return ctx.reply().Null();
  const Settings& settings = ctx.engine().settings();
  ctx.reply().Bulk(
      CreateDumpPayload(*entry, static_cast<int>(settings.rdb_version), settings.rdbcompression));
}

struct RestoreOptions {
  bool replace = false;
  bool absolute_ttl = false;
  std::optional<int64_t> idle_seconds;
  std::optional<int64_t> frequency;
};

// False after replying an error.
bool ParseRestoreOptions(CommandContext& ctx, RestoreOptions* options) {
  for (size_t i = 4; i < ctx.argc(); ++i) {
    const bool has_value = i + 1 < ctx.argc();
    if (ctx.ArgIs(i, "replace")) {
      options->replace = true;
    } else if (ctx.ArgIs(i, "absttl")) {
      options->absolute_ttl = true;
    } else if (ctx.ArgIs(i, "idletime") && has_value && !options->frequency) {
      options->idle_seconds = ctx.IntegerArg(++i);
      if (!options->idle_seconds) return false;
      if (*options->idle_seconds < 0) {
        ctx.Error("ERR Invalid IDLETIME value, must be >= 0");
        return false;
      }
    } else if (ctx.ArgIs(i, "freq") && has_value && !options->idle_seconds) {
      options->frequency = ctx.IntegerArg(++i);
      if (!options->frequency) return false;
      if (*options->frequency < 0 || *options->frequency > kFrequencyMax) {
        ctx.Error("ERR Invalid FREQ value, must be >= 0 and <= 255");
        return false;
      }
    } else {
      ctx.Error(errors::kSyntax);
      return false;
    }
  }
  return true;
}

// The payload's content, or nullopt after replying an error.
std::optional<EntryBuilder::Content> ParseContent(CommandContext& ctx, std::string* scratch) {
  auto& persistence = ctx.owner<Persistence>();
  auto content = ParseDumpPayload(
      ctx.arg(3), {ctx.arg(1), ctx.db().index(), ctx.db().keyspace(), persistence.modules()},
      scratch);
  if (content) return *content;
  if (content.error().code == ErrorCode::kUnsupported) {
    ctx.Error("ERR DUMP payload version or checksum are wrong");
  } else {
    ctx.engine().logger().Verbose("RESTORE: bad payload: " + content.error().message);
    ctx.Error("ERR Bad data format");
  }
  return std::nullopt;
}

// Absolute ms; 0: none.
int64_t ExpiryOf(CommandContext& ctx, int64_t ttl, const RestoreOptions& options) {
  if (ttl == 0 || options.absolute_ttl) return ttl;
  const int64_t now = ctx.keyspace().now_ms();
  return ttl > std::numeric_limits<int64_t>::max() - now ? std::numeric_limits<int64_t>::max()
                                                         : ttl + now;
}

void PropagateRestore(CommandContext& ctx, int64_t expire_ms, const RestoreOptions& options) {
  // As typed, if what was typed means the same at any time.
  if (expire_ms == 0 || options.absolute_ttl || !ctx.engine().propagation().wanted()) return;
  char text[kNumberTextMax];
  const std::string_view at(text, Int64ToText(expire_ms, text));
  std::vector<std::string_view> args(ctx.args().begin(), ctx.args().end());
  args[2] = at;
  args.push_back("ABSTTL");
  ctx.Propagate(args);
}

// The time to live is over already: the key is only removed, if it was there.
void RestoreExpired(CommandContext& ctx, const EntryBuilder::Content& content, bool removed) {
  EntryBuilder::FreeContent(content);
  if (removed) {
    ctx.Modified(ctx.arg(1), kNotifyGeneric, "del");
    ctx.Propagate({"DEL", ctx.arg(1)});
  }
  ctx.reply().Ok();
}

void Restore(CommandContext& ctx) {
  RestoreOptions options;
  if (!ParseRestoreOptions(ctx, &options)) return;
  Database& db = ctx.db();
  const Key key = ctx.key(1);
  if (!options.replace && db.FindForWrite(key) != nullptr) return ctx.Error(errors::kBusyKey);
  const auto ttl = ctx.IntegerArg(2);
  if (!ttl) return;
  if (*ttl < 0) return ctx.Error("ERR Invalid TTL value, must be >= 0");
  std::string scratch;
  const auto content = ParseContent(ctx, &scratch);
  if (!content) return;

  const bool removed =
      options.replace && db.Delete(key, ctx.engine().settings().lazyfree_lazy_server_del);
  const int64_t expire_ms = ExpiryOf(ctx, *ttl, options);
  if (expire_ms != 0 && ctx.keyspace().IsOver(expire_ms)) {
    return RestoreExpired(ctx, *content, removed);
  }
  const uint32_t access = ctx.keyspace().AccessOf(options.idle_seconds, options.frequency);
  db.Load(key.bytes, *content, expire_ms == 0 ? -1 : expire_ms, access);
  ctx.Notify(kNotifyNew, "new", key.bytes);
  ctx.Modified(key.bytes, kNotifyGeneric, "restore");
  PropagateRestore(ctx, expire_ms, options);
  ctx.reply().Ok();
}

constexpr std::string_view kRestoreComplexity =
    "O(1) to make the key, and O(N*M) for its N elements of M bytes on average; O(N*M*log(N)) for "
    "a "
    "sorted set";

constexpr CommandSpec kCommands[] = {
    {.name = "dump",
     .handler = Dump,
     .arity = 2,
     .flags = kCmdReadonly,
     .keys = {1, 1, 1},
     .acl = kAclKeyspace,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "Returns the value of a key as bytes that RESTORE understands.",
     .since = "2.6.0",
     .group = "generic",
     .complexity = "O(1) to find the key, and O(N*M) for its N elements of M bytes on average",
     .arguments = "key",
     .tips = "nondeterministic_output"},
    {.name = "restore",
     .handler = Restore,
     .arity = -4,
     .flags = kCmdWrite | kCmdDenyOom,
     .keys = {1, 1, 1},
     .acl = kAclKeyspace | kAclDangerous,
     .key_flags = kKeyOW | kKeyUpdate,
     .summary = "Makes a key from the bytes that DUMP returned.",
     .since = "2.6.0",
     .group = "generic",
     .complexity = kRestoreComplexity,
     .arguments = "key ttl:integer serialized-value [REPLACE@3.0.0] [ABSTTL@5.0.0] [IDLETIME "
                  "seconds:integer@5.0.0] [FREQ frequency:integer@5.0.0]",
     .history = "3.0.0: `REPLACE`; 5.0.0: `ABSTTL`; 5.0.0: `IDLETIME` and `FREQ`"},
    {.name = "restore-asking",
     .handler = Restore,
     .arity = -4,
     .flags = kCmdWrite | kCmdDenyOom | kCmdAsking,
     .keys = {1, 1, 1},
     .acl = kAclKeyspace | kAclDangerous,
     .key_flags = kKeyOW | kKeyUpdate,
     .summary = "RESTORE as nodes of a cluster send it to each other while a slot moves.",
     .since = "3.0.0",
     .group = "server",
     .complexity = kRestoreComplexity,
     .arguments = "key ttl:integer serialized-value [REPLACE@3.0.0] [ABSTTL@5.0.0] [IDLETIME "
                  "seconds:integer@5.0.0] [FREQ frequency:integer@5.0.0]",
     .history = "3.0.0: `REPLACE`; 5.0.0: `ABSTTL`; 5.0.0: `IDLETIME` and `FREQ`",
     .system = true},
};

}  // namespace

void RegisterDumpCommands(CommandRegistry& registry, Persistence& persistence) {
  registry.Add(kCommands, &persistence);
}

}  // namespace backplane
