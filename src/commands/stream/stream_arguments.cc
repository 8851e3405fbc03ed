// SPDX-License-Identifier: BSD-3-Clause
// What the stream commands share; contract in stream_commands.h.
#include "base/ascii.h"
#include "base/numbers.h"
#include "commands/collection.h"
#include "commands/families.h"
#include "commands/stream/stream_commands.h"

namespace backplane {

void RegisterStreamCommands(CommandRegistry& registry) {
  RegisterStreamAdd(registry);
  RegisterStreamTrim(registry);
  RegisterStreamRange(registry);
  RegisterStreamRead(registry);
  RegisterStreamGroup(registry);
  RegisterStreamPending(registry);
  RegisterStreamClaim(registry);
  RegisterStreamInfo(registry);
}

std::optional<StreamId> StreamIdArg(CommandContext& ctx, size_t i, uint64_t missing_seq,
                                    bool lenient) {
  const std::string_view text = ctx.arg(i);
  if (lenient && text == "-") return kStreamIdMin;
  if (lenient && text == "+") return kStreamIdMax;
  const auto id = ParseStreamId(text, missing_seq);
  if (!id) ctx.Error(kInvalidStreamId);
  return id;
}

namespace {

// One end of a range; "(" moves it inwards.
std::optional<StreamId> RangeEnd(CommandContext& ctx, size_t i, bool start) {
  std::string_view text = ctx.arg(i);
  const uint64_t missing_seq = start ? 0 : UINT64_MAX;
  if (!text.starts_with('(') || text.size() == 1) {
    return StreamIdArg(ctx, i, missing_seq, /*lenient=*/true);
  }
  const auto id = ParseStreamId(text.substr(1), missing_seq);
  if (!id) {
    ctx.Error(kInvalidStreamId);
    return std::nullopt;
  }
  const auto inner = start ? id->Next() : id->Previous();
  if (!inner) {
    ctx.Error(start ? "ERR invalid start ID for the interval"
                    : "ERR invalid end ID for the interval");
  }
  return inner;
}

// Entries that a trim by "~" takes away at most, unless LIMIT says otherwise.
constexpr uint64_t kNodesPerTrim = 100;
constexpr uint64_t kTrimLimitMin = 10000;
constexpr uint64_t kTrimLimitMax = 1000000;

uint64_t DefaultTrimLimit(CommandContext& ctx) {
  const uint64_t limit = ctx.limits().stream_node_max_entries * kNodesPerTrim;
  // Without a limit on nodes there is none on trims that is of use.
  return limit == 0 ? kTrimLimitMin : std::min(limit, kTrimLimitMax);
}

}  // namespace

std::optional<StreamId> StreamRangeStart(CommandContext& ctx, size_t i) {
  return RangeEnd(ctx, i, /*start=*/true);
}

std::optional<StreamRange> StreamRangeArgs(CommandContext& ctx, size_t from, size_t to) {
  const auto first = RangeEnd(ctx, from, /*start=*/true);
  if (!first) return std::nullopt;
  const auto last = RangeEnd(ctx, to, /*start=*/false);
  if (!last) return std::nullopt;
  return StreamRange{*first, *last};
}

namespace {

// "[=|~] threshold" behind MAXLEN or MINID at argv[*i]; *i is at the threshold afterwards.
bool ThresholdArg(CommandContext& ctx, size_t* i, StreamTrim::By by, StreamTrimOptions* options) {
  const std::string_view mark = ctx.arg(*i + 1);
  options->trim.approximate = false;
  options->mark_arg = 0;
  if (*i + 2 < ctx.argc() && (mark == "~" || mark == "=")) {
    options->trim.approximate = mark == "~";
    options->mark_arg = ++*i;
  }
  ++*i;
  options->trim.by = by;
  options->threshold_arg = *i;
  if (by == StreamTrim::By::kMinId) {
    const auto id = StreamIdArg(ctx, *i, 0);
    if (id) options->trim.min_id = *id;
    return id.has_value();
  }
  const auto length = ctx.IntegerArg(*i);
  if (!length) return false;
  if (*length < 0) {
    ctx.Error("ERR The MAXLEN argument must be >= 0.");
    return false;
  }
  options->trim.max_length = static_cast<uint64_t>(*length);
  return true;
}

bool LimitArg(CommandContext& ctx, size_t i, StreamTrimOptions* options) {
  const auto limit = ctx.IntegerArg(i);
  if (!limit) return false;
  if (*limit < 0) {
    ctx.Error("ERR The LIMIT argument must be >= 0.");
    return false;
  }
  options->trim.limit = static_cast<uint64_t>(*limit);
  return true;
}

}  // namespace

std::optional<StreamTrimOptions> StreamTrimArgs(CommandContext& ctx, size_t* i, bool is_add) {
  using By = StreamTrim::By;
  StreamTrimOptions options;
  auto error = [&](std::string_view text) -> std::optional<StreamTrimOptions> {
    ctx.Error(text);
    return std::nullopt;
  };
  for (; *i < ctx.argc(); ++*i) {
    const bool more = *i + 1 < ctx.argc();
    const bool by_length = ctx.ArgIs(*i, "maxlen");
    if (is_add && ctx.arg(*i) == "*") break;
    if (more && (by_length || ctx.ArgIs(*i, "minid"))) {
      const By by = by_length ? By::kLength : By::kMinId;
      if (options.trim.by != By::kNothing && options.trim.by != by) {
        return error(
            "ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
      }
      if (!ThresholdArg(ctx, i, by, &options)) return std::nullopt;
    } else if (more && ctx.ArgIs(*i, "limit")) {
      options.limit_arg = *i;
      if (!LimitArg(ctx, ++*i, &options)) return std::nullopt;
    } else if (is_add && ctx.ArgIs(*i, "nomkstream")) {
      options.no_create = true;
    } else if (is_add) {
      break;
    } else {
      return error(errors::kSyntax);
    }
  }
  return options;
}

bool CheckStreamTrim(CommandContext& ctx, StreamTrimOptions* options, bool is_add) {
  const bool trims = options->trim.by != StreamTrim::By::kNothing;
  auto error = [&](std::string_view text) {
    ctx.Error(text);
    return false;
  };
  if (options->limit_arg != 0 && !trims) {
    return error("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy");
  }
  if (!is_add && !trims) {
    return error("ERR syntax error, XTRIM must be called with MAXLEN or MINID");
  }
  if (options->limit_arg != 0 && !options->trim.approximate) {
    return error("ERR syntax error, LIMIT cannot be used without the special ~ option");
  }
  if (options->limit_arg == 0 && options->trim.approximate)
    options->trim.limit = DefaultTrimLimit(ctx);
  return true;
}

StreamValue* StreamOfGroup(CommandContext& ctx, size_t key_arg, size_t group_arg,
                           StreamGroup** group) {
  bool failed;
  Entry* entry = ctx.command().Is(kCmdWrite)
                     ? ctx.FindForWrite(ctx.key(key_arg), TypeId::kStream, &failed)
                     : ctx.FindForRead(ctx.key(key_arg), TypeId::kStream, &failed);
  if (failed) return nullptr;
  auto* stream = entry != nullptr ? &entry->As<StreamValue>() : nullptr;
  *group = stream != nullptr ? stream->FindGroup(ctx.arg(group_arg)) : nullptr;
  if (*group == nullptr) {
    ctx.Error("NOGROUP No such key '" + errors::ShownArg(ctx.arg(key_arg)) +
              "' or consumer group '" + errors::ShownArg(ctx.arg(group_arg)) + "'");
    return nullptr;
  }
  return stream;
}

StreamConsumer* ConsumerOf(CommandContext& ctx, StreamGroup& group, std::string_view key,
                           std::string_view group_name, std::string_view name) {
  bool created;
  StreamConsumer* consumer = group.AddConsumer(name, ctx.keyspace().now_ms(), &created);
  if (created) {
    // Watchers are not told: what they can see of the stream is as it was.
    ctx.Notify(kNotifyStream, "xgroup-createconsumer", key);
    ctx.Dirty();
    if (PropagationWanted(ctx)) {
      ctx.Propagate({"XGROUP", "CREATECONSUMER", key, group_name, name});
    }
  }
  return consumer;
}

void ReplyStreamId(ReplySink& reply, StreamId id) {
  char text[2 * kNumberTextMax];
  reply.Bulk({text, id.WriteText(text)});
}

void ReplyStreamEntry(ReplySink& reply, StreamReader& reader) {
  reply.BeginArray(2);
  ReplyStreamId(reply, reader.id());
  reply.BeginArray(reader.fields_left() * 2);
  Item field;
  Item value;
  while (reader.NextField(&field, &value)) {
    ReplyItem(reply, field);
    ReplyItem(reply, value);
  }
}

void ReplyStreamEntries(ReplySink& reply, StreamReader& reader, uint64_t count) {
  const ReplySink::Deferred array = reply.BeginDeferred(AggregateKind::kArray);
  uint64_t found = 0;
  for (; (count == 0 || found < count) && reader.Next(); ++found) ReplyStreamEntry(reply, reader);
  reply.EndDeferred(array, found);
}

void PropagateClaim(CommandContext& ctx, std::string_view key, std::string_view group_name,
                    const StreamGroup& group, StreamId id, const PendingEntry& entry) {
  const std::string time = Int64ToString(entry.delivered_ms);
  const std::string count = Int64ToString(static_cast<int64_t>(entry.deliveries));
  ctx.Propagate({"XCLAIM", key, group_name, entry.consumer->name(), "0", id.ToString(), "TIME",
                 time, "RETRYCOUNT", count, "FORCE", "JUSTID", "LASTID",
                 group.last_delivered.ToString()});
}

void PropagateGroupPosition(CommandContext& ctx, std::string_view key, std::string_view group_name,
                            const StreamGroup& group) {
  ctx.Propagate({"XGROUP", "SETID", key, group_name, group.last_delivered.ToString(), "ENTRIESREAD",
                 Int64ToString(group.entries_read)});
}

void MakeTrimExact(const StreamTrimOptions& options, const StreamValue& stream,
                   std::vector<std::string>* args) {
  if (!options.trim.approximate) return;
  // Of nothing that is left, nothing is kept.
  const StreamId first = stream.length() == 0 ? kStreamIdMax : stream.first_id();
  (*args)[options.threshold_arg] = options.trim.by == StreamTrim::By::kMinId
                                       ? first.ToString()
                                       : Int64ToString(static_cast<int64_t>(stream.length()));
  (*args)[options.mark_arg] = "=";
  // LIMIT goes with "~" only.
  if (options.limit_arg == 0) return;
  const auto limit = args->begin() + static_cast<ptrdiff_t>(options.limit_arg);
  args->erase(limit, limit + 2);
}

}  // namespace backplane
