// SPDX-License-Identifier: BSD-3-Clause
// For tests of persist/: a data set with every encoding, and the contents of a keyspace as text
// that does not depend on the order in tables.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/numbers.h"
#include "base/random.h"
#include "keyspace/keyspace.h"
#include "persist/snapshot_loader.h"
#include "persist/snapshot_writer.h"
#include "value/dormant_value.h"
#include "value/hash_value.h"
#include "value/list_value.h"
#include "value/set_value.h"
#include "value/stream_value.h"
#include "value/zset_value.h"

namespace backplane::testing_support {

inline std::string Join(std::vector<std::string> parts, bool sorted) {
  if (sorted) std::sort(parts.begin(), parts.end());
  std::string out;
  for (const std::string& part : parts) out += std::to_string(part.size()) + ":" + part;
  return out;
}

inline std::vector<std::string> DescribeStream(const StreamValue& stream) {
  std::vector<std::string> parts = {stream.last_id().ToString(), stream.max_deleted_id().ToString(),
                                    std::to_string(stream.entries_added())};
  StreamReader reader(stream.log(), kStreamIdMin, kStreamIdMax);
  Item field;
  Item text;
  while (reader.Next()) {
    parts.push_back(reader.id().ToString());
    while (reader.NextField(&field, &text)) {
      parts.push_back(field.ToString() + "=" + text.ToString());
    }
  }
  for (const auto& [name, group] : stream.groups()) {
    parts.push_back(name + "@" + group->last_delivered.ToString() + "#" +
                    std::to_string(group->entries_read));
    const auto& pending = group->pending();
    for (auto p = pending.Begin(); pending.Valid(p); p = pending.Next(p)) {
      const PendingEntry& entry = pending.At(p).value;
      parts.push_back(pending.At(p).id.ToString() + ">" + entry.consumer->name() + "*" +
                      std::to_string(entry.deliveries) + "@" + std::to_string(entry.delivered_ms));
    }
    for (const auto& [consumer_name, consumer] : group->consumers()) {
      parts.push_back(consumer_name + ":" + std::to_string(consumer->pending().size()) + "@" +
                      std::to_string(consumer->seen_ms) + "," +
                      std::to_string(consumer->active_ms));
    }
  }
  return parts;
}

inline std::string Describe(const Value& value) {
  std::vector<std::string> parts;
  bool sorted = false;
  if (const DormantValue* dormant = AsDormant(value)) {
    parts = {std::to_string(dormant->type_id()), std::string(dormant->body())};
  } else if (value.type().id() == TypeId::kStream) {
    parts = DescribeStream(static_cast<const StreamValue&>(value));
  } else if (value.type().id() == TypeId::kList) {
    const auto& list = static_cast<const ListValue&>(value);
    list.ForRange(0, list.length(), [&](const Item& item) { parts.push_back(item.ToString()); });
  } else if (value.type().id() == TypeId::kSet) {
    sorted = true;
    static_cast<const SetValue&>(value).ForEach(
        [&](const Item& member) { parts.push_back(member.ToString()); });
  } else if (value.type().id() == TypeId::kHash) {
    sorted = true;
    static_cast<const HashValue&>(value).ForEach([&](const Item& field, const Item& text) {
      parts.push_back(field.ToString() + "=" + text.ToString());
    });
  } else if (value.type().id() == TypeId::kZSet) {
    static_cast<const ZSetValue&>(value).ForEach([&](const Item& member, double score) {
      parts.push_back(DoubleToString(score) + " " + member.ToString());
    });
  }
  return std::string(value.type().name()) + "/" + std::string(value.encoding_name()) + " " +
         Join(std::move(parts), sorted);
}

inline std::string Describe(const Entry& entry) {
  std::string text;
  if (entry.is_string()) {
    char scratch[kNumberTextMax];
    text = "string/" + std::string(entry.encoding_name()) + " ";
    text += entry.string(scratch);
  } else {
    text = Describe(entry.value());
  }
  if (entry.has_expire()) text += " @" + std::to_string(entry.expire_ms());
  return text;
}

// "db/key" -> what it holds.
inline std::map<std::string, std::string> Contents(Keyspace& keyspace) {
  std::map<std::string, std::string> out;
  for (int i = 0; i < keyspace.database_count(); ++i) {
    keyspace.db(i).ForEach([&](const Entry* entry) {
      out[std::to_string(i) + "/" + std::string(entry->key())] = Describe(*entry);
    });
  }
  return out;
}

// Bytes that LZF cannot make smaller.
inline std::string Noise(size_t size, uint64_t seed = 7) {
  Random random(seed);
  std::string out(size, '\0');
  for (char& c : out) c = static_cast<char>(random.Below(256));
  return out;
}

// A list of one element per 100 and so on: `count` elements with text, numbers and long ones.
inline std::unique_ptr<Value> MakeList(int count, const EncodingLimits& limits) {
  auto list = std::make_unique<ListValue>();
  for (int i = 0; i < count; ++i) {
    const std::string text = i % 3 == 0   ? std::to_string(i * 7919)
                             : i % 3 == 1 ? "element-" + std::to_string(i)
                                          : std::string(static_cast<size_t>(i % 90), 'x');
    list->Push(ListEnd::kTail, text, limits);
  }
  return list;
}

inline std::unique_ptr<Value> MakeSet(int count, bool numbers, const EncodingLimits& limits) {
  auto set = std::make_unique<SetValue>();
  for (int i = 0; i < count; ++i) {
    set->Add(numbers ? std::to_string(i * 100003) : "member-" + std::to_string(i), limits);
  }
  return set;
}

inline std::unique_ptr<Value> MakeHash(int count, const EncodingLimits& limits) {
  auto hash = std::make_unique<HashValue>();
  for (int i = 0; i < count; ++i) {
    hash->Set("field-" + std::to_string(i), std::to_string(i), limits);
  }
  return hash;
}

inline std::unique_ptr<Value> MakeZSet(int count, const EncodingLimits& limits) {
  auto zset = std::make_unique<ZSetValue>();
  for (int i = 0; i < count; ++i) {
    zset->Add("member-" + std::to_string(i), i * 0.5 - 3, {}, limits);
  }
  return zset;
}

// A module value's body: UINT 7, STRING "hello", DOUBLE, EOF.
inline std::string ModuleBody() {
  return std::string("\x02\x07\x05\x05hello\x04\0\0\0\0\0\0\xf8\x3f\0", 19);
}

// Every type in every encoding, with TTLs here and there. `large`: beyond the thresholds too.
inline void Fill(Keyspace& keyspace, bool large = true) {
  const EncodingLimits& limits = keyspace.limits();
  Database& db = keyspace.db(0);
  for (const int64_t number : {int64_t{0}, int64_t{-1}, int64_t{127}, int64_t{-129}, int64_t{32768},
                               int64_t{-2147483648}, int64_t{2147483648}, INT64_MAX, INT64_MIN}) {
    db.SetString("int:" + std::to_string(number), std::to_string(number));
  }
  db.SetString("empty", "");
  db.SetString("zero", "007");
  db.SetString("embstr", std::string(44, 'e'));
  db.SetString("noise", Noise(60));
  db.SetString("compressible", std::string(300, 'c'));
  db.SetString("", "under the empty key");
  db.SetValue("list", MakeList(10, limits));
  db.SetValue("set:int", MakeSet(10, true, limits));
  db.SetValue("set:text", MakeSet(10, false, limits));
  db.SetValue("hash", MakeHash(10, limits));
  db.SetValue("zset", MakeZSet(10, limits));
  DormantType& type = keyspace.dormant_types().Of(ModuleTypeId("testtype1", 3));
  db.SetValue("dormant", DormantValue::New(type, ModuleBody()));
  Database& other = keyspace.db(keyspace.database_count() - 1);
  other.SetString("ttl", "value");
  other.SetExpire(other.Peek("ttl"), 4102444800000);
  other.SetValue("ttl:list", MakeList(3, limits));
  other.SetExpire(other.Peek("ttl:list"), 4102444800001);
  if (!large) return;
  db.SetString("noise:long", Noise(20000));
  db.SetString("compressible:long", std::string(500000, 'y'));
  db.SetString(std::string(70000, 'k'), "under a long key");
  db.SetValue("list:large", MakeList(5000, limits));
  db.SetValue("set:int:large", MakeSet(1000, true, limits));
  db.SetValue("set:text:large", MakeSet(1000, false, limits));
  db.SetValue("hash:large", MakeHash(1000, limits));
  db.SetValue("zset:large", MakeZSet(1000, limits));
  for (int i = 0; i < 5000; ++i) db.SetString("key:" + std::to_string(i), "v" + std::to_string(i));
}

inline std::string SaveToBytes(Keyspace& keyspace, const SnapshotSaveOptions& options = {}) {
  // Unlike a StringSink's own default, with a checksum.
  std::string bytes;
  StringSink sink(&bytes);
  EXPECT_TRUE(WriteSnapshot(keyspace, options, sink).has_value());
  return bytes;
}

inline Result<SnapshotLoadReport> LoadFromBytes(std::string_view bytes, Keyspace& keyspace,
                                                const SnapshotLoadOptions& options = {}) {
  // A copy of exactly this size, so that ASan sees the first byte too far.
  const auto exact = std::make_unique<char[]>(bytes.size());
  std::copy(bytes.begin(), bytes.end(), exact.get());
  MemorySource source({exact.get(), bytes.size()});
  return LoadSnapshot(source, keyspace, options);
}

}  // namespace backplane::testing_support
