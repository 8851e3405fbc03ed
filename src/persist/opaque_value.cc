// SPDX-License-Identifier: BSD-3-Clause
#include "persist/opaque_value.h"

#include "persist/rdb_format.h"

namespace backplane {
namespace {

class StreamType final : public ValueType {
 public:
  TypeId id() const override { return TypeId::kStream; }
  std::string_view name() const override { return "stream"; }
};

constexpr size_t kRawIdSize = 16;
constexpr size_t kTimeSize = 8;

Status SkipLengths(RdbReader& reader, int count) {
  for (int i = 0; i < count; ++i) BP_RETURN_IF_ERROR(reader.ReadLength());
  return {};
}

// A count of things that take at least `min_bytes` each.
Result<uint64_t> ReadCount(RdbReader& reader, size_t min_bytes) {
  BP_ASSIGN_OR_RETURN(const uint64_t count, reader.ReadLength());
  if (count > reader.remaining() / min_bytes) {
    return Fail(ErrorCode::kCorrupt, "more elements announced than follow");
  }
  return count;
}

Status SkipConsumer(uint8_t rdb_type, RdbReader& reader) {
  BP_RETURN_IF_ERROR(reader.SkipString());
  BP_RETURN_IF_ERROR(
      reader.SkipRaw(rdb_type >= rdb::kTypeStream3 ? 2 * kTimeSize : size_t{kTimeSize}));
  BP_ASSIGN_OR_RETURN(const uint64_t pending, ReadCount(reader, kRawIdSize));
  return reader.SkipRaw(pending * kRawIdSize);
}

Status SkipGroup(uint8_t rdb_type, RdbReader& reader) {
  BP_RETURN_IF_ERROR(reader.SkipString());
  BP_RETURN_IF_ERROR(SkipLengths(reader, rdb_type >= rdb::kTypeStream2 ? 3 : 2));
  BP_ASSIGN_OR_RETURN(const uint64_t pending, ReadCount(reader, kRawIdSize + kTimeSize + 1));
  for (uint64_t i = 0; i < pending; ++i) {
    BP_RETURN_IF_ERROR(reader.SkipRaw(kRawIdSize + kTimeSize));
    BP_RETURN_IF_ERROR(SkipLengths(reader, 1));
  }
  BP_ASSIGN_OR_RETURN(const uint64_t consumers, ReadCount(reader, 1 + kTimeSize + 1));
  for (uint64_t i = 0; i < consumers; ++i) BP_RETURN_IF_ERROR(SkipConsumer(rdb_type, reader));
  return {};
}

Status SkipStream(uint8_t rdb_type, RdbReader& reader) {
  BP_ASSIGN_OR_RETURN(const uint64_t nodes, ReadCount(reader, 2));
  for (uint64_t i = 0; i < nodes; ++i) {
    BP_RETURN_IF_ERROR(reader.SkipString());
    BP_RETURN_IF_ERROR(reader.SkipString());
  }
  // Entries, last id; since type 19 also first id, highest deleted id, entries added.
  BP_RETURN_IF_ERROR(SkipLengths(reader, rdb_type >= rdb::kTypeStream2 ? 8 : 3));
  BP_ASSIGN_OR_RETURN(const uint64_t groups, ReadCount(reader, 5));
  for (uint64_t i = 0; i < groups; ++i) BP_RETURN_IF_ERROR(SkipGroup(rdb_type, reader));
  return {};
}

}  // namespace

const ValueType& OpaqueValue::type() const {
  static constinit const StreamType kType;
  return kType;
}

Result<std::string> CaptureStreamBody(uint8_t rdb_type, RdbReader& reader) {
  std::string body;
  reader.StartCapture(&body);
  const Status status = SkipStream(rdb_type, reader);
  reader.StopCapture();
  if (!status) return std::unexpected(status.error());
  return body;
}

}  // namespace backplane
