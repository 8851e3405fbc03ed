// SPDX-License-Identifier: BSD-3-Clause
// ACL and its subcommands.
#pragma once

#include "command/registry.h"

namespace backplane {

class Clients;
class Users;

struct AclServices {
  Users* users = nullptr;
  Clients* clients = nullptr;  // null in tests without a network
};

// `services` outlives the registry.
void RegisterAclCommands(CommandRegistry& registry, AclServices& services);
// ACL LOG, CAT, DRYRUN and others that change no user.
void RegisterAclReportCommands(CommandRegistry& registry, AclServices& services);

}  // namespace backplane
