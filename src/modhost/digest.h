// SPDX-License-Identifier: BSD-3-Clause
// RedisModuleDigest: what a type's digest callback adds to. `ordered` is the running sequence,
// `unordered` the sum of the finished ones.
#pragma once

#include "modhost/string.h"

struct RedisModuleDigest {
  unsigned char ordered[20] = {};
  unsigned char unordered[20] = {};
  RedisModuleString* key = nullptr;
  int db = -1;
};
