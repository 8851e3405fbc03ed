// SPDX-License-Identifier: BSD-3-Clause
// FindKeys: which arguments of a command are keys.
#include <algorithm>
#include <cstdlib>

#include "base/ascii.h"
#include "base/numbers.h"
#include "command/registry.h"

namespace backplane {
namespace {

constexpr char kInvalid[] = "Invalid arguments specified for command";

Status AddCounted(const Command& command, std::span<const std::string_view> args,
                  std::vector<int>* out) {
  const KeyNumSpec& spec = command.keynum;
  const int64_t least = command.Is(kCmdNoMandatoryKeys) ? 0 : 1;
  if (spec.destination > 0) out->push_back(spec.destination);
  auto index = static_cast<size_t>(spec.numkeys_index);
  if (index >= args.size()) return Fail(ErrorCode::kInvalidArgument, kInvalid);
  auto count = ParseInt64(args[index]);
  if (!count || *count < least || static_cast<uint64_t>(*count) > args.size() - index - 1) {
    return Fail(ErrorCode::kInvalidArgument, kInvalid);
  }
  for (int64_t i = 0; i < *count; ++i) out->push_back(spec.numkeys_index + 1 + static_cast<int>(i));
  return {};
}

Status AddAfterKeyword(const KeyNumSpec& spec, std::span<const std::string_view> args,
                       std::vector<int>* out) {
  auto word = static_cast<size_t>(spec.keyword_from);
  while (word < args.size() && !EqualsIgnoreCase(args[word], spec.keyword)) ++word;
  const size_t rest = word < args.size() ? args.size() - word - 1 : 0;
  if (rest < 2) return Fail(ErrorCode::kInvalidArgument, kInvalid);
  for (size_t i = 1; i <= rest / 2; ++i) out->push_back(static_cast<int>(word + i));
  return {};
}

}  // namespace

Result<std::vector<int>> FindKeys(const Command& command, std::span<const std::string_view> args) {
  std::vector<int> positions;
  bool has_spec = command.keys.first > 0 || command.keynum.numkeys_index > 0 ||
                  !command.keynum.keyword.empty() || command.key_finder != nullptr;
  if (!has_spec) return Fail(ErrorCode::kNotFound, "The command has no key arguments");
  if (!command.ArityOk(args.size())) {
    return Fail(ErrorCode::kInvalidArgument, "Invalid number of arguments specified for command");
  }
  if (command.key_finder != nullptr) {
    command.key_finder(command, args, &positions);
    return positions;
  }
  if (command.keys.first > 0) {
    int argc = static_cast<int>(args.size());
    int last = command.keys.last < 0 ? argc + command.keys.last : command.keys.last;
    for (int i = command.keys.first; i <= last; i += command.keys.step) {
      if (i >= argc) return Fail(ErrorCode::kInvalidArgument, kInvalid);
      positions.push_back(i);
    }
  }
  if (command.keynum.numkeys_index > 0) BP_RETURN_IF_ERROR(AddCounted(command, args, &positions));
  if (!command.keynum.keyword.empty())
    BP_RETURN_IF_ERROR(AddAfterKeyword(command.keynum, args, &positions));
  if (command.keynum.store_option) {
    int store = 0;
    for (size_t i = 2; i + 1 < args.size(); ++i) {
      if (EqualsIgnoreCase(args[i], "store")) store = static_cast<int>(i) + 1;
    }
    if (store > 0) positions.push_back(store);
  }
  if (command.keynum.store_dist_option) {
    for (std::string_view word : {"store", "storedist"}) {
      const auto first = args.begin() + std::abs(command.arity);
      const auto at = std::find_if(
          first, args.end(), [&](std::string_view arg) { return EqualsIgnoreCase(arg, word); });
      if (at != args.end() && at + 1 != args.end()) {
        positions.push_back(static_cast<int>(at - args.begin()) + 1);
      }
    }
  }
  return positions;
}

}  // namespace backplane
