// SPDX-License-Identifier: BSD-3-Clause
// SlowLog: the last calls that took longer than slowlog-log-slower-than. Filled by CallRecords,
// read by SLOWLOG. Engine thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace backplane {

class CommandContext;
class Session;

// "ip:port" or "path:0" of a client, as CLIENT LIST has it; "?:0" for a session without one.
std::string_view PeerOf(const Session& session);

// What the slow log and MONITOR show instead of a secret.
inline constexpr std::string_view kRedactedText = "(redacted)";

// Whether argv[i] is to be replaced by it.
bool IsSecretArg(CommandContext& ctx, size_t i);

class SlowLog {
 public:
  struct Entry {
    uint64_t id;
    int64_t time_s;  // wall time at its end
    int64_t micros;
    std::vector<std::string> args;  // shortened, secrets replaced
    std::string peer;
    std::string client_name;
  };

  // The call that has just ended. At most `max_len` entries stay.
  void Add(CommandContext& ctx, int64_t time_s, int64_t micros, size_t max_len);
  // Ids go on.
  void Reset() { entries_.clear(); }
  // The newest one first.
  const std::deque<Entry>& entries() const { return entries_; }

 private:
  uint64_t next_id_ = 0;
  std::deque<Entry> entries_;
};

}  // namespace backplane
