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

size_t DormantType::failed_values() const {
  std::lock_guard lock(mutex_);
  return errors_.size();
}

std::string DormantType::last_error() const {
  std::lock_guard lock(mutex_);
  return last_error_;
}

void DormantType::ForgetErrors() {
  std::lock_guard lock(mutex_);
  for (auto& [value, error] : errors_) value->failed_ = 0;
  errors_.clear();
}

int64_t DormantTypes::Revivable(std::string_view type_name) const {
  int64_t values = 0;
  for (const auto& [id, type] : types_) {
    if (type->name() != type_name) continue;
    values += type->values() - static_cast<int64_t>(type->failed_values());
  }
  return values;
}

std::unique_ptr<DormantValue> DormantValue::New(DormantType& type, std::string_view body) {
  return std::unique_ptr<DormantValue>(new (body.size()) DormantValue(type, body));
}

DormantValue::DormantValue(DormantType& type, std::string_view body)
    : type_(&type), size_(body.size()), failed_(0) {
  if (!body.empty()) std::memcpy(reinterpret_cast<char*>(this + 1), body.data(), body.size());
  type_->values_.fetch_add(1, std::memory_order_relaxed);
  type_->bytes_.fetch_add(static_cast<int64_t>(Footprint()), std::memory_order_relaxed);
}

DormantValue::~DormantValue() {
  type_->values_.fetch_sub(1, std::memory_order_relaxed);
  type_->bytes_.fetch_sub(static_cast<int64_t>(Footprint()), std::memory_order_relaxed);
  if (failed_ == 0) return;
  std::lock_guard lock(type_->mutex_);
  type_->errors_.erase(this);
}

std::string DormantValue::last_error() const {
  if (failed_ == 0) return {};
  std::lock_guard lock(type_->mutex_);
  auto it = type_->errors_.find(const_cast<DormantValue*>(this));
  return it == type_->errors_.end() ? std::string() : it->second;
}

void DormantValue::set_last_error(std::string text) {
  std::lock_guard lock(type_->mutex_);
  failed_ = text.empty() ? 0 : 1;
  if (text.empty()) {
    type_->errors_.erase(this);
    return;
  }
  type_->last_error_ = text;
  type_->errors_[this] = std::move(text);
}

void DormantValue::Save(ValueWriter& writer) const {
  writer.WriteLength(type_id());
  writer.WriteRaw(body());
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
