// SPDX-License-Identifier: BSD-3-Clause
// XADD.
#include "base/numbers.h"
#include "commands/collection.h"
#include "commands/stream/stream_commands.h"

namespace backplane {
namespace {

constexpr std::string_view kIdTooSmall =
    "ERR The ID specified in XADD is equal or smaller than the target stream top item";
constexpr std::string_view kIdsExhausted =
    "ERR The stream has exhausted the last possible ID, unable to add more items";

// What XADD was given as the new entry's id.
struct WantedId {
  enum class Kind : uint8_t { kAuto, kAutoSequence, kWhole };
  Kind kind = Kind::kAuto;
  StreamId id;
};

std::optional<WantedId> WantedIdArg(CommandContext& ctx, size_t i) {
  const std::string_view text = ctx.arg(i);
  if (text == "*") return WantedId{};
  constexpr std::string_view kAnySequence = "-*";
  if (text.ends_with(kAnySequence)) {
    const auto id = ParseStreamId(text.substr(0, text.size() - kAnySequence.size()), 0);
    if (id && text.find('-') == text.size() - kAnySequence.size()) {
      return WantedId{WantedId::Kind::kAutoSequence, *id};
    }
    ctx.Error(kInvalidStreamId);
    return std::nullopt;
  }
  const auto id = StreamIdArg(ctx, i, 0);
  if (!id) return std::nullopt;
  return WantedId{WantedId::Kind::kWhole, *id};
}

// The id for the new entry behind `last`; replies an error if there is none.
std::optional<StreamId> ChooseId(CommandContext& ctx, const StreamValue& stream, WantedId wanted) {
  const StreamId last = stream.last_id();
  if (last == kStreamIdMax) {
    ctx.Error(kIdsExhausted);
    return std::nullopt;
  }
  switch (wanted.kind) {
    case WantedId::Kind::kAuto:
      return stream.NextId(static_cast<uint64_t>(ctx.keyspace().now_ms()));
    case WantedId::Kind::kAutoSequence:
      if (wanted.id.ms == last.ms && last.seq != UINT64_MAX) return StreamId{last.ms, last.seq + 1};
      if (wanted.id.ms > last.ms) return wanted.id;
      break;
    case WantedId::Kind::kWhole:
      if (wanted.id > last) return wanted.id;
      break;
  }
  ctx.Error(kIdTooSmall);
  return std::nullopt;
}

void PropagateAdd(CommandContext& ctx, size_t id_arg, StreamId id, bool trimmed,
                  const StreamTrimOptions& options, const StreamValue& stream) {
  std::vector<std::string> args(ctx.args().begin(), ctx.args().end());
  args[id_arg] = id.ToString();
  if (trimmed) MakeTrimExact(options, stream, &args);
  const std::vector<std::string_view> views(args.begin(), args.end());
  ctx.Propagate(views);
}

void XAdd(CommandContext& ctx) {
  size_t id_arg = 2;
  auto options = StreamTrimArgs(ctx, &id_arg, /*is_add=*/true);
  if (!options) return;
  std::optional<WantedId> wanted;
  if (id_arg < ctx.argc()) {
    wanted = WantedIdArg(ctx, id_arg);
    if (!wanted) return;
  }
  if (!CheckStreamTrim(ctx, &*options, /*is_add=*/true)) return;
  const size_t first_word = id_arg + 1;
  if (first_word >= ctx.argc() || (ctx.argc() - first_word) % 2 != 0) {
    return ctx.Error(errors::WrongArity(ctx.command().fullname));
  }
  if (wanted->kind == WantedId::Kind::kWhole && wanted->id == StreamId{}) {
    return ctx.Error("ERR The ID specified in XADD must be greater than 0-0");
  }
  const Key key = ctx.key(1);
  Destination<StreamValue> stream;
  if (!stream.Open(ctx, key, TypeId::kStream)) return;
  if (!stream.exists()) {
    if (options->no_create) return ctx.reply().Null();
    stream.Create(std::make_unique<StreamValue>());
  }
  const auto id = ChooseId(ctx, *stream, *wanted);
  if (!id) return;
  const auto words = ctx.args().subspan(first_word);
  size_t bytes = 0;
  for (std::string_view word : words) bytes += word.size();
  if (bytes >= Listpack::kMaxBytes) return ctx.Error("ERR Elements are too large to be stored");
  stream->Append(*id, words,
                 {ctx.limits().stream_node_max_bytes, ctx.limits().stream_node_max_entries});
  const bool trims = options->trim.by != StreamTrim::By::kNothing;
  const bool trimmed = trims && stream->Trim(options->trim) > 0;
  if (PropagationWanted(ctx)) PropagateAdd(ctx, id_arg, *id, trims, *options, *stream);
  ReplyStreamId(ctx.reply(), *id);
  stream.Commit(ctx, key);
  ctx.Modified(key.bytes, kNotifyStream, "xadd");
  if (trimmed) ctx.Notify(kNotifyStream, "xtrim", key.bytes);
}

constexpr CommandSpec kCommands[] = {
    {.name = "xadd",
     .handler = XAdd,
     .arity = -5,
     .flags = kCmdWrite | kCmdDenyOom | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclStream,
     .key_flags = kKeyRW | kKeyUpdate,
     .summary = "Appends an entry to a stream, which it makes if need be.",
     .since = "5.0.0",
     .group = "stream",
     .complexity = "O(1); O(N) in the entries that a trim takes away",
     .arguments = "key [NOMKSTREAM@6.2.0] [trim(strategy(MAXLEN | MINID@6.2.0) [operator(equal== | "
                  "approximately=~)] threshold [LIMIT count:integer@6.2.0])] id-selector(auto-id=* "
                  "| id) data(field value)...",
     .history = "6.2.0: `NOMKSTREAM`, `MINID` and `LIMIT`; 7.0.0: ids of the form `<ms>-*`",
     .key_notes = "it trims too",
     .tips = "nondeterministic_output"},
};

}  // namespace

void RegisterStreamAdd(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
