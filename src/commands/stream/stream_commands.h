// SPDX-License-Identifier: BSD-3-Clause
// The parts of the stream family, put together by RegisterStreamCommands, and what they share:
// arguments, replies, propagation. Engine thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "command/context.h"
#include "value/stream_value.h"

namespace backplane {

void RegisterStreamAdd(CommandRegistry& registry);
void RegisterStreamTrim(CommandRegistry& registry);
void RegisterStreamRange(CommandRegistry& registry);
void RegisterStreamRead(CommandRegistry& registry);
void RegisterStreamGroup(CommandRegistry& registry);
void RegisterStreamPending(CommandRegistry& registry);
void RegisterStreamClaim(CommandRegistry& registry);
void RegisterStreamInfo(CommandRegistry& registry);

inline constexpr std::string_view kInvalidStreamId =
    "ERR Invalid stream ID specified as stream command argument";

// --- arguments; nullopt and false after replying an error ---
// argv[i] as an id whose sequence may be left out; `lenient`: "-" and "+" stand for the smallest
// and the largest.
std::optional<StreamId> StreamIdArg(CommandContext& ctx, size_t i, uint64_t missing_seq,
                                    bool lenient = false);
// argv[i] as the lower end of a range.
std::optional<StreamId> StreamRangeStart(CommandContext& ctx, size_t i);
// argv[from], argv[to] as the two ends of a range, "(" in front excludes an end.
struct StreamRange {
  StreamId first;
  StreamId last;
};
std::optional<StreamRange> StreamRangeArgs(CommandContext& ctx, size_t from, size_t to);
// Options of XADD and XTRIM from argv[*i] on: trimming, NOMKSTREAM. *i is the first argument that
// is none. CheckStreamTrim finds what does not go together; XADD looks at its id in between.
struct StreamTrimOptions {
  StreamTrim trim;
  size_t threshold_arg = 0;  // where the length or id stands; 0: no trimming
  size_t mark_arg = 0;       // where "=" or "~" stands; 0: nowhere
  size_t limit_arg = 0;      // where LIMIT stands; 0: nowhere
  bool no_create = false;
};
std::optional<StreamTrimOptions> StreamTrimArgs(CommandContext& ctx, size_t* i, bool is_add);
bool CheckStreamTrim(CommandContext& ctx, StreamTrimOptions* options, bool is_add);

// --- lookups; they reply errors themselves, nullptr then ---
// The group argv[group_arg] of the stream argv[key_arg]. Replies NOGROUP if either is missing.
StreamValue* StreamOfGroup(CommandContext& ctx, size_t key_arg, size_t group_arg,
                           StreamGroup** group);
// The consumer, made if need be: told, counted and propagated then.
StreamConsumer* ConsumerOf(CommandContext& ctx, StreamGroup& group, std::string_view key,
                           std::string_view group_name, std::string_view name);

// --- replies ---
void ReplyStreamId(ReplySink& reply, StreamId id);
// The reader's entry: id, and an array of fields and values.
void ReplyStreamEntry(ReplySink& reply, StreamReader& reader);
// Up to `count` entries (0: all) as an array.
void ReplyStreamEntries(ReplySink& reply, StreamReader& reader, uint64_t count);

// --- propagation ---
// What makes a replica's group the same: the entry's owner, time and count.
void PropagateClaim(CommandContext& ctx, std::string_view key, std::string_view group_name,
                    const StreamGroup& group, StreamId id, const PendingEntry& entry);
void PropagateGroupPosition(CommandContext& ctx, std::string_view key, std::string_view group_name,
                            const StreamGroup& group);
// XTRIM or XADD with its approximate threshold replaced by what it came to, so that replicas with
// other node sizes trim the same. `args` is the command as it is to be sent so far.
void MakeTrimExact(const StreamTrimOptions& options, const StreamValue& stream,
                   std::vector<std::string>* args);

}  // namespace backplane
