// SPDX-License-Identifier: BSD-3-Clause
// The DEBUG subcommands that look at data: digests, made-up keys, sizes of tables, listpacks.
//
// A digest says whether two data sets (or values) are equal, whatever order their tables have. It
// is not comparable with that of another kind of server: unordered parts are joined by XOR, ordered
// ones hashed in turn.
#include <array>
#include <cstring>

#include "base/glob.h"
#include "base/numbers.h"
#include "base/sha1.h"
#include "commands/server/debug_commands.h"
#include "engine/engine.h"
#include "persist/dump_payload.h"
#include "value/hash_value.h"
#include "value/list_value.h"
#include "value/set_value.h"
#include "value/stream_value.h"
#include "value/zset_value.h"

namespace backplane {
namespace {

constexpr size_t kDigestBytes = 20;

class Digest {
 public:
  void Mix(std::string_view text) {
    const std::string hash = Sha1Hex(text);
    for (size_t i = 0; i < kDigestBytes; ++i) {
      bytes_[i] ^= static_cast<unsigned char>(Nibble(hash[2 * i]) << 4 | Nibble(hash[2 * i + 1]));
    }
  }
  // What was mixed so far becomes the begin of what follows: order counts.
  void Chain(std::string_view text) {
    std::string joined(reinterpret_cast<const char*>(bytes_.data()), bytes_.size());
    joined += text;
    bytes_ = {};
    Mix(joined);
  }
  std::string Hex() const {
    constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    for (unsigned char byte : bytes_) {
      text += kDigits[byte >> 4];
      text += kDigits[byte & 15];
    }
    return text;
  }

