// SPDX-License-Identifier: BSD-3-Clause
// CallArguments: the arguments of Call, Replicate and EmitAOF, parsed from their format string. All
// on the stack as long as there are few; bytes stay where the module has them. One call.
#pragma once

#include <cstdarg>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/numbers.h"
#include "engine/propagation.h"

namespace backplane {

enum CallFlag : uint32_t {
  kCallReplicate = 1u << 0,        // !
  kCallNoAof = 1u << 1,            // A
  kCallNoReplicas = 1u << 2,       // R
  kCallResp3 = 1u << 3,            // 3
  kCallRespAuto = 1u << 4,         // 0
  kCallRunAsUser = 1u << 5,        // C
  kCallScriptMode = 1u << 6,       // S
  kCallNoWrites = 1u << 7,         // W
  kCallDenyOom = 1u << 8,          // M
  kCallErrorsAsReplies = 1u << 9,  // E
  kCallDryRun = 1u << 10,          // D
  kCallAllowBlock = 1u << 11,      // K
};

class CallArguments {
 public:
  CallArguments() = default;
  CallArguments(const CallArguments&) = delete;
  CallArguments& operator=(const CallArguments&) = delete;

  // False when the format has a letter that is none.
  bool Parse(const char* command, const char* format, va_list values);
  std::span<const std::string_view> args() const { return {args_, count_}; }
  uint32_t flags() const { return flags_; }
  // Who may read the command: all but those that a modifier leaves out.
  uint8_t targets() const {
    return static_cast<uint8_t>((Has(kCallNoAof) ? 0 : kPropagateToAof) |
                                (Has(kCallNoReplicas) ? 0 : kPropagateToReplicas));
  }
  bool Has(uint32_t flag) const { return (flags_ & flag) != 0; }
  // Takes other arguments, which outlive the call.
  void Replace(std::vector<std::string_view> args);

 private:
  static constexpr size_t kOnStack = 24;
  static constexpr size_t kNumbersOnStack = 4;
  void Push(std::string_view arg) {
    if (count_ < kOnStack && args_ == on_stack()) [[likely]] {
      new (&args_[count_++]) std::string_view(arg);
      return;
    }
    Grow(arg);
  }
  void Grow(std::string_view arg);
  std::string_view Number(long long value);

  std::string_view* on_stack() { return reinterpret_cast<std::string_view*>(on_stack_); }

  // Not cleared: a call uses few of them.
  alignas(std::string_view) std::byte on_stack_[kOnStack * sizeof(std::string_view)];
  char numbers_[kNumbersOnStack][kNumberTextMax];
  size_t number_count_ = 0;
  std::string_view* args_ = on_stack();
  size_t count_ = 0;
  uint32_t flags_ = 0;
  std::vector<std::string_view> many_;
  std::deque<std::string>* more_numbers() {
    if (more_numbers_ == nullptr) more_numbers_ = std::make_unique<std::deque<std::string>>();
    return more_numbers_.get();
  }
  std::unique_ptr<std::deque<std::string>> more_numbers_;  // a deque costs an allocation
};

}  // namespace backplane
