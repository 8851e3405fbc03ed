// SPDX-License-Identifier: BSD-3-Clause
// Drawing, scoring and the pool.
#include "keyspace/eviction.h"

#include <algorithm>

#include "keyspace/keyspace.h"

namespace backplane {
namespace {

constexpr size_t kPoolMax = 16;

bool HasKeys(const Database& db, bool with_ttl) {
  return (with_ttl ? db.expires_size() : db.size()) != 0;
}

}  // namespace

std::string_view EvictionPolicyName(EvictionPolicy policy) {
  switch (policy) {
    case EvictionPolicy::kVolatileLru:
      return "volatile-lru";
    case EvictionPolicy::kVolatileLfu:
      return "volatile-lfu";
    case EvictionPolicy::kVolatileRandom:
      return "volatile-random";
    case EvictionPolicy::kVolatileTtl:
      return "volatile-ttl";
    case EvictionPolicy::kAllKeysLru:
      return "allkeys-lru";
    case EvictionPolicy::kAllKeysLfu:
      return "allkeys-lfu";
    case EvictionPolicy::kAllKeysRandom:
      return "allkeys-random";
    case EvictionPolicy::kNoEviction:
      break;
  }
  return "noeviction";
}

uint64_t EvictionChooser::ScoreOf(const Entry& entry, EvictionPolicy policy) const {
  if (policy == EvictionPolicy::kVolatileTtl) {
    return UINT64_MAX - static_cast<uint64_t>(entry.expire_ms());
  }
  if (CountsUse(policy)) return kFrequencyMax - keyspace_->FrequencyOf(entry);
  return (keyspace_->access_clock() - entry.access()) & Entry::kAccessMask;
}

void EvictionChooser::Offer(Candidate candidate) {
  const bool known = std::any_of(pool_.begin(), pool_.end(), [&](const Candidate& c) {
    return c.db == candidate.db && c.key == candidate.key;
  });
  if (known) return;
  const auto at =
      std::upper_bound(pool_.begin(), pool_.end(), candidate.score,
                       [](uint64_t score, const Candidate& c) { return score < c.score; });
  if (pool_.size() < kPoolMax) {
    pool_.insert(at, std::move(candidate));
    return;
  }
  // Full: the one that is most in use makes place.
  if (at == pool_.begin()) return;
  std::move(pool_.begin() + 1, at, pool_.begin());
  *(at - 1) = std::move(candidate);
}

bool EvictionChooser::Draw(EvictionPolicy policy, int samples) {
  const bool with_ttl = IsVolatile(policy);
  bool any = false;
  for (int i = 0; i < keyspace_->database_count(); ++i) {
    Database& db = keyspace_->db(i);
    if (!HasKeys(db, with_ttl)) continue;
    any = true;
    for (int n = 0; n < samples; ++n) {
      const Entry* entry = db.SampleEntry(with_ttl);
      Offer({ScoreOf(*entry, policy), i, std::string(entry->key())});
    }
  }
  return any;
}

std::optional<EvictionChooser::Victim> EvictionChooser::ChooseAtRandom(bool with_ttl) {
  for (int i = 0; i < keyspace_->database_count(); ++i) {
    next_db_ = (next_db_ + 1) % keyspace_->database_count();
    Database& db = keyspace_->db(next_db_);
    if (HasKeys(db, with_ttl)) return Victim{&db, db.SampleEntry(with_ttl)};
  }
  return std::nullopt;
}

std::optional<EvictionChooser::Victim> EvictionChooser::Choose(EvictionPolicy policy, int samples) {
  if (policy == EvictionPolicy::kVolatileRandom || policy == EvictionPolicy::kAllKeysRandom) {
    return ChooseAtRandom(IsVolatile(policy));
  }
  while (Draw(policy, samples)) {
    while (!pool_.empty()) {
      const Candidate best = std::move(pool_.back());
      pool_.pop_back();
      Database& db = keyspace_->db(best.db);
      Entry* entry = db.LookUp(Key(best.key));
      // It may have gone, or lost its TTL, since it was drawn.
      if (entry != nullptr && (!IsVolatile(policy) || entry->has_expire())) {
        return Victim{&db, entry};
      }
    }
  }
  return std::nullopt;
}

}  // namespace backplane
