// SPDX-License-Identifier: BSD-3-Clause
#include "persist/aof_format.h"

#include "base/numbers.h"

namespace backplane {
namespace {

void AppendHead(char mark, size_t number, std::string* out) {
  char text[kNumberTextMax];
  out->push_back(mark);
  out->append(text, Int64ToText(static_cast<int64_t>(number), text));
  out->append("\r\n", 2);
}

}  // namespace

void AppendAofCommand(std::span<const std::string_view> args, std::string* out) {
  AppendHead('*', args.size(), out);
  for (const std::string_view arg : args) {
    AppendHead('$', arg.size(), out);
    out->append(arg);
    out->append("\r\n", 2);
  }
}

void AppendAofTimestamp(int64_t unix_seconds, std::string* out) {
  out->append("#TS:");
  out->append(Int64ToString(unix_seconds));
  out->append("\r\n", 2);
}

}  // namespace backplane
