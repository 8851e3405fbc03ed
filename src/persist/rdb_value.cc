// SPDX-License-Identifier: BSD-3-Clause
#include "persist/rdb_value.h"

#include "base/numbers.h"
#include "persist/rdb_format.h"

namespace backplane {
namespace {

std::string OffsetText(const RdbReader& reader) {
  return " at offset " + std::to_string(reader.offset());
}

Result<std::unique_ptr<Value>> LoadModuleValue(RdbReader& reader, const ValueOrigin& origin) {
  BP_ASSIGN_OR_RETURN(const uint64_t id, reader.ReadLength());
  BP_ASSIGN_OR_RETURN(std::string body, CaptureModuleBody(reader));
  std::string refusal;
  if (origin.modules != nullptr) {
    auto value = origin.modules->Revive(id, body, origin.key, origin.db);
    if (value && *value != nullptr) return value;
    if (!value) refusal = std::move(value).error().message;
  }
  auto dormant = DormantValue::New(origin.keyspace.dormant_types().Of(id), body);
  if (!refusal.empty()) dormant->set_last_error(std::move(refusal));
  return dormant;
}

Result<std::unique_ptr<Value>> LoadObject(uint8_t rdb_type, RdbReader& reader,
                                          const ValueOrigin& origin) {
  switch (rdb_type) {
    case rdb::kTypeModule1:
      return Fail(ErrorCode::kUnsupported,
                  "module value of the old form (RDB type 6), which only its module could read");
    case rdb::kTypeModule2:
      return LoadModuleValue(reader, origin);
    default:
      break;
  }
  auto value = LoadBuiltinValue(rdb_type, reader, origin.keyspace.limits());
  if (!value && value.error().code == ErrorCode::kUnsupported) {
    return Fail(ErrorCode::kUnsupported, "unknown RDB type " + std::to_string(rdb_type));
  }
  return value;
}

}  // namespace

uint8_t RdbTypeOf(const Entry& entry, int rdb_version) {
  return entry.is_string() ? rdb::kTypeString : entry.value().rdb_type(rdb_version);
}

void SaveEntryValue(const Entry& entry, RdbWriter& writer) {
  if (!entry.is_string()) return entry.value().Save(writer);
  if (entry.is_integer()) return writer.WriteIntegerString(entry.integer());
  char scratch[kNumberTextMax];
  writer.WriteString(entry.string(scratch));
}

Result<EntryBuilder::Content> LoadEntryValue(uint8_t rdb_type, RdbReader& reader,
                                             const ValueOrigin& origin) {
  if (rdb_type == rdb::kTypeString) [[likely]] {
    BP_ASSIGN_OR_RETURN(const std::string_view bytes, reader.ReadStringView());
    return EntryBuilder::ForString(bytes);
  }
  auto value = LoadObject(rdb_type, reader, origin);
  if (!value) {
    // What the reader itself reports has the offset already.
    if (reader.failed()) return std::unexpected(std::move(value).error());
    return Fail(value.error().code, value.error().message + OffsetText(reader));
  }
  return EntryBuilder::ForValue(std::move(*value));
}

}  // namespace backplane
