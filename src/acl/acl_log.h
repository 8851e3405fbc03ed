// SPDX-License-Identifier: BSD-3-Clause
// AclLog: the refusals and failed logins that ACL LOG lists, newest first. Refusals that are alike
// and close in time share an entry. Engine thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>

namespace backplane {

class AclLog {
 public:
  enum class Reason : uint8_t { kCommand, kKey, kChannel, kAuth };
  enum class Context : uint8_t { kTopLevel, kMulti, kLua, kModule };
  struct Entry {
    uint64_t id = 0;
    uint64_t count = 1;
    Reason reason = Reason::kCommand;
    Context context = Context::kTopLevel;
    std::string object;  // what was refused: a command, a key, a channel
    std::string username;
    std::string client;  // a line as of CLIENT LIST
    int64_t created_ms = 0;
    int64_t updated_ms = 0;  // wall time, both
  };
  // How often each reason came up, for INFO.
  struct Totals {
    uint64_t auth = 0, command = 0, key = 0, channel = 0;
  };

  // `entry.id`, count and times are set here. At most `max` entries are kept.
  void Add(Entry entry, int64_t now_ms, size_t max);
  // The same, counted only.
  void Count(Reason reason);
  void Clear() { entries_.clear(); }
  const std::list<Entry>& entries() const { return entries_; }
  const Totals& totals() const { return totals_; }
  void ResetTotals() { totals_ = {}; }

  static std::string_view Name(Reason reason);
  static std::string_view Name(Context context);

 private:
  std::list<Entry> entries_;
  Totals totals_;
  uint64_t next_id_ = 0;
};

}  // namespace backplane
