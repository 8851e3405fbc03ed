// SPDX-License-Identifier: BSD-3-Clause
// PING to CLIENT: commands about the connection itself.
#pragma once

#include <string>

#include "command/registry.h"

namespace backplane {

class ClientPause;
class Clients;
class Engine;
class Session;

// What `HELLO` lists under "modules"; the module host implements it.
class ModuleLister {
 public:
  virtual ~ModuleLister() = default;
  virtual void ReplyModules(class ReplySink& reply) = 0;
};

struct ConnectionServices {
  Clients* clients = nullptr;       // null in tests without a network
  ModuleLister* modules = nullptr;  // null: none
  ClientPause* pause = nullptr;     // null in tests without a network
};

// What CLIENT LIST says of a client, without a line end.
std::string ClientLine(Engine& engine, Session& session);

// `services` outlives the registry.
void RegisterConnectionCommands(CommandRegistry& registry, ConnectionServices& services);
void RegisterClientCommands(CommandRegistry& registry, ConnectionServices& services);
// After the former.
void RegisterClientTrackingCommands(CommandRegistry& registry);

}  // namespace backplane
