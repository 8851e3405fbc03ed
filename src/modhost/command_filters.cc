// SPDX-License-Identifier: BSD-3-Clause
// CommandFilters: running the filters over a command.
#include "modhost/command_filters.h"

#include "modhost/module.h"
#include "modhost/module_code.h"

RedisModuleCommandFilter::RedisModuleCommandFilter(backplane::Module* module,
                                                   backplane::CommandFilters* filters,
                                                   RedisModuleCommandFilterFunc callback_in,
                                                   int flags_in)
    : Registration(module), callback(callback_in), flags(flags_in), filters_(filters) {
  ++module->filters;
  filters_->Add(this);
}

RedisModuleCommandFilter::~RedisModuleCommandFilter() {
  --module()->filters;
  filters_->Remove(this);
}

namespace backplane {

CommandFilters::~CommandFilters() {
  for (ModuleString* string : kept_) ReleaseModuleString(string);
}

void CommandFilters::Add(RedisModuleCommandFilter* filter) {
  if (filters_.empty()) engine_->AddInterceptor(this);
  filters_.push_back(filter);
}

void CommandFilters::Remove(RedisModuleCommandFilter* filter) {
  std::erase(filters_, filter);
  if (filters_.empty()) engine_->RemoveInterceptor(this);
}

bool CommandFilters::Intercept(Session& session, std::vector<std::string_view>* args) {
  // A script's session has no number: its command is the client's.
  const Session* executing = engine_->executing();
  const bool own = session.kind() == Session::Kind::kNormal || executing == nullptr;
  return Apply(own ? session.id() : executing->id(), nullptr, args);
}

bool CommandFilters::Apply(uint64_t client_id, const Module* caller,
                           std::vector<std::string_view>* args) {
  RedisModuleCommandFilterCtx filtered;
  filtered.client_id = client_id;
  for (std::string_view arg : *args) filtered.args.push_back(NewModuleString(arg));
  for (size_t i = 0; i < filters_.size(); ++i) {
    RedisModuleCommandFilter* filter = filters_[i];
    if ((filter->flags & REDISMODULE_CMDFILTER_NOSELF) != 0 && filter->module() == caller) continue;
    ModuleCallback mark(*filter->module(), "command filter");
    filter->callback(&filtered);
  }
  // The command's words must live until it has run, which may itself come here again (a call by a
  // module): what was kept before is still in use then, so only a top-level command clears.
  if (caller == nullptr && engine_->unit_depth() == 0) {
    for (ModuleString* string : kept_) ReleaseModuleString(string);
    kept_.clear();
  }
  if (!filtered.changed) {
    for (ModuleString* string : filtered.args) ReleaseModuleString(string);
    return false;
  }
  args->clear();
  for (ModuleString* string : filtered.args) {
    args->push_back(string->view());
    kept_.push_back(string);
  }
  return true;
}

}  // namespace backplane
