// SPDX-License-Identifier: BSD-3-Clause
// ClientTracking: which clients are told when which keys change (CLIENT TRACKING). By default the
// server remembers the keys that a client reads and tells it once when one of them changes; in the
// broadcasting mode it tells of every key below a prefix, whoever read it. The engine owns it and
// asks it only while it is active(). Engine thread.
//
// Keys are known by their names alone, whatever their database: clients expect that. What is
// remembered of a client that has switched tracking off is forgotten when the key changes.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/hash.h"

namespace backplane {

class ClientTracking;
class Session;

// Finds the session of a network client; null when there is none (any more).
class SessionFinder {
 public:
  virtual ~SessionFinder() = default;
  virtual Session* FindSession(uint64_t id) = 0;
};

struct TrackingOptions {
  bool broadcast = false;
  bool opt_in = false;    // only keys read after CLIENT CACHING YES are remembered
  bool opt_out = false;   // all but those read after CLIENT CACHING NO
  bool no_loop = false;   // what the client changes itself is no news to it
  uint64_t redirect = 0;  // the client that is told instead; 0: none
};

// Part of a session while it is tracked.
struct TrackingState {
  ClientTracking* owner = nullptr;
  TrackingOptions options;
  bool caching = false;          // CLIENT CACHING was said for the next command
  bool redirect_broken = false;  // the client to be told instead has gone
  std::set<std::string, std::less<>> prefixes;
  size_t memory() const;
};

class ClientTracking {
 public:
  ClientTracking() = default;
  ClientTracking(const ClientTracking&) = delete;
  ClientTracking& operator=(const ClientTracking&) = delete;

  // Not owned; without one (unit tests) nobody is found to redirect to.
  void set_finder(SessionFinder* finder) { finder_ = finder; }
  SessionFinder* finder() const { return finder_; }

  // Some session is tracked. While none is, nothing here needs to be called.
  bool active() const { return !sessions_.empty(); }

  // Switches tracking on, or changes its options; `prefixes` are added to what it has in the
  // broadcasting mode. REQUIRES: the mode stays the same, and prefixes do not overlap.
  void Enable(Session& session, const TrackingOptions& options,
              const std::vector<std::string_view>& prefixes);
  void Disable(Session& session);

  // The session has read this key.
  void Remember(Session& session, std::string_view key);
  // Whether what the session's command reads is to be remembered.
  static bool Remembers(const Session& session);

  // A key was changed, created or went. `by`: the client whose command did it; null when none did:
  // it expired or was evicted.
  void OnKeyModified(std::string_view key, const Session* by);
  // Databases were emptied: everybody is told, whatever they have read.
  void OnFlush();
  // Forgets keys, and says so, until the table has at most so many; 0: no limit. A call does a
  // share of it that grows as long as it is not enough.
  void LimitTable(size_t keys_max);
  // Tells of what was changed below prefixes since the last call. False when there was nothing.
  bool SendBroadcasts();

  size_t session_count() const { return sessions_.size(); }
  size_t key_count() const { return table_.size(); }
  size_t item_count() const { return items_; }
  size_t prefix_count() const { return prefixes_.size(); }

 private:
  struct NameHash {
    using is_transparent = void;
    size_t operator()(std::string_view name) const { return HashBytes(name); }
  };
  using Ids = std::vector<uint64_t>;  // sorted
  using Table = std::unordered_map<std::string, Ids, NameHash, std::equal_to<>>;
  struct Prefix {
    std::set<uint64_t> clients;
    std::map<std::string, uint64_t, std::less<>> changed;  // key, and who changed it (0: nobody)
  };

  void AddPrefix(Session& session, std::string_view prefix);
  // Tells the readers of a key of the table, and forgets it.
  void Invalidate(Table::iterator at, const Session* by);
  // Null: all keys.
  void Tell(Session& session, const std::vector<std::string_view>* keys);

  SessionFinder* finder_ = nullptr;
  std::map<uint64_t, Session*> sessions_;
  Table table_;
  size_t items_ = 0;  // ids in the table
  std::map<std::string, Prefix, std::less<>> prefixes_;
  bool broadcasts_pending_ = false;
  size_t effort_ = 0;  // calls of LimitTable in a row that were not enough
};

}  // namespace backplane
