// SPDX-License-Identifier: BSD-3-Clause
// Dormant values: type ids, capture and write-back.
#include "value/dormant_value.h"

#include <cstring>

namespace backplane {
namespace {

constexpr char kNameCharset[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr size_t kNameSize = 9;

enum BodyOpcode : uint64_t { kEof = 0, kSint = 1, kUint = 2, kFloat = 3, kDouble = 4, kString = 5 };

}  // namespace

std::string ModuleTypeName(uint64_t id) {
  std::string name(kNameSize, ' ');
  id >>= 10;
  for (size_t i = kNameSize; i-- > 0;) {
    name[i] = kNameCharset[id & 63];
    id >>= 6;
  }
  return name;
}

uint64_t ModuleTypeId(std::string_view name, int encver) {
  if (name.size() != kNameSize || encver < 0 || encver > 1023) return 0;
  uint64_t id = 0;
  for (char c : name) {
    const char* found = c == '\0' ? nullptr : std::strchr(kNameCharset, c);
    if (found == nullptr) return 0;
    id = id << 6 | static_cast<uint64_t>(found - kNameCharset);
  }
  return id << 10 | static_cast<uint64_t>(encver);
}

DormantValue::DormantValue(uint64_t type_id, std::string body)
    : type_id_(type_id), type_(ModuleTypeName(type_id)), body_(std::move(body)) {}

void DormantValue::Save(ValueWriter& writer) const {
  writer.WriteLength(type_id_);
  writer.WriteRaw(body_);
}

const DormantValue* AsDormant(const Value& value) {
  return dynamic_cast<const DormantValue*>(&value);
}

Result<std::string> CaptureModuleBody(CapturingReader& reader) {
  std::string body;
  reader.StartCapture(&body);
  auto skip = [&]() -> Status {
    for (;;) {
      BP_ASSIGN_OR_RETURN(uint64_t opcode, reader.ReadLength());
      char binary[8];
      switch (opcode) {
        case kEof:
          return {};
        case kSint:
        case kUint:
          if (auto n = reader.ReadLength(); !n) return std::unexpected(n.error());
          break;
        case kFloat:
          BP_RETURN_IF_ERROR(reader.ReadRaw(binary, 4));
          break;
        case kDouble:
          BP_RETURN_IF_ERROR(reader.ReadRaw(binary, 8));
          break;
        case kString:
          if (auto s = reader.ReadString(); !s) return std::unexpected(s.error());
          break;
        default:
          return Fail(ErrorCode::kCorrupt, "unknown opcode in a module value");
      }
    }
  };
  Status status = skip();
  reader.StopCapture();
  if (!status) return std::unexpected(status.error());
  return body;
}

}  // namespace backplane
