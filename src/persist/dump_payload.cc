// SPDX-License-Identifier: BSD-3-Clause
#include "persist/dump_payload.h"

#include <cstring>

#include "base/crc64.h"
#include "persist/rdb_format.h"

namespace backplane {

void AppendDumpFooter(std::string* payload, int rdb_version) {
  payload->push_back(static_cast<char>(rdb_version));
  payload->push_back(static_cast<char>(rdb_version >> 8));
  const uint64_t crc = Crc64(0, *payload);
  payload->append(reinterpret_cast<const char*>(&crc), sizeof(crc));
}

std::string CreateDumpPayload(const Entry& entry, int rdb_version, bool compress) {
  std::string payload;
  StringSink sink(&payload);
  RdbWriter writer(sink, rdb_version, compress);
  writer.WriteByte(RdbTypeOf(entry, rdb_version));
  SaveEntryValue(entry, writer);
  AppendDumpFooter(&payload, rdb_version);
  return payload;
}

std::string CreateDumpPayload(const Value& value, int rdb_version, bool compress) {
  std::string payload;
  StringSink sink(&payload);
  RdbWriter writer(sink, rdb_version, compress);
  writer.WriteByte(value.rdb_type(rdb_version));
  value.Save(writer);
  AppendDumpFooter(&payload, rdb_version);
  return payload;
}

bool DumpPayloadIsWhole(std::string_view payload) {
  if (payload.size() < rdb::kPayloadFooterSize) return false;
  const char* footer = payload.data() + payload.size() - rdb::kPayloadFooterSize;
  const int version = static_cast<unsigned char>(footer[0]) | static_cast<unsigned char>(footer[1])
                                                                  << 8;
  if (version > rdb::kVersionMax) return false;
  uint64_t crc;
  std::memcpy(&crc, footer + 2, sizeof(crc));
  return crc == Crc64(0, payload.substr(0, payload.size() - sizeof(crc)));
}

Result<EntryBuilder::Content> ParseDumpPayload(std::string_view payload, const ValueOrigin& origin,
                                               std::string* scratch) {
  if (!DumpPayloadIsWhole(payload)) {
    return Fail(ErrorCode::kUnsupported, "DUMP payload version or checksum are wrong");
  }
  MemorySource source(payload.substr(0, payload.size() - rdb::kPayloadFooterSize));
  source.set_checksum(false);
  RdbReader reader(source);
  auto content = [&]() -> Result<EntryBuilder::Content> {
    BP_ASSIGN_OR_RETURN(const uint8_t type, reader.ReadByte());
    return LoadEntryValue(type, reader, origin);
  }();
  if (!content) return Fail(ErrorCode::kCorrupt, content.error().message);
  if (reader.remaining() != 0) {
    EntryBuilder::FreeContent(*content);
    return Fail(ErrorCode::kCorrupt,
                "bytes behind the value at offset " + std::to_string(reader.offset()));
  }
  // A view into the payload outlives the reader; one into the reader's memory does not.
  const char* at = content->bytes.data();
  if (content->kind == EntryBuilder::Content::Kind::kBytes &&
      (at < payload.data() || at >= payload.data() + payload.size())) {
    scratch->assign(content->bytes);
    content->bytes = *scratch;
  }
  return content;
}

}  // namespace backplane
