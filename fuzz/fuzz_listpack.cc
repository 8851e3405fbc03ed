// SPDX-License-Identifier: BSD-3-Clause
// Fuzzes the compact sequences that RDB files and DUMP payloads hold: listpacks, and the ziplists,
// zipmaps and intsets of older files. The bytes are one such sequence, without the string and the
// value around it, so that nearly every input gets to its parser. What is accepted must be walked
// both ways, be changed, and become a hash, set, sorted set or list that can be used, copied, saved
// and loaded again as the same.
//
//   input = how:u8 bytes       bits 0-5 of how: what is loaded from the bytes; bit 6: small limits,
//                              so that the large forms are made; bit 7: the bytes are elements, and
//                              the frame that their format has around them is made here
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "value/hash_value.h"
#include "value/limits.h"
#include "value/list_value.h"
#include "value/listpack.h"
#include "value/load_support.h"
#include "value/rdb_test_support.h"
#include "value/set_value.h"
#include "value/zset_value.h"

using namespace backplane;

namespace {

using testing_support::LoadFromString;
using testing_support::MemoryWriter;
using testing_support::SaveToString;

// What is looked for, element by element, is so much at most: a round shall be short.
constexpr uint32_t kLookedAtMax = 64;

void Check(bool good) {
  if (!good) std::abort();
}

std::string Little(uint32_t number) {
  std::string out;
  for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(number >> shift));
  return out;
}

// total-bytes, count "not known", the elements, the end.
std::string FramedListpack(std::string_view elements) {
  const auto total = static_cast<uint32_t>(Listpack::kHeaderSize + elements.size() + 1);
  return Little(total) + "\xff\xff" + std::string(elements) + "\xff";
}

// The input is a row of (size:u8, encoding and data of that size): each becomes an entry behind the
// size of the one before.
std::string FramedZiplist(std::string_view input) {
  constexpr uint32_t kHeader = 10;
  std::string entries;
  size_t last = 0;
  while (!input.empty()) {
    const size_t size = std::min<size_t>(static_cast<uint8_t>(input[0]), input.size() - 1);
    const size_t previous = entries.size() - last;
    last = entries.size();
    entries += previous < 0xFE ? std::string(1, static_cast<char>(previous))
                               : "\xfe" + Little(static_cast<uint32_t>(previous));
    entries += input.substr(1, size);
    input.remove_prefix(1 + size);
  }
  return Little(static_cast<uint32_t>(kHeader + entries.size() + 1)) +
         Little(static_cast<uint32_t>(kHeader + last)) + "\xff\xff" + entries + "\xff";
}

// The first byte says how wide members are.
std::string FramedIntset(std::string_view input) {
  const uint32_t width = input.empty() ? 2 : 2u << static_cast<uint8_t>(input[0]) % 3;
  if (!input.empty()) input.remove_prefix(1);
  const auto count = static_cast<uint32_t>(input.size() / width);
  return Little(width) + Little(count) + std::string(input.substr(0, size_t{count} * width));
}

std::string Framed(uint8_t rdb_type, std::string_view input) {
  switch (rdb_type) {
    case rdb::kListZiplist:
    case rdb::kListQuicklist:
    case rdb::kHashZiplist:
    case rdb::kZSetZiplist:
      return FramedZiplist(input);
    case rdb::kHashZipmap:
      return "\xfe" + std::string(input) + "\xff";
    case rdb::kSetIntset:
      return FramedIntset(input);
    default:
      return FramedListpack(input);
  }
}

void CheckSound(const Listpack& pack, uint32_t count) {
  uint32_t counted = 0;
  Check(ValidateListpack(pack.Raw(), &counted) && counted == count && pack.Count() == count);
}

std::vector<std::string> Walked(const Listpack& pack) {
  std::vector<std::string> texts;
  for (auto at = pack.First(); at != Listpack::kNone; at = pack.Next(at)) {
    texts.push_back(pack.Get(at).ToString());
  }
  size_t left = texts.size();
  for (auto at = pack.Last(); at != Listpack::kNone; at = pack.Prev(at)) {
    Check(left > 0 && pack.Get(at).Equals(texts[--left]));
  }
  Check(left == 0);
  return texts;
}

void ChangeListpack(Listpack pack, const std::vector<std::string>& texts) {
  const auto count = static_cast<uint32_t>(texts.size());
  for (uint32_t i = 0; i < count && i < kLookedAtMax; ++i) {
    const auto at = pack.Seek(i);
    Check(at == pack.Seek(static_cast<int64_t>(i) - count) && pack.Get(at).Equals(texts[i]));
    const auto found = pack.Find(pack.First(), texts[i]);
    Check(found != Listpack::kNone && found <= at);
  }
  Check(pack.Seek(count) == Listpack::kNone);
  pack.Append("a text");
  pack.Prepend("-129");
  CheckSound(pack, count + 2);
  const auto middle = pack.Seek(count / 2 + 1);
  pack.InsertBefore(middle, "70000");
  pack.Replace(pack.Seek(count / 2), std::string(5000, 'x'));
  CheckSound(pack, count + 3);
  Listpack behind = pack.SplitOff(pack.Seek(count / 2 + 1));
  CheckSound(behind, count + 3 - (count / 2 + 1));
  behind.AppendAll(pack);
  pack.PrependAll(behind);
  CheckSound(behind, count + 3);
  behind.Erase(behind.First(), count);
  CheckSound(behind, 3);
}

