// SPDX-License-Identifier: BSD-3-Clause
// CallArguments: the format string.
#include "modhost/call_arguments.h"

#include <cstring>

#include "modhost/string.h"

namespace backplane {

namespace {

// 0 for a letter that is no modifier.
uint32_t ModifierOf(char letter) {
  switch (letter) {
    case '!':
      return kCallReplicate;
    case 'A':
      return kCallNoAof;
    case 'R':
      return kCallNoReplicas;
    case '3':
      return kCallResp3;
    case '0':
      return kCallRespAuto;
    case 'C':
      return kCallRunAsUser;
    case 'S':
      return kCallScriptMode;
    case 'W':
      return kCallNoWrites;
    case 'M':
      return kCallDenyOom;
    case 'E':
      return kCallErrorsAsReplies;
    case 'D':
      return kCallDryRun | kCallErrorsAsReplies;
    case 'K':
      return kCallAllowBlock;
    default:
      return 0;
  }
}

}  // namespace

void CallArguments::Grow(std::string_view arg) {
  if (args_ == on_stack()) many_.assign(args_, args_ + count_);
  many_.push_back(arg);
  args_ = many_.data();
  count_ = many_.size();
}

void CallArguments::Replace(std::vector<std::string_view> args) {
  many_ = std::move(args);
  args_ = many_.data();
  count_ = many_.size();
}

std::string_view CallArguments::Number(long long value) {
  if (number_count_ < kNumbersOnStack) {
    char* text = numbers_[number_count_++];
    return {text, Int64ToText(value, text)};
  }
  return more_numbers()->emplace_back(Int64ToString(value));
}

bool CallArguments::Parse(const char* command, const char* format, va_list values) {
  // va_list is an array here: what is read below is read from the caller's.
  Push(command);
  for (const char* p = format; *p != '\0'; ++p) {
    switch (*p) {
      case 'c':
        Push(va_arg(values, char*));
        break;
      case 's':
        Push(va_arg(values, RedisModuleString*)->view());
        break;
      case 'b': {
        const char* bytes = va_arg(values, char*);
        const size_t size = va_arg(values, size_t);
        Push({bytes, size});
        break;
      }
      case 'l':
        Push(Number(va_arg(values, long long)));
        break;
      case 'v': {
        RedisModuleString** strings = va_arg(values, RedisModuleString**);
        const size_t size = va_arg(values, size_t);
        for (size_t i = 0; i < size; ++i) Push(strings[i]->view());
        break;
      }
      default: {
        const uint32_t modifier = ModifierOf(*p);
        if (modifier == 0) return false;
        flags_ |= modifier;
      }
    }
  }
  return true;
}

}  // namespace backplane
