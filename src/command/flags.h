// SPDX-License-Identifier: BSD-3-Clause
// Command flags and ACL categories, as COMMAND INFO names them. Used by spec rows, gates, the
// module host.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace backplane {

enum CommandFlag : uint64_t {
  kCmdWrite = 1ull << 0,
  kCmdReadonly = 1ull << 1,
  kCmdDenyOom = 1ull << 2,
  kCmdModule = 1ull << 3,
  kCmdAdmin = 1ull << 4,
  kCmdPubsub = 1ull << 5,
  kCmdNoScript = 1ull << 6,
  kCmdBlocking = 1ull << 7,
  kCmdLoading = 1ull << 8,  // allowed while loading
  kCmdStale = 1ull << 9,    // allowed on a stale replica
  kCmdSkipMonitor = 1ull << 10,
  kCmdSkipSlowlog = 1ull << 11,
  kCmdAsking = 1ull << 12,
  kCmdFast = 1ull << 13,
  kCmdNoAuth = 1ull << 14,  // allowed before authentication
  kCmdMayReplicate = 1ull << 15,
  kCmdNoMulti = 1ull << 16,
  kCmdMovableKeys = 1ull << 17,  // key positions depend on the arguments
  kCmdAllowBusy = 1ull << 18,    // allowed while a script or module is busy
  kCmdNoAsyncLoading = 1ull << 19,
  kCmdProtected = 1ull << 20,
  kCmdNoMandatoryKeys = 1ull << 21,
  kCmdModuleGetKeys = 1ull << 22,  // the module reports key positions itself
  kCmdModuleGetChannels = 1ull << 23,
  kCmdModuleNoCluster = 1ull << 24,
  kCmdSentinel = 1ull << 25,
  kCmdNotQueued = 1ull << 26,     // runs at once inside MULTI: EXEC, DISCARD, WATCH ...
  kCmdSubscribedOk = 1ull << 27,  // allowed for a RESP2 client that has subscriptions
};

enum AclCategory : uint64_t {
  kAclKeyspace = 1ull << 0,
  kAclRead = 1ull << 1,
  kAclWrite = 1ull << 2,
  kAclSet = 1ull << 3,
  kAclSortedSet = 1ull << 4,
  kAclList = 1ull << 5,
  kAclHash = 1ull << 6,
  kAclString = 1ull << 7,
  kAclBitmap = 1ull << 8,
  kAclHyperLogLog = 1ull << 9,
  kAclGeo = 1ull << 10,
  kAclStream = 1ull << 11,
  kAclPubsub = 1ull << 12,
  kAclAdmin = 1ull << 13,
  kAclFast = 1ull << 14,
  kAclSlow = 1ull << 15,
  kAclBlocking = 1ull << 16,
  kAclDangerous = 1ull << 17,
  kAclConnection = 1ull << 18,
  kAclTransaction = 1ull << 19,
  kAclScripting = 1ull << 20,
};

// How a key is used: the flags of COMMAND INFO's key specifications.
enum KeyFlag : uint32_t {
  kKeyRO = 1u << 0,
  kKeyRW = 1u << 1,
  kKeyOW = 1u << 2,
  kKeyRM = 1u << 3,
  kKeyAccess = 1u << 4,
  kKeyUpdate = 1u << 5,
  kKeyInsert = 1u << 6,
  kKeyDelete = 1u << 7,
  kKeyNotKey = 1u << 8,
  kKeyIncomplete = 1u << 9,
  kKeyVariableFlags = 1u << 10,
};

// How a channel is used. The values are those of the module API.
enum ChannelFlag : uint32_t {
  kChannelPattern = 1u << 0,
  kChannelPublish = 1u << 1,
  kChannelSubscribe = 1u << 2,
  kChannelUnsubscribe = 1u << 3,
};

// The names that COMMAND INFO prints for the set bits, in its order. Bits without a name (internal
// ones) are left out.
std::vector<std::string_view> CommandFlagNames(uint64_t flags);
std::vector<std::string_view> AclCategoryNames(uint64_t categories);  // without '@'
std::vector<std::string_view> KeyFlagNames(uint32_t flags);
// 0 when unknown.
uint64_t AclCategoryByName(std::string_view name);

}  // namespace backplane
