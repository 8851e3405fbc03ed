// SPDX-License-Identifier: BSD-3-Clause
// Options about replicas and about defragmentation, which the configurations of others set:
// RegisterBuiltinOptions adds them. What they do is said with ReplicationSettings. Engine thread.
#pragma once

#include "config/options.h"

namespace backplane {

// Both outlive the table.
void RegisterReplicationOptions(OptionTable& table, ReplicationSettings& settings);
void RegisterDefragmentationOptions(OptionTable& table, DefragmentationSettings& settings);

}  // namespace backplane
