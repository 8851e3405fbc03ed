// SPDX-License-Identifier: BSD-3-Clause
// CommandFilters: modules that see, and may change, every command before it is looked up. Engine
// thread.
#pragma once

#include <string_view>
#include <vector>

#include "engine/engine.h"
#include "modhost/api_signatures.h"
#include "modhost/registration.h"
#include "modhost/string.h"

struct RedisModuleCommandFilterCtx {
  std::vector<RedisModuleString*> args;  // one reference each
  uint64_t client_id = 0;
  bool changed = false;
};

namespace backplane {

class CommandFilters;

}  // namespace backplane

struct RedisModuleCommandFilter final : public backplane::Registration {
  RedisModuleCommandFilter(backplane::Module* module, backplane::CommandFilters* filters,
                           RedisModuleCommandFilterFunc callback, int flags);
  ~RedisModuleCommandFilter() override;
  const char* kind() const override { return "command-filter"; }

  RedisModuleCommandFilterFunc callback;
  int flags;

 private:
  backplane::CommandFilters* filters_;
};

namespace backplane {

class CommandFilters final : public CommandInterceptor {
 public:
  explicit CommandFilters(Engine* engine) : engine_(engine) {}
  ~CommandFilters() override;

  void Add(RedisModuleCommandFilter* filter);
  void Remove(RedisModuleCommandFilter* filter);
  bool empty() const { return filters_.empty(); }

  bool Intercept(Session& session, std::vector<std::string_view>* args) override;
  // The same for a command that a module calls.
  bool Apply(uint64_t client_id, const Module* caller, std::vector<std::string_view>* args);

 private:
  Engine* engine_;
  std::vector<RedisModuleCommandFilter*> filters_;
  std::vector<ModuleString*> kept_;  // holds the bytes of the last changed command
};

}  // namespace backplane
