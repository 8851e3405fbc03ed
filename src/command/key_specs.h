// SPDX-License-Identifier: BSD-3-Clause
// Key specifications that rows of several families share: see KeySpec in spec.h.
#pragma once

#include "command/spec.h"

namespace backplane::key_specs {

// The first key is written from the second: GEOSEARCHSTORE, ZRANGESTORE.
inline constexpr KeySpec kStoreFromOne[] = {{.flags = kKeyOW | kKeyUpdate, .begin = 1},
                                            {.flags = kKeyRO | kKeyAccess, .begin = 2}};
// The first key is written from all others: SUNIONSTORE, SDIFFSTORE.
inline constexpr KeySpec kStoreFromMany[] = {
    {.flags = kKeyOW | kKeyUpdate, .begin = 1},
    {.flags = kKeyRO | kKeyAccess, .begin = 2, .last = -1}};
// The same for a destination that is said to be read as well: SINTERSTORE.
inline constexpr KeySpec kUpdateFromMany[] = {
    {.flags = kKeyRW | kKeyUpdate, .begin = 1},
    {.flags = kKeyRO | kKeyAccess, .begin = 2, .last = -1}};
// An element goes from the first key to the second: LMOVE, SMOVE and their kind.
inline constexpr KeySpec kMoveElement[] = {{.flags = kKeyRW | kKeyAccess | kKeyDelete, .begin = 1},
                                           {.flags = kKeyRW | kKeyInsert, .begin = 2}};

}  // namespace backplane::key_specs
