// SPDX-License-Identifier: BSD-3-Clause
// SINTER, SUNION, SDIFF, their STORE forms, SINTERCARD.
//
// Replies are written while the result is found; only what must be remembered becomes a set: what a
// STORE form keeps, and the members that a union has already answered.
#include <array>

#include "command/key_specs.h"
#include "commands/collection.h"
#include "commands/set/set_commands.h"
#include "value/set_value.h"

namespace backplane {
namespace {

// The operands of a command; nullptr for a key that does not exist.
using Operands = std::vector<const SetValue*>;

// Looks up argv[first..first + count); false after replying WRONGTYPE.
bool FindOperands(CommandContext& ctx, size_t first, size_t count, Operands* sets) {
  sets->reserve(count);
  bool failed = false;
  for (size_t i = first; i < first + count && !failed; ++i) {
    sets->push_back(FindValueForRead<SetValue>(ctx, i, TypeId::kSet, &failed));
  }
  return !failed;
}

// Hands the members of a set on in groups, with the places where the sets in `probed` have them
// already on their way into the cache. f(Item) returns whether to go on.
template <class F>
void ForEachProbing(const SetValue& set, std::span<const SetValue* const> probed, F&& f) {
  constexpr size_t kGroup = 16;
  std::array<Item, kGroup> group;
  std::array<uint64_t, kGroup> hashes;
  size_t filled = 0;
  auto flush = [&] {
    for (const SetValue* other : probed) {
      for (size_t i = 0; i < filled; ++i) other->PrefetchBucket(hashes[i]);
      for (size_t i = 0; i < filled; ++i) other->PrefetchEntry(hashes[i]);
    }
    bool go_on = true;
    for (size_t i = 0; i < filled && go_on; ++i) go_on = f(group[i]);
    filled = 0;
    return go_on;
  };
  set.ForEachWhile([&](const Item& member) {
    ItemText scratch;
    group[filled] = member;
    hashes[filled] = HashBytes(member.Text(scratch));
    return ++filled < kGroup || flush();
  });
  flush();
}

// Calls f(Item) for the members of all sets, until it returns false.
template <class F>
void Intersect(Operands sets, F&& f) {
  if (std::find(sets.begin(), sets.end(), nullptr) != sets.end()) return;
  std::sort(sets.begin(), sets.end(),
            [](const SetValue* a, const SetValue* b) { return a->length() < b->length(); });
  const std::span<const SetValue* const> others(sets.begin() + 1, sets.end());
  ForEachProbing(*sets[0], others, [&](const Item& member) {
    for (const SetValue* other : others) {
      if (other != sets[0] && !other->Contains(member)) return true;
    }
    return f(member);
  });
}

// Calls f(Item) for the members of the first set that no other has.
template <class F>
void Subtract(const Operands& sets, F&& f) {
  if (sets[0] == nullptr) return;
  Operands others;
  for (size_t i = 1; i < sets.size(); ++i) {
    if (sets[i] == sets[0]) return;
    if (sets[i] != nullptr) others.push_back(sets[i]);
  }
  // The largest is the likeliest to have a member.
  std::sort(others.begin(), others.end(),
            [](const SetValue* a, const SetValue* b) { return a->length() > b->length(); });
  ForEachProbing(*sets[0], others, [&](const Item& member) {
    for (const SetValue* other : others) {
      if (other->Contains(member)) return true;
    }
    f(member);
    return true;
  });
}

enum class Operation : uint8_t { kInter, kUnion, kDiff };

void Answer(CommandContext& ctx, Operation operation) {
  Operands sets;
  if (!FindOperands(ctx, 1, ctx.argc() - 1, &sets)) return;
  ReplySink& reply = ctx.reply();
  const auto deferred = reply.BeginDeferred(AggregateKind::kSet);
  uint64_t count = 0;
  auto answer = [&](const Item& member) {
    ReplyItem(reply, member);
    ++count;
    return true;
  };
  switch (operation) {
    case Operation::kInter:
      Intersect(std::move(sets), answer);
      break;
    case Operation::kDiff:
      Subtract(sets, answer);
      break;
    case Operation::kUnion: {
      uint64_t total = 0;
      for (const SetValue* set : sets) total += set != nullptr ? set->length() : 0;
      const auto seen = SetValue::Create({}, total, ctx.limits());
      for (const SetValue* set : sets) {
        if (set == nullptr) continue;
        set->ForEach([&](const Item& member) {
          if (seen->Add(member, ctx.limits())) answer(member);
        });
      }
      break;
    }
  }
  reply.EndDeferred(deferred, count);
}

void Store(CommandContext& ctx, Operation operation, std::string_view event) {
  Operands sets;
  if (!FindOperands(ctx, 2, ctx.argc() - 2, &sets)) return;
  const EncodingLimits& limits = ctx.limits();
  // Starts as the smallest encoding and becomes what the members ask for.
  auto result = std::make_unique<SetValue>();
  auto add = [&](const Item& member) {
    result->Add(member, limits);
    return true;
  };
  switch (operation) {
    case Operation::kInter:
      Intersect(std::move(sets), add);
      break;
    case Operation::kDiff:
      Subtract(sets, add);
      break;
    case Operation::kUnion:
      for (const SetValue* set : sets) {
        if (set != nullptr) set->ForEach(add);
      }
      break;
  }
  StoreResult(ctx, ctx.key(1), std::move(result), kNotifySet, event);
}

void SInter(CommandContext& ctx) { Answer(ctx, Operation::kInter); }
void SUnion(CommandContext& ctx) { Answer(ctx, Operation::kUnion); }
void SDiff(CommandContext& ctx) { Answer(ctx, Operation::kDiff); }
void SInterStore(CommandContext& ctx) { Store(ctx, Operation::kInter, "sinterstore"); }
void SUnionStore(CommandContext& ctx) { Store(ctx, Operation::kUnion, "sunionstore"); }
void SDiffStore(CommandContext& ctx) { Store(ctx, Operation::kDiff, "sdiffstore"); }

void SInterCard(CommandContext& ctx) {
  const auto keys = ctx.IntegerArgIn(1, 1, INT64_MAX, "ERR numkeys should be greater than 0");
  if (!keys) return;
  if (static_cast<uint64_t>(*keys) > ctx.argc() - 2) {
    return ctx.Error("ERR Number of keys can't be greater than number of args");
  }
  int64_t limit = 0;
  for (size_t i = 2 + static_cast<size_t>(*keys); i < ctx.argc(); i += 2) {
    if (i + 1 == ctx.argc() || !ctx.ArgIs(i, "limit")) return ctx.Error(errors::kSyntax);
    const auto parsed = ctx.IntegerArgIn(i + 1, 0, INT64_MAX, "ERR LIMIT can't be negative");
    if (!parsed) return;
    limit = *parsed;
  }
  Operands sets;
  if (!FindOperands(ctx, 2, static_cast<size_t>(*keys), &sets)) return;
  int64_t count = 0;
  Intersect(std::move(sets), [&](const Item&) { return ++count != limit; });
  ctx.reply().Integer(count);
}

constexpr CommandSpec kCommands[] = {
    {.name = "sinter",
     .handler = SInter,
     .arity = -2,
     .flags = kCmdReadonly,
     .keys = {1, -1, 1},
     .acl = kAclSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The members that all of the sets have.",
     .since = "1.0.0",
     .group = "set",
     .complexity = "O(N*M): size of the smallest set, and number of sets",
     .arguments = "key...",
     .tips = "nondeterministic_output_order"},
    {.name = "sunion",
     .handler = SUnion,
     .arity = -2,
     .flags = kCmdReadonly,
     .keys = {1, -1, 1},
     .acl = kAclSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The members that any of the sets has.",
     .since = "1.0.0",
     .group = "set",
     .complexity = "O(N) in the sizes of all sets",
     .arguments = "key...",
     .tips = "nondeterministic_output_order"},
    {.name = "sdiff",
     .handler = SDiff,
     .arity = -2,
     .flags = kCmdReadonly,
     .keys = {1, -1, 1},
     .acl = kAclSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "The members of the first set that no other has.",
     .since = "1.0.0",
     .group = "set",
     .complexity = "O(N*M): size of the first set, and number of sets",
     .arguments = "key...",
     .tips = "nondeterministic_output_order"},
    {.name = "sinterstore",
     .handler = SInterStore,
     .arity = -3,
     .flags = kCmdWrite | kCmdDenyOom,
     .keys = {1, -1, 1},
     .acl = kAclSet,
     .summary = "Stores the members that all of the sets have.",
     .since = "1.0.0",
     .group = "set",
     .complexity = "O(N*M): size of the smallest set, and number of sets",
     .key_specs = key_specs::kUpdateFromMany,
     .arguments = "destination:key key..."},
    {.name = "sunionstore",
     .handler = SUnionStore,
     .arity = -3,
     .flags = kCmdWrite | kCmdDenyOom,
     .keys = {1, -1, 1},
     .acl = kAclSet,
     .summary = "Stores the members that any of the sets has.",
     .since = "1.0.0",
     .group = "set",
     .complexity = "O(N) in the sizes of all sets",
     .key_specs = key_specs::kStoreFromMany,
     .arguments = "destination:key key..."},
    {.name = "sdiffstore",
     .handler = SDiffStore,
     .arity = -3,
     .flags = kCmdWrite | kCmdDenyOom,
     .keys = {1, -1, 1},
     .acl = kAclSet,
     .summary = "Stores the members of the first set that no other has.",
     .since = "1.0.0",
     .group = "set",
     .complexity = "O(N*M): size of the first set, and number of sets",
     .key_specs = key_specs::kStoreFromMany,
     .arguments = "destination:key key..."},
    {.name = "sintercard",
     .handler = SInterCard,
     .arity = -3,
     .flags = kCmdReadonly | kCmdMovableKeys,
     .acl = kAclSet,
     .key_flags = kKeyRO | kKeyAccess,
     .summary = "Counts the members that all of the sets have.",
     .since = "7.0.0",
     .group = "set",
     .complexity = "O(N*M): size of the smallest set, and number of sets",
     .keynum = {.numkeys_index = 1},
     .arguments = "numkeys:integer key... [LIMIT limit:integer]"},
};

}  // namespace

void RegisterSetAlgebra(CommandRegistry& registry) { registry.Add(kCommands); }

}  // namespace backplane
