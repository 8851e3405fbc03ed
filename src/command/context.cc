// SPDX-License-Identifier: BSD-3-Clause
// CommandContext: argument checks and propagation notes.
#include "command/context.h"

#include "base/ascii.h"
#include "base/numbers.h"

namespace backplane {

std::optional<int64_t> CommandContext::IntegerArg(size_t i, std::string_view error) {
  auto value = ParseInt64(args_[i]);
  if (!value) reply_.Error(error);
  return value;
}

std::optional<int64_t> CommandContext::IntegerArgIn(size_t i, int64_t low, int64_t high,
                                                    std::string_view error) {
  auto value = ParseInt64(args_[i]);
  if (!value || *value < low || *value > high) {
    reply_.Error(error);
    return std::nullopt;
  }
  return value;
}

std::optional<int> CommandContext::DatabaseArg(size_t i) {
  auto index = IntegerArg(i);
  if (!index) return std::nullopt;
  if (*index < INT32_MIN || *index > INT32_MAX) {
    reply_.Error("ERR value is out of range, value must between -2147483648 and 2147483647");
    return std::nullopt;
  }
  if (*index < 0 || *index >= keyspace().database_count()) {
    reply_.Error(errors::kDbIndexOutOfRange);
    return std::nullopt;
  }
  return static_cast<int>(*index);
}

std::optional<double> CommandContext::DoubleArg(size_t i, std::string_view error) {
  auto value = ParseDouble(args_[i]);
  if (!value) reply_.Error(error);
  return value;
}

bool CommandContext::ArgIs(size_t i, std::string_view word) const {
  return EqualsIgnoreCase(args_[i], word);
}

void CommandContext::Propagate(std::span<const std::string_view> args) {
  propagated_.emplace_back(args.begin(), args.end());
}

}  // namespace backplane
