// SPDX-License-Identifier: BSD-3-Clause
// Names of command flags, ACL categories and key flags.
#include "command/flags.h"

#include <span>

namespace backplane {
namespace {

struct Name {
  uint64_t bit;
  std::string_view text;
};

constexpr Name kCommandFlags[] = {
    {kCmdWrite, "write"},
    {kCmdReadonly, "readonly"},
    {kCmdDenyOom, "denyoom"},
    {kCmdModule, "module"},
    {kCmdAdmin, "admin"},
    {kCmdPubsub, "pubsub"},
    {kCmdNoScript, "noscript"},
    {kCmdBlocking, "blocking"},
    {kCmdLoading, "loading"},
    {kCmdStale, "stale"},
    {kCmdSkipMonitor, "skip_monitor"},
    {kCmdSkipSlowlog, "skip_slowlog"},
    {kCmdAsking, "asking"},
    {kCmdFast, "fast"},
    {kCmdNoAuth, "no_auth"},
    {kCmdNoMulti, "no_multi"},
    {kCmdMovableKeys, "movablekeys"},
    {kCmdAllowBusy, "allow_busy"},
    {kCmdNoAsyncLoading, "no_async_loading"},
    {kCmdNoMandatoryKeys, "no_mandatory_keys"},
};

constexpr Name kCategories[] = {
    {kAclKeyspace, "keyspace"},
    {kAclRead, "read"},
    {kAclWrite, "write"},
    {kAclSet, "set"},
    {kAclSortedSet, "sortedset"},
    {kAclList, "list"},
    {kAclHash, "hash"},
    {kAclString, "string"},
    {kAclBitmap, "bitmap"},
    {kAclHyperLogLog, "hyperloglog"},
    {kAclGeo, "geo"},
    {kAclStream, "stream"},
    {kAclPubsub, "pubsub"},
    {kAclAdmin, "admin"},
    {kAclFast, "fast"},
    {kAclSlow, "slow"},
    {kAclBlocking, "blocking"},
    {kAclDangerous, "dangerous"},
    {kAclConnection, "connection"},
    {kAclTransaction, "transaction"},
    {kAclScripting, "scripting"},
};

constexpr Name kKeyFlags[] = {
    {kKeyRO, "RO"},
    {kKeyRW, "RW"},
    {kKeyOW, "OW"},
    {kKeyRM, "RM"},
    {kKeyAccess, "access"},
    {kKeyUpdate, "update"},
    {kKeyInsert, "insert"},
    {kKeyDelete, "delete"},
    {kKeyNotKey, "not_key"},
    {kKeyIncomplete, "incomplete"},
    {kKeyVariableFlags, "variable_flags"},
};

std::vector<std::string_view> NamesOf(std::span<const Name> names, uint64_t bits) {
  std::vector<std::string_view> out;
  for (const Name& n : names) {
    if ((bits & n.bit) != 0) out.push_back(n.text);
  }
  return out;
}

}  // namespace

std::vector<std::string_view> CommandFlagNames(uint64_t flags) {
  return NamesOf(kCommandFlags, flags);
}
std::vector<std::string_view> AclCategoryNames(uint64_t categories) {
  return NamesOf(kCategories, categories);
}
std::vector<std::string_view> KeyFlagNames(uint32_t flags) { return NamesOf(kKeyFlags, flags); }

uint64_t AclCategoryByName(std::string_view name) {
  for (const Name& n : kCategories) {
    if (n.text == name) return n.bit;
  }
  return 0;
}

}  // namespace backplane
