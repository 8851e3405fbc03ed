// SPDX-License-Identifier: BSD-3-Clause
// PropagationTarget: who is told of a change (engine/propagation.h). Scripts, modules and some
// commands leave one of them out. Bits.
#pragma once

#include <cstdint>

namespace backplane {

enum PropagationTarget : uint8_t {
  kPropagateNowhere = 0,
  kPropagateToAof = 1,
  kPropagateToReplicas = 2,
  kPropagateEverywhere = 3,
};

}  // namespace backplane
