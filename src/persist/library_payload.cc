// SPDX-License-Identifier: BSD-3-Clause
#include "persist/library_payload.h"

#include "persist/byte_source.h"
#include "persist/dump_payload.h"
#include "persist/rdb_format.h"
#include "persist/rdb_reader.h"
#include "persist/rdb_writer.h"

namespace backplane {

std::string CreateLibraryPayload(const std::vector<std::string_view>& codes, int rdb_version,
                                 bool compress) {
  std::string payload;
  StringSink sink(&payload);
  RdbWriter writer(sink, rdb_version, compress);
  for (const std::string_view code : codes) {
    writer.WriteByte(rdb::kFunction2);
    writer.WriteString(code);
  }
  AppendDumpFooter(&payload, rdb_version);
  return payload;
}

Result<std::vector<std::string>> ParseLibraryPayload(std::string_view payload) {
  if (!DumpPayloadIsWhole(payload)) {
    return Fail(ErrorCode::kUnsupported, "DUMP payload version or checksum are wrong");
  }
  MemorySource source(payload.substr(0, payload.size() - rdb::kPayloadFooterSize));
  source.set_checksum(false);
  RdbReader reader(source);
  std::vector<std::string> codes;
  while (reader.remaining() > 0) {
    BP_ASSIGN_OR_RETURN(const uint8_t opcode, reader.ReadByte());
    if (opcode != rdb::kFunction2) {
      return Fail(ErrorCode::kWrongType, "given type is not a function");
    }
    BP_ASSIGN_OR_RETURN(std::string code, reader.ReadString());
    codes.push_back(std::move(code));
  }
  return codes;
}

}  // namespace backplane
