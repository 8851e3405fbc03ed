// SPDX-License-Identifier: BSD-3-Clause
// What modules see of a client.
#pragma once

#include "client/session.h"
#include "modhost/api_signatures.h"

namespace backplane {

// Fills version 1 of the structure.
void FillClientInfo(Session& session, RedisModuleClientInfo* info);

}  // namespace backplane
