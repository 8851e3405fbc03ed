// SPDX-License-Identifier: BSD-3-Clause
// LoadBuiltinValue: from an RDB type byte to the value type that reads the body.
#include "value/hash_value.h"
#include "value/list_value.h"
#include "value/load_support.h"
#include "value/set_value.h"
#include "value/stream_value.h"
#include "value/value.h"
#include "value/zset_value.h"

namespace backplane {

Result<std::unique_ptr<Value>> LoadBuiltinValue(uint8_t rdb_type, ValueReader& reader,
                                                const EncodingLimits& limits) {
  switch (rdb_type) {
    case rdb::kList:
    case rdb::kListZiplist:
    case rdb::kListQuicklist:
    case rdb::kListQuicklist2:
      return ListValue::Load(rdb_type, reader, limits);
    case rdb::kHash:
    case rdb::kHashZipmap:
    case rdb::kHashZiplist:
    case rdb::kHashListpack:
      return HashValue::Load(rdb_type, reader, limits);
    case rdb::kSet:
    case rdb::kSetIntset:
    case rdb::kSetListpack:
      return SetValue::Load(rdb_type, reader, limits);
    case rdb::kZSet:
    case rdb::kZSet2:
    case rdb::kZSetZiplist:
    case rdb::kZSetListpack:
      return ZSetValue::Load(rdb_type, reader, limits);
    case rdb::kStream:
    case rdb::kStream2:
    case rdb::kStream3:
      return StreamValue::Load(rdb_type, reader);
    default:
      return Fail(ErrorCode::kUnsupported, "not the type of a built-in aggregate value");
  }
}

}  // namespace backplane
