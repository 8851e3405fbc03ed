// SPDX-License-Identifier: BSD-3-Clause
// AclLog: joining like entries, dropping old ones.
#include "acl/acl_log.h"

#include <algorithm>
#include <utility>

namespace backplane {

void AclLog::Count(Reason reason) {
  switch (reason) {
    case Reason::kCommand:
      ++totals_.command;
      return;
    case Reason::kKey:
      ++totals_.key;
      return;
    case Reason::kChannel:
      ++totals_.channel;
      return;
    case Reason::kAuth:
      ++totals_.auth;
      return;
  }
}

void AclLog::Add(Entry entry, int64_t now_ms, size_t max) {
  constexpr int64_t kTogetherMs = 60'000;
  constexpr size_t kLookedAt = 10;
  Count(entry.reason);
  entry.updated_ms = now_ms;
  size_t looked = 0;
  for (auto it = entries_.begin(); it != entries_.end() && looked < kLookedAt; ++it, ++looked) {
    if (it->reason != entry.reason || it->context != entry.context || it->object != entry.object ||
        it->username != entry.username || now_ms - it->updated_ms > kTogetherMs) {
      continue;
    }
    ++it->count;
    it->updated_ms = now_ms;
    it->client = std::move(entry.client);
    entries_.splice(entries_.begin(), entries_, it);
    return;
  }
  entry.id = next_id_++;
  entry.created_ms = now_ms;
  entries_.push_front(std::move(entry));
  while (entries_.size() > max) entries_.pop_back();
}

std::string_view AclLog::Name(Reason reason) {
  switch (reason) {
    case Reason::kCommand:
      return "command";
    case Reason::kKey:
      return "key";
    case Reason::kChannel:
      return "channel";
    case Reason::kAuth:
      return "auth";
  }
  return {};
}

std::string_view AclLog::Name(Context context) {
  switch (context) {
    case Context::kTopLevel:
      return "toplevel";
    case Context::kMulti:
      return "multi";
    case Context::kLua:
      return "lua";
    case Context::kModule:
      return "module";
  }
  return {};
}

}  // namespace backplane