std::map<std::string, std::string> Contents(const Value& value) {
  std::map<std::string, std::string> out;
  switch (value.type().id()) {
    case TypeId::kHash:
      static_cast<const HashValue&>(value).ForEach([&](const Item& field, const Item& text) {
        out.emplace(field.ToString(), text.ToString());
      });
      break;
    case TypeId::kSet:
      static_cast<const SetValue&>(value).ForEach(
          [&](const Item& member) { out.emplace(member.ToString(), ""); });
      break;
    case TypeId::kZSet:
      static_cast<const ZSetValue&>(value).ForEach([&](const Item& member, double score) {
        out.emplace(member.ToString(), std::to_string(score));
      });
      break;
    default: {
      const auto& list = static_cast<const ListValue&>(value);
      list.ForRange(0, list.length(), [&](const Item& item) {
        out.emplace(std::to_string(out.size()), item.ToString());
      });
    }
  }
  Check(out.size() == value.length() && !out.empty());
  return out;
}

// A member each is changed, looked for and taken out.
void ChangeValue(Value& value, const std::string& name, const EncodingLimits& limits) {
  const uint64_t length = value.length();
  switch (value.type().id()) {
    case TypeId::kHash: {
      auto& hash = static_cast<HashValue&>(value);
      Check(!hash.Set(name, "another", limits) && hash.Erase(name) && !hash.Contains(name));
      break;
    }
    case TypeId::kSet: {
      auto& set = static_cast<SetValue&>(value);
      Check(!set.Add(name, limits) && set.Remove(name) && !set.Contains(name));
      break;
    }
    case TypeId::kZSet: {
      auto& zset = static_cast<ZSetValue&>(value);
      Check(zset.Rank(name, false).has_value());
      zset.Add(name, 1.5, {}, limits);
      Check(zset.Remove(name) && !zset.Rank(name, true).has_value());
      break;
    }
    default: {
      auto& list = static_cast<ListValue&>(value);
      Check(list.Set(-1, "another", limits));
      list.InsertAt(length / 2, "one more", limits);
      list.Drop(ListEnd::kHead, 2, limits);
    }
  }
  Check(value.length() == length - 1);
}

void UseAs(uint8_t rdb_type, std::string_view bytes, const EncodingLimits& limits) {
  MemoryWriter body;
  if (rdb_type == rdb::kListQuicklist || rdb_type == rdb::kListQuicklist2) body.WriteLength(1);
  if (rdb_type == rdb::kListQuicklist2) body.WriteLength(2);
  body.WriteString(bytes);
  auto loaded = LoadFromString(rdb_type, body.bytes, limits);
  if (!loaded.has_value()) return;
  Value& value = **loaded;
  const auto contents = Contents(value);
  Check(value.MemoryUsage(0) > 0 && Contents(*value.Clone()) == contents);
  for (const int version : {10, 11}) {
    auto again =
        LoadFromString(value.rdb_type(version), SaveToString(value, version), EncodingLimits());
    Check(again.has_value() && Contents(**again) == contents);
  }
  ChangeValue(value, contents.begin()->first, limits);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const uint8_t how = data[0];
  constexpr uint8_t kTypes[] = {rdb::kHashListpack,   rdb::kSetListpack,   rdb::kZSetListpack,
                                rdb::kListQuicklist2, rdb::kHashZiplist,   rdb::kZSetZiplist,
                                rdb::kListZiplist,    rdb::kListQuicklist, rdb::kHashZipmap,
                                rdb::kSetIntset};
  const uint8_t type = kTypes[(how & 0x3f) % std::size(kTypes)];
  const std::string_view input(reinterpret_cast<const char*>(data + 1), size - 1);
  const std::string bytes = (how & 0x80) != 0 ? Framed(type, input) : std::string(input);
  uint32_t count = 0;
  if (ValidateListpack(bytes, &count)) {
    Listpack pack = Listpack::CopyOf(bytes);
    const auto texts = Walked(pack);
    Check(texts.size() == count);
    ChangeListpack(std::move(pack), texts);
  }
  EncodingLimits limits;
  if ((how & 0x40) != 0) {
    limits = {.hash_max_listpack_entries = 2,
              .list_max_listpack_size = 2,
              .set_max_intset_entries = 2,
              .set_max_listpack_entries = 2,
              .zset_max_listpack_entries = 2};
  }
  UseAs(type, bytes, limits);
  return 0;
}
