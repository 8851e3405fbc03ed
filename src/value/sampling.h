// SPDX-License-Identifier: BSD-3-Clause
// Drawing distinct elements at random, for HRANDFIELD, SRANDMEMBER, ZRANDMEMBER and SPOP with a
// count. Engine thread.
#pragma once

#include <cstdint>
#include <unordered_set>

#include "base/random.h"

namespace backplane {

// Decides element by element, in one pass over `total` elements, so that exactly `wanted` of them
// are taken and every subset is equally likely.
class SelectionSampler {
 public:
  SelectionSampler(Random& random, uint64_t total, uint64_t wanted)
      : random_(random), left_(total), wanted_(wanted < total ? wanted : total) {}
  bool Take() {
    const bool take = random_.Below(left_--) < wanted_;
    wanted_ -= take ? 1 : 0;
    return take;
  }
  bool done() const { return wanted_ == 0; }

 private:
  Random& random_;
  uint64_t left_;
  uint64_t wanted_;
};

// Calls f(entry&) for `wanted` distinct entries of a BucketTable, or all if there are fewer.
template <class Table, class F>
void SampleDistinctEntries(const Table& table, Random& random, uint64_t wanted, F&& f) {
  if (wanted == 0) return;
  // A draw that was made before is repeated; with a third taken that is still rare, beyond it one
  // pass over the table is cheaper.
  if (wanted * 3 > table.size()) {
    SelectionSampler sampler(random, table.size(), wanted);
    table.ForEach([&](auto* entry) {
      if (!sampler.done() && sampler.Take()) f(*entry);
    });
    return;
  }
  std::unordered_set<const void*> drawn;
  while (drawn.size() < wanted) {
    auto* entry = table.Sample(random);
    if (drawn.insert(entry).second) f(*entry);
  }
}

}  // namespace backplane
