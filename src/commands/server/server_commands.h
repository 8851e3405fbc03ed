// SPDX-License-Identifier: BSD-3-Clause
// Commands about the server as a whole: COMMAND, CONFIG, INFO, SHUTDOWN, DEBUG, FLUSHALL and so on,
// and what they need from the server.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "command/registry.h"

namespace backplane {

class AppendOnly;
class Clients;
class OptionTable;
class ConnectionSet;
class Persistence;
class EventLoop;
class MigrationPeers;
class Scripting;
class ServerSamples;
struct StartupDirectives;

struct ServerFacts {
  std::string run_id;
  std::string executable;
  std::string config_file;
  std::string_view supervisor = "no";
  int64_t started_ms = 0;  // wall time
  int64_t port = 0;
  std::vector<std::string> listeners;  // "name=tcp,bind=...,port=..." as INFO shows them
};

struct ShutdownOptions {
  enum class Save : uint8_t { kByConfig, kYes, kNo } save = Save::kByConfig;
  bool now = false;
  bool force = false;
};

// Implemented by the server.
class ServerControl {
 public:
  virtual ~ServerControl() = default;
  virtual ServerFacts Facts() = 0;
  // Stops the loop after the current turn. An error says why not (the final save failed).
  virtual Status Shutdown(const ShutdownOptions& options) = 0;
  // Calls off a shutdown that a signal asked for and that has not begun; false: there is none.
  virtual bool AbortShutdown() = 0;
  // DEBUG PAUSE-CRON: periodic work rests, and shutdowns that signals ask for.
  virtual void PauseCron(bool pause) = 0;
};

// INFO sections that modules write.
class ModuleInfoSource {
 public:
  virtual ~ModuleInfoSource() = default;
  // Headings and lines of all modules' sections, or of the one (or the module) that `wanted` names.
  virtual std::string ModuleSections(std::string_view wanted) = 0;
  virtual bool HasSection(std::string_view name) = 0;
};

// Writes one INFO section: "name:value" lines. Sections of modules and persistence are registered
// by their owners.
class InfoSection {
 public:
  virtual ~InfoSection() = default;
  virtual std::string_view name() const = 0;  // as in INFO's heading: "Server"
  virtual bool in_default() const { return true; }
  // Appends lines ending in \r\n, without the heading.
  virtual void Append(std::string* out) = 0;
};

struct ServerServices {
  ServerControl* control = nullptr;
  OptionTable* options = nullptr;
  StartupDirectives* directives = nullptr;
  Clients* clients = nullptr;
  ConnectionSet* connections = nullptr;
  EventLoop* loop = nullptr;
  std::vector<InfoSection*> info_sections;  // shown between the built-in ones, in this order
  Persistence* persistence = nullptr;       // DEBUG RELOAD, FLUSHALL
  ServerSamples* samples = nullptr;
  // Sections that come and go with modules; asked after all others. null in tests.
  class ModuleInfoSource* module_info = nullptr;
  Scripting* scripting = nullptr;             // INFO memory
  MigrationPeers* migration_peers = nullptr;  // INFO stats
  AppendOnly* append_only = nullptr;          // DEBUG LOADAOF, INFO memory
};

// `services` outlives the registry.
void RegisterServerCommands(CommandRegistry& registry, ServerServices& services);

}  // namespace backplane
