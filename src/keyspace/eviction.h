// SPDX-License-Identifier: BSD-3-Clause
// Eviction: which key goes when memory is short. The policies by use are approximations: a few keys
// of each database are drawn at random, and the worst of all that were drawn lately, kept in a
// small pool, goes. Used by the engine's MemoryLimit. Engine thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace backplane {

class Database;
class Entry;
class Keyspace;

enum class EvictionPolicy : int {
  kVolatileLru,
  kVolatileLfu,
  kVolatileRandom,
  kVolatileTtl,
  kAllKeysLru,
  kAllKeysLfu,
  kAllKeysRandom,
  kNoEviction,
};

// CONFIG's word for it.
std::string_view EvictionPolicyName(EvictionPolicy policy);

constexpr bool IsVolatile(EvictionPolicy policy) { return policy <= EvictionPolicy::kVolatileTtl; }
constexpr bool CountsUse(EvictionPolicy policy) {
  return policy == EvictionPolicy::kVolatileLfu || policy == EvictionPolicy::kAllKeysLfu;
}
constexpr bool WatchesAge(EvictionPolicy policy) {
  return policy == EvictionPolicy::kVolatileLru || policy == EvictionPolicy::kAllKeysLru;
}

class EvictionChooser {
 public:
  struct Victim {
    Database* db;
    Entry* entry;  // good until the database changes
  };
  explicit EvictionChooser(Keyspace* keyspace) : keyspace_(keyspace) {}

  // The next key to go, of `samples` drawn from each database; nullopt when the policy has none.
  // REQUIRES: not kNoEviction.
  std::optional<Victim> Choose(EvictionPolicy policy, int samples);
  // Forgets what was drawn: scores of another policy are of no use.
  void Clear() { pool_.clear(); }

 private:
  struct Candidate {
    uint64_t score;  // the highest goes first
    int db;
    std::string key;
  };

  std::optional<Victim> ChooseAtRandom(bool with_ttl);
  // Draws from all databases; false when there is nothing to draw from.
  bool Draw(EvictionPolicy policy, int samples);
  uint64_t ScoreOf(const Entry& entry, EvictionPolicy policy) const;
  void Offer(Candidate candidate);

  Keyspace* keyspace_;
  std::vector<Candidate> pool_;  // ascending
  int next_db_ = 0;              // where the next random victim is looked for
};

}  // namespace backplane
