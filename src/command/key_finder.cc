// SPDX-License-Identifier: BSD-3-Clause
// FindKeys: which arguments of a command are keys.
#include <algorithm>

#include "base/ascii.h"
#include "base/numbers.h"
#include "command/registry.h"

namespace backplane {
namespace {

using Args = std::span<const std::string_view>;

std::unexpected<Error> Invalid() {
  return Fail(ErrorCode::kInvalidArgument, "Invalid arguments specified for command");
}

// The argument where the keys of this specification begin; 0 when the call has none of them.
int StartOf(const KeySpec& spec, Args args) {
  const int argc = static_cast<int>(args.size());
  if (spec.keyword.empty()) return spec.begin < argc ? spec.begin : 0;
  const int step = spec.begin < 0 ? -1 : 1;
  for (int i = spec.begin < 0 ? argc + spec.begin : spec.begin; i > 0 && i < argc; i += step) {
    if (EqualsIgnoreCase(args[static_cast<size_t>(i)], spec.keyword))
      return i + 1 < argc ? i + 1 : 0;
  }
  return 0;
}

Status AddCounted(const Command& command, const KeySpec& spec, int start, Args args,
                  std::vector<KeyUse>* keys) {
  const auto argc = static_cast<int64_t>(args.size());
  const int64_t at = int64_t{start} + spec.count_at;
  const int64_t first = int64_t{start} + spec.first;
  const auto count = at < argc ? ParseInt64(args[static_cast<size_t>(at)]) : std::nullopt;
  const bool valid =
      count && *count > 0 && *count <= argc && first + (*count - 1) * spec.step < argc;
  if (!valid) return command.Is(kCmdNoMandatoryKeys) ? Status() : Invalid();
  for (int64_t i = 0; i < *count; ++i) {
    keys->push_back({static_cast<int>(first + i * spec.step), spec.flags});
  }
  return {};
}

Status AddKeys(const Command& command, const KeySpec& spec, Args args, std::vector<KeyUse>* keys) {
  const int start = StartOf(spec, args);
  if (start == 0) return {};
  if (spec.counted) return AddCounted(command, spec, start, args, keys);
  const int argc = static_cast<int>(args.size());
  int last = spec.last < 0 ? argc + spec.last : start + spec.last;
  if (spec.last == -1 && spec.limit > 1) last = start + (argc - start) / spec.limit - 1;
  if (last >= argc) return Invalid();
  for (int i = start; i <= last; i += spec.step) keys->push_back({i, spec.flags});
  return {};
}

void AddStoreOption(Args args, std::vector<KeyUse>* keys) {
  int store = 0;
  for (size_t i = 2; i + 1 < args.size(); ++i) {
    // A word behind these is no option, whatever it says.
    if (EqualsIgnoreCase(args[i], "limit")) {
      i += 2;
    } else if (EqualsIgnoreCase(args[i], "by") || EqualsIgnoreCase(args[i], "get")) {
      ++i;
    } else if (EqualsIgnoreCase(args[i], "store")) {
      store = static_cast<int>(++i);
    }
  }
  if (store > 0) keys->push_back({store, kKeyOW | kKeyUpdate});
}

}  // namespace

Result<std::vector<KeyUse>> FindKeyUses(const Command& command, Args args) {
  std::vector<KeyUse> keys;
  if (!command.HasKeys()) return Fail(ErrorCode::kNotFound, "The command has no key arguments");
  if (!command.ArityOk(args.size())) {
    return Fail(ErrorCode::kInvalidArgument, "Invalid number of arguments specified for command");
  }
  if (command.key_finder != nullptr) {
    command.key_finder(command, args, &keys);
    return keys;
  }
  for (const KeySpec& spec : command.key_specs) {
    if (spec.unknown) continue;
    const auto status = AddKeys(command, spec, args, &keys);
    // What a module does with arguments that contradict its description is its affair; keys that
    // the other specifications find remain keys.
    if (!status && !command.Is(kCmdModule)) return std::unexpected(status.error());
  }
  if (command.store_option) AddStoreOption(args, &keys);
  if (command.key_flags_of_call != nullptr) {
    const uint32_t flags = command.key_flags_of_call(args);
    for (KeyUse& key : keys) key.flags = flags;
  }
  return keys;
}

Result<std::vector<int>> FindKeys(const Command& command, Args args) {
  BP_ASSIGN_OR_RETURN(const auto keys, FindKeyUses(command, args));
  std::vector<int> positions;
  positions.reserve(keys.size());
  for (const KeyUse& key : keys) positions.push_back(key.position);
  return positions;
}

std::vector<KeyUse> FindChannels(const Command& command, Args args) {
  std::vector<KeyUse> channels;
  if (command.channel_finder != nullptr) {
    command.channel_finder(command, args, &channels);
    return channels;
  }
  const ChannelSpec& spec = command.channels;
  if (spec.first == 0) return channels;
  const int argc = static_cast<int>(args.size());
  const int end = spec.count < 0 ? argc : std::min(argc, spec.first + spec.count);
  for (int i = spec.first; i < end; ++i) channels.push_back({i, spec.flags});
  return channels;
}

}  // namespace backplane
