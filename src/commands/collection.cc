// SPDX-License-Identifier: BSD-3-Clause
// What the families of collections share; contract in collection.h.
#include "commands/collection.h"

#include <cerrno>
#include <cstdlib>
#include <string>

#include "base/ascii.h"
#include "base/numbers.h"
#include "engine/clients.h"
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

OutputGuard::OutputGuard(CommandContext& ctx) {
  Session& session = ctx.session();
  // A blocked client's own replies go nowhere; CLIENT REPLY and EXEC of a module's call have sinks
  // of their own.
  const bool replies = !session.blocked() && &session.reply() == &ctx.reply();
  if (session.link() == nullptr || !replies) return;
  link_ = session.link();
  hard_bytes_ = OutputLimitOf(session, ctx.engine().settings()).hard_bytes;
}

std::optional<RandomCount> ParseRandomCount(CommandContext& ctx, std::string_view word) {
  // Draws with repetition are not bounded by what the value holds; this many are no reply that any
  // client could take. Where the client's output has a limit, that ends the reply.
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
      (random.repeats && random.count > kMaxRepeats && !OutputGuard(ctx).limited())) {
    ctx.Error(errors::kOutOfRange);
    return std::nullopt;
  }
  return random;
}

std::optional<uint64_t> CursorArg(CommandContext& ctx, size_t arg) {
  // As strtoul reads it, since that is what clients got away with: no text is 0, a sign is fine, a
  // leading blank is not.
  const std::string text(ctx.arg(arg));
  char* end = nullptr;
  errno = 0;
  const uint64_t cursor = std::strtoull(text.c_str(), &end, 10);
  const bool blank = !text.empty() && IsAsciiSpace(text[0]);
  if (!blank && *end == '\0' && errno != ERANGE) return cursor;
  ctx.Error(errors::kInvalidCursor);
  return std::nullopt;
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
