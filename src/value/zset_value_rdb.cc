// SPDX-License-Identifier: BSD-3-Clause
// Sorted sets in RDB. The bodies behind the type byte:
//   ZSET (3)            length, (string member, text double)*
//   ZSET_2 (5)          length, (string member, binary double)*
//   ZSET_ZIPLIST (12)   string: a ziplist of member, score, ... ascending
//   ZSET_LISTPACK (17)  string: a listpack of member, score, ... ascending
// Written are 17 (since version 10) and 5. ZSET_2 goes from the highest score to the lowest, which
// is the order that a skiplist loads fastest.
#include <algorithm>
#include <cmath>

#include "base/numbers.h"
#include "value/load_support.h"
#include "value/zset_value.h"

namespace backplane {

uint8_t ZSetValue::rdb_type(int /*rdb_version*/) const {
  return is_large() ? rdb::kZSet2 : rdb::kZSetListpack;
}

void ZSetValue::Save(ValueWriter& writer) const {
  if (!is_large()) return writer.WriteString(slot_.listpack().Raw());
  writer.WriteLength(length());
  ForSpan({0, length()}, /*reverse=*/true, [&](const Item& member, double score) {
    writer.WriteString(member.bytes());
    writer.WriteBinaryDouble(score);
  });
}

// Is every member followed by a number? `*ordered` tells whether they ascend strictly.
bool ZSetValue::PackIsSound(const Listpack& pack, bool* ordered) {
  *ordered = true;
  double last_score = 0;
  std::string last_member;
  ItemText scratch;
  for (auto at = pack.First(); at != Listpack::kNone;) {
    const std::string member(pack.Get(at).Text(scratch));
    const auto score_at = pack.Next(at);
    if (score_at == Listpack::kNone) return false;
    const Item score_item = pack.Get(score_at);
    if (!score_item.is_number() && !ParseDouble(score_item.bytes())) return false;
    const double score = ScoreOf(score_item);
    if (at != pack.First() &&
        (score < last_score || (score == last_score && member <= last_member))) {
      *ordered = false;
    }
    last_score = score;
    last_member = member;
    at = pack.Next(score_at);
  }
  return true;
}

Status ZSetValue::LoadMembers(uint8_t rdb_type, ZSetValue& zset, ValueReader& reader) {
  BP_ASSIGN_OR_RETURN(const uint64_t count, ReadCount(reader, 2));
  zset.ConvertToLarge(count);
  for (uint64_t i = 0; i < count; ++i) {
    BP_ASSIGN_OR_RETURN(const std::string member, reader.ReadString());
    BP_ASSIGN_OR_RETURN(const double score, rdb_type == rdb::kZSet2 ? reader.ReadBinaryDouble()
                                                                    : reader.ReadTextDouble());
    if (std::isnan(score)) return Corrupt("sorted set score is not a number");
    const uint64_t hash = HashBytes(member);
    if (zset.large().table.Find(member, hash) != nullptr) {
      return Corrupt("duplicate sorted set member");
    }
    InsertIntoLarge(zset.large(), member, score, hash);
  }
  return {};
}

Status ZSetValue::LoadPack(uint8_t rdb_type, ZSetValue& zset, ValueReader& reader) {
  BP_ASSIGN_OR_RETURN(const std::string bytes, reader.ReadString());
  BP_ASSIGN_OR_RETURN(Listpack pack, rdb_type == rdb::kZSetListpack ? ListpackFromBytes(bytes)
                                                                    : ListpackFromZiplist(bytes));
  bool ordered;
  if (!PackIsSound(pack, &ordered)) return Corrupt("sorted set member without a score");
  if (!ElementsAreDistinct(pack, 2)) return Corrupt("duplicate sorted set member");
  zset.slot_.listpack() = std::move(pack);
  if (!ordered) {
    // No writer we know leaves it so, but nothing is lost: the tree puts it in order.
    zset.ConvertToLarge(zset.length());
    zset.ConvertToListpack();
  }
  return {};
}

Result<std::unique_ptr<Value>> ZSetValue::Load(uint8_t rdb_type, ValueReader& reader,
                                               const EncodingLimits& limits) {
  auto zset = std::make_unique<ZSetValue>();
  if (rdb_type == rdb::kZSet || rdb_type == rdb::kZSet2) {
    BP_RETURN_IF_ERROR(LoadMembers(rdb_type, *zset, reader));
    zset->ConvertToListpackIfSmall(limits);
  } else {
    BP_RETURN_IF_ERROR(LoadPack(rdb_type, *zset, reader));
    if (zset->length() > limits.zset_max_listpack_entries) zset->ConvertToLarge(zset->length());
  }
  if (zset->length() == 0) return Corrupt("empty sorted set");
  return zset;
}

}  // namespace backplane