 private:
  static int Nibble(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }
  std::array<unsigned char, kDigestBytes> bytes_{};
};

// Two parts that no other two parts join to.
std::string Pair(std::string_view first, std::string_view second) {
  return std::to_string(first.size()) + ":" + std::string(first) + std::string(second);
}

// Not what reading changes without being propagated (when consumers were seen, how often and when
// entries were delivered): a copy that was made by the commands of the stream is equal.
void DigestStream(const StreamValue& stream, Digest* digest) {
  digest->Chain(stream.last_id().ToString() + " " + stream.max_deleted_id().ToString() + " " +
                std::to_string(stream.entries_added()));
  StreamReader reader(stream.log(), kStreamIdMin, kStreamIdMax);
  Item field;
  Item value;
  ItemText a, b;
  while (reader.Next()) {
    digest->Chain(reader.id().ToString());
    while (reader.NextField(&field, &value)) digest->Chain(Pair(field.Text(a), value.Text(b)));
  }
  for (const auto& [name, group] : stream.groups()) {
    digest->Chain(Pair(name, group->last_delivered.ToString()) + " " +
                  std::to_string(group->entries_read));
    for (const auto& consumer : group->consumers()) digest->Chain(consumer.first);
    const StreamGroup::Pending& pending = group->pending();
    for (auto p = pending.Begin(); pending.Valid(p); p = pending.Next(p)) {
      const PendingEntry& entry = pending.At(p).value;
      digest->Chain(Pair(entry.consumer->name(), pending.At(p).id.ToString()));
    }
  }
}

void DigestContent(const Entry& entry, int db, Digest* digest) {
  ItemText a, b;
  switch (entry.type()) {
    case TypeId::kString: {
      char scratch[kNumberTextMax];
      return digest->Mix(entry.string(scratch));
    }
    case TypeId::kList: {
      auto& list = entry.As<ListValue>();
      return list.ForRange(0, list.length(),
                           [&](const Item& item) { digest->Chain(item.Text(a)); });
    }
    case TypeId::kSet:
      return entry.As<SetValue>().ForEach([&](const Item& item) { digest->Mix(item.Text(a)); });
    case TypeId::kHash:
      return entry.As<HashValue>().ForEach([&](const Item& field, const Item& value) {
        digest->Mix(Pair(field.Text(a), value.Text(b)));
      });
    case TypeId::kZSet:
      return entry.As<ZSetValue>().ForEach([&](const Item& member, double score) {
        // Small sorted sets do not tell -0 from 0.
        digest->Mix(Pair(member.Text(a), DoubleToString(score == 0 ? 0 : score)));
      });
    case TypeId::kStream:
      return DigestStream(entry.As<StreamValue>(), digest);
    case TypeId::kModule:
      // Of a live one only its module knows how to look at it.
      return digest->Mix(entry.value().type().is_dormant()
                             ? CreateDumpPayload(entry, 11, false)
                             : entry.value().OwnDigest(entry.key(), db));
  }
}

std::string DigestOf(const Entry& entry, int db) {
  Digest digest;
  digest.Mix(entry.type_name());
  DigestContent(entry, db, &digest);
  if (entry.has_expire()) digest.Mix("has a time to live");
  return digest.Hex();
}

}  // namespace

void DebugDigest(CommandContext& ctx) {
  Digest all;
  Keyspace& keyspace = ctx.keyspace();
  for (int i = 0; i < keyspace.database_count(); ++i) {
    const std::string number = Int64ToString(i);
    keyspace.db(i).ForEach([&](const Entry* entry) {
      all.Mix(number + "/" + Pair(entry->key(), DigestOf(*entry, i)));
    });
  }
  ctx.reply().SimpleString(all.Hex());
}

void DebugDigestValue(CommandContext& ctx) {
  ctx.reply().BeginArray(ctx.argc() - 2);
  for (size_t i = 2; i < ctx.argc(); ++i) {
    const Entry* entry = ctx.db().Peek(ctx.arg(i));
    ctx.reply().SimpleString(entry != nullptr ? DigestOf(*entry, ctx.db().index())
                                              : Digest().Hex());
  }
}

void DebugObject(CommandContext& ctx) {
  // A key whose time is over is shown as long as it is there: that is what one asks this for.
  const Entry* entry = ctx.db().LookUp(Key(ctx.arg(2)));
  if (entry == nullptr) return ctx.Error(errors::kNoSuchKey);
  // Version and checksum stand behind a payload's value.
  constexpr size_t kFooterBytes = 10;
  const std::string payload = CreateDumpPayload(*entry, 11, ctx.engine().settings().rdbcompression);
  const uint32_t clock = ctx.keyspace().access_clock();
  std::string text = "Value at:0x0 refcount:1 encoding:" + std::string(entry->encoding_name());
  text += " serializedlength:" + std::to_string(payload.size() - kFooterBytes);
  text += " lru:" + std::to_string(entry->access());
  text += " lru_seconds_idle:" + std::to_string((clock - entry->access()) & Entry::kAccessMask);
  ctx.reply().SimpleString(text);
}

void DebugPopulate(CommandContext& ctx) {
  auto count = ctx.IntegerArgIn(2, 0, INT64_MAX);
  if (!count) return;
  const std::string prefix = ctx.argc() > 3 ? std::string(ctx.arg(3)) : "key";
  size_t size = 0;
  if (ctx.argc() > 4) {
    auto wanted = ctx.IntegerArgIn(4, 0, ctx.engine().settings().proto_max_bulk_len);
    if (!wanted) return;
    size = static_cast<size_t>(*wanted);
  }
  for (int64_t i = 0; i < *count; ++i) {
    const std::string number = Int64ToString(i);
    const std::string key = prefix + ":" + number;
    if (ctx.db().Exists(key)) continue;
    std::string value = "value:" + number;
    if (size > 0) value.resize(size);
    ctx.db().SetText(key, value, TtlPolicy::kDrop);
    ctx.Touched(key);
  }
  ctx.PreventPropagation();
  ctx.reply().Ok();
}

void DebugHtStats(CommandContext& ctx) {
  auto index = ctx.DatabaseArg(2);
  if (!index) return;
  const Database& db = ctx.keyspace().db(*index);
  std::string text = "[Dictionary HT]\n";
  text += "number of elements: " + std::to_string(db.size()) + "\n";
  text += "bytes: " + std::to_string(db.TableBytes()) + "\n";
  text += "[Expires HT]\n";
  text += "number of elements: " + std::to_string(db.expires_size()) + "\n";
  text += "bytes: " + std::to_string(db.ExpiresBytes()) + "\n";
  ctx.reply().Verbatim("txt", text);
}

void DebugHtStatsKey(CommandContext& ctx) {
  const Entry* entry = ctx.db().Peek(ctx.arg(2));
  if (entry == nullptr) return ctx.Error(errors::kNoSuchKey);
  const std::string_view encoding = entry->encoding_name();
  if (encoding != "hashtable" && encoding != "skiplist") {
    return ctx.Error(
        "ERR The value stored at the specified key is not represented using an hash table");
  }
  ctx.reply().Verbatim(
      "txt", "[Value HT]\nnumber of elements: " + std::to_string(entry->value().length()) + "\n");
}

void DebugStringMatchLength(CommandContext& ctx) {
  auto length = ctx.IntegerArgIn(2, 0, ctx.engine().settings().proto_max_bulk_len);
  if (!length) return;
  const std::string text(static_cast<size_t>(*length), 'x');
  ctx.reply().Integer(GlobMatch(ctx.arg(3), text, false) ? 1 : 0);
}

}  // namespace backplane
