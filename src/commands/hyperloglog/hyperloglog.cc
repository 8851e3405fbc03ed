// SPDX-License-Identifier: BSD-3-Clause
// PFADD, PFCOUNT, PFMERGE. Engine thread.
#include "value/hyperloglog.h"

#include <cstring>
#include <memory>

#include "base/numbers.h"
#include "commands/families.h"
#include "commands/hyperloglog/hyperloglog_commands.h"

namespace backplane {

void RegisterHyperLogLogCommands(CommandRegistry& registry) {
  RegisterHyperLogLogBasics(registry);
  RegisterHyperLogLogDebug(registry);
}

bool CheckHyperLogLog(CommandContext& ctx, std::string_view bytes) {
  if (hyperloglog::IsValid(bytes)) return true;
  ctx.Error("WRONGTYPE Key is not a valid HyperLogLog string value.");
  return false;
}

void ReplyCorrupt(CommandContext& ctx) { ctx.Error("INVALIDOBJ Corrupted HLL object detected"); }

void StoreBytes(CommandContext& ctx, Entry* entry, std::string_view bytes) {
  char* target = ctx.db().ResizeString(&entry, bytes.size(), false);
  std::memcpy(target, bytes.data(), bytes.size());
}

namespace {

using hyperloglog::Added;
using hyperloglog::Place;
using hyperloglog::Registers;

// The string in `entry`; the scratch is for one that is a number, and so no HyperLogLog.
std::string_view BytesOf(const Entry* entry, char* scratch) { return entry->string(scratch); }

// How many elements changed something; nullopt: the string is corrupt.
using Changes = std::optional<uint64_t>;

// The elements argv[2..] into a sparse string. The copy is made for the first that changes it: most
// elements of a full one change nothing.
Changes AddAllSparse(CommandContext& ctx, std::string_view bytes, std::string* changed) {
  const size_t bytes_max = ctx.limits().hll_sparse_max_bytes;
  uint64_t changes = 0;
  for (size_t i = 2; i < ctx.argc(); ++i) {
    const Place place = hyperloglog::PlaceOf(ctx.arg(i));
    Added added = Added::kNo;
    if (!changed->empty() && !hyperloglog::IsSparse(*changed)) {
      added = hyperloglog::AddToDense(changed->data(), place);
    } else {
      const auto held =
          hyperloglog::SparseRegister(changed->empty() ? bytes : *changed, place.index);
      if (!held) return std::nullopt;
      if (*held >= place.rank) continue;
      if (changed->empty()) *changed = bytes;
      added = hyperloglog::AddToSparse(changed, place, bytes_max);
    }
    if (added == Added::kCorrupt) return std::nullopt;
    if (added == Added::kYes) ++changes;
  }
  return changes;
}

// The elements argv[2..] into the dense string of *entry. It is made ready to be written to for the
// first that changes it: most change nothing.
uint64_t AddAllDense(CommandContext& ctx, Entry** entry, std::string_view bytes) {
  char* writable = nullptr;
  uint64_t changes = 0;
  for (size_t i = 2; i < ctx.argc(); ++i) {
    const Place place = hyperloglog::PlaceOf(ctx.arg(i));
    if (hyperloglog::DenseRegister(bytes, place.index) >= place.rank) continue;
    if (writable == nullptr) {
      writable = ctx.db().ResizeString(entry, bytes.size(), false);
      bytes = {writable, bytes.size()};
    }
    hyperloglog::AddToDense(writable, place);
    ++changes;
  }
  if (changes > 0) hyperloglog::InvalidateCount(writable);
  return changes;
}

void PfAdd(CommandContext& ctx) {
  const Key key = ctx.key(1);
  bool failed;
  Entry* entry = ctx.FindForWrite(key, TypeId::kString, &failed);
  if (failed) return;
  const bool created = entry == nullptr;
  std::string changed;
  Changes changes;
  if (created) {
    changed = hyperloglog::New();
    const std::string empty = changed;
    changes = AddAllSparse(ctx, empty, &changed);
    if (changes) ++*changes;
    entry = ctx.db().SetString(key, "");
  } else {
    char scratch[kNumberTextMax];
    const std::string_view bytes = BytesOf(entry, scratch);
    if (!CheckHyperLogLog(ctx, bytes)) return;
    if (hyperloglog::IsSparse(bytes)) {
      changes = AddAllSparse(ctx, bytes, &changed);
    } else {
      changes = AddAllDense(ctx, &entry, bytes);
    }
  }
  if (!changes) return ReplyCorrupt(ctx);
  const bool news = *changes > 0;
  if (!changed.empty()) {
    hyperloglog::InvalidateCount(changed.data());
    StoreBytes(ctx, entry, changed);
  }
  ctx.reply().Integer(news ? 1 : 0);
  if (news) ctx.Modified(key.bytes, kNotifyString, "pfadd", *changes);
}

// The registers of argv[i], if it exists, into `registers`. False after replying an error.
// *dense is set if it is dense.
bool MergeKey(CommandContext& ctx, size_t i, Registers* registers, bool* dense) {
  bool failed;
  Entry* entry = ctx.FindForRead(ctx.key(i), TypeId::kString, &failed);
  if (failed) return false;
  if (entry == nullptr) return true;
  char scratch[kNumberTextMax];
  const std::string_view bytes = BytesOf(entry, scratch);
  if (!CheckHyperLogLog(ctx, bytes)) return false;
  if (!hyperloglog::IsSparse(bytes)) *dense = true;
  if (hyperloglog::MergeInto(bytes, registers)) return true;
  ReplyCorrupt(ctx);
  return false;
}

void CountOne(CommandContext& ctx) {
  const Key key = ctx.key(1);
  bool failed;
  Entry* entry = ctx.FindForRead(key, TypeId::kString, &failed);
  if (failed) return;
  if (entry == nullptr) return ctx.reply().Integer(0);
  char scratch[kNumberTextMax];
  const std::string_view bytes = BytesOf(entry, scratch);
  if (!CheckHyperLogLog(ctx, bytes)) return;
  if (const auto cached = hyperloglog::CachedCount(bytes)) {
    return ctx.reply().Integer(static_cast<int64_t>(*cached));
  }
  Registers registers = {};
  if (!hyperloglog::MergeInto(bytes, &registers)) return ReplyCorrupt(ctx);
  const uint64_t count = hyperloglog::Estimate(registers);
  hyperloglog::SetCachedCount(ctx.db().ResizeString(&entry, bytes.size(), false), count);
  ctx.reply().Integer(static_cast<int64_t>(count));
  // The string changed, and replicas are to have the same one; nobody is told of an event.
  ctx.Touched(key.bytes);
  ctx.Dirty();
}

void PfCount(CommandContext& ctx) {
  if (ctx.argc() == 2) return CountOne(ctx);
  Registers registers = {};
  bool dense = false;
  for (size_t i = 1; i < ctx.argc(); ++i) {
    if (!MergeKey(ctx, i, &registers, &dense)) return;
  }
  ctx.reply().Integer(static_cast<int64_t>(hyperloglog::Estimate(registers)));
}

void PfMerge(CommandContext& ctx) {
  Registers registers = {};
  bool dense = false;
  for (size_t i = 1; i < ctx.argc(); ++i) {
    if (!MergeKey(ctx, i, &registers, &dense)) return;
  }
  const Key key = ctx.key(1);
  bool failed;
  Entry* entry = ctx.FindForWrite(key, TypeId::kString, &failed);
  char scratch[kNumberTextMax];
  std::string merged = entry == nullptr ? hyperloglog::New() : std::string(BytesOf(entry, scratch));
  // Sparse only if all of them are.
  if (dense) {
    auto expanded = hyperloglog::ToDense(merged);
    if (!expanded) return ReplyCorrupt(ctx);
    merged = std::move(*expanded);
  }
  for (uint32_t i = 0; i < hyperloglog::kRegisters; ++i) {
    if (registers[i] == 0) continue;
    const Place place = {i, registers[i]};
    const Added added =
        hyperloglog::IsSparse(merged)
            ? hyperloglog::AddToSparse(&merged, place, ctx.limits().hll_sparse_max_bytes)
            : hyperloglog::AddToDense(merged.data(), place);
    if (added == Added::kCorrupt) return ReplyCorrupt(ctx);
  }
  hyperloglog::InvalidateCount(merged.data());
  if (entry == nullptr) entry = ctx.db().SetString(key, "");
  StoreBytes(ctx, entry, merged);
  ctx.reply().Ok();
  ctx.Modified(key.bytes, kNotifyString, "pfadd");
}

constexpr KeySpec kMergeKeys[] = {{.flags = kKeyRW | kKeyAccess | kKeyInsert, .begin = 1},
                                  {.flags = kKeyRO | kKeyAccess, .begin = 2, .last = -1}};

constexpr CommandSpec kCommands[] = {
    {.name = "pfadd",
     .handler = PfAdd,
     .arity = -2,
     .flags = kCmdWrite | kCmdDenyOom | kCmdFast,
     .keys = {1, 1, 1},
     .acl = kAclHyperLogLog,
     .key_flags = kKeyRW | kKeyInsert,
     .summary = "Counts elements in a HyperLogLog; replies whether that changed it.",
     .since = "2.8.9",
     .group = "hyperloglog",
     .complexity = "O(1) for each element",
     .arguments = "key [element...]"},
    {.name = "pfcount",
     .handler = PfCount,
     .arity = -2,
     .flags = kCmdReadonly | kCmdMayReplicate,
     .keys = {1, -1, 1},
     .acl = kAclHyperLogLog,
     .key_flags = kKeyRW | kKeyAccess,
     .summary = "About how many distinct elements HyperLogLogs have seen together.",
     .since = "2.8.9",
     .group = "hyperloglog",
     .complexity = "O(1) for each key",
     .arguments = "key...",
     .key_notes = "it keeps what it counted in the key"},
    {.name = "pfmerge",
     .handler = PfMerge,
     .arity = -2,
     .flags = kCmdWrite | kCmdDenyOom,
     .keys = {1, -1, 1},
     .acl = kAclHyperLogLog,
     .summary = "Merges HyperLogLogs into one.",
     .since = "2.8.9",
     .group = "hyperloglog",
     .complexity = "O(1) for each key",
     .key_specs = kMergeKeys,
     .arguments = "destkey:key [sourcekey:key...]"},
};

}  // namespace

void RegisterHyperLogLogBasics(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
