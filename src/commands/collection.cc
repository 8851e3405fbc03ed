// SPDX-License-Identifier: BSD-3-Clause
// What the families of collections share; contract in collection.h.
#include "commands/collection.h"

#include <charconv>

#include "base/numbers.h"
#include "engine/engine.h"

namespace backplane {

bool PropagationWanted(CommandContext& ctx) { return ctx.engine().propagation().wanted(); }

void StoreResult(CommandContext& ctx, const Key& destination, std::unique_ptr<Value> result,
                 uint32_t notify_class, std::string_view event) {
  const uint64_t length = result != nullptr ? result->length() : 0;
  ctx.reply().Integer(static_cast<int64_t>(length));
  if (length > 0) {
    ctx.db().SetValue(destination, std::move(result));
    ctx.Modified(destination.bytes, notify_class, event);
  } else if (ctx.db().Delete(destination, ctx.engine().settings().lazyfree_lazy_server_del)) {
    ctx.Modified(destination.bytes, kNotifyGeneric, "del");
  }
}

std::optional<int64_t> NegatableArg(CommandContext& ctx, size_t i) {
  const auto value = ctx.IntegerArg(i);
  if (value && *value == INT64_MIN) {
    ctx.Error(
        "ERR value is out of range, value must between -9223372036854775807 and "
        "9223372036854775807");
    return std::nullopt;
  }
  return value;
}

std::optional<RandomCount> ParseRandomCount(CommandContext& ctx, std::string_view word) {
  // Draws with repetition are not bounded by what the value holds; this many are no reply that any
  // client could take.
  constexpr int64_t kMaxRepeats = int64_t{1} << 28;
  const auto count = NegatableArg(ctx, 2);
  if (!count) return std::nullopt;
  RandomCount random;
  if (ctx.argc() > 4 || (ctx.argc() == 4 && (word.empty() || !ctx.ArgIs(3, word)))) {
    ctx.Error(errors::kSyntax);
    return std::nullopt;
  }
  random.pairs = ctx.argc() == 4;
  random.repeats = *count < 0;
  random.count = static_cast<uint64_t>(random.repeats ? -*count : *count);
  if ((random.pairs && random.count > INT64_MAX / 2) ||
      (random.repeats && random.count > kMaxRepeats)) {
    ctx.Error(errors::kOutOfRange);
    return std::nullopt;
  }
  return random;
}

bool CheckCursor(CommandContext& ctx, size_t arg) {
  const std::string_view text = ctx.arg(arg);
  uint64_t cursor;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), cursor);
  if (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size()) return true;
  ctx.Error(errors::kInvalidCursor);
  return false;
}

void ReplyScanned(CommandContext& ctx, uint64_t cursor, ScanShape shape,
                  const std::vector<ScannedElement>& found) {
  ReplySink& reply = ctx.reply();
  char text[kNumberTextMax];
  reply.BeginArray(2);
  reply.Bulk({text, Uint64ToText(cursor, text)});
  reply.BeginArray(shape == ScanShape::kElements ? found.size() : found.size() * 2);
  for (const ScannedElement& e : found) {
    ReplyItem(reply, e.element);
    if (shape == ScanShape::kElementsAndValues) ReplyItem(reply, e.value);
    // Text in RESP3 too.
    if (shape == ScanShape::kElementsAndScores) reply.Bulk({text, DoubleToText(e.score, text)});
  }
}

}  // namespace backplane
