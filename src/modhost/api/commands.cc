// SPDX-License-Identifier: BSD-3-Clause
// API area: registering commands.
#include "base/ascii.h"
#include "modhost/api/areas.h"
#include "modhost/api_table.h"
#include "modhost/context.h"
#include "modhost/host.h"
#include "modhost/module_command.h"

namespace backplane {
namespace {

// What clients could not type, or what rules of users and names of subcommands give a meaning to
// ('|', '@', '='), is no name.
bool IsCommandName(std::string_view name) {
  if (name.empty() || name.size() > 128) return false;
  for (char c : name) {
    if (c <= ' ' || c == '|' || c == '@' || c == '=' || c == 0x7f) return false;
  }
  return true;
}

// A command with what both kinds share; null when the description is not valid.
std::unique_ptr<Command> Describe(const Module& module, const char* name, const char* strflags,
                                  KeyRange keys) {
  uint64_t flags;
  if (!ParseModuleCommandFlags(strflags == nullptr ? "" : strflags, &flags)) return nullptr;
  if (!IsCommandName(name)) return nullptr;
  auto command = std::make_unique<Command>();
  command->name = name;  // shown as the module wrote it; found in any case
  command->fullname = command->name;
  command->arity = -1;
  command->flags = flags;
  if (keys.first > 0 && keys.step <= 0) keys.step = 1;
  command->keys = keys;
  command->module_name = module.name();
  // What a module does with its keys is not known: everything is assumed.
  if (keys.first > 0) {
    const bool asked = (flags & kCmdModuleGetKeys) != 0;  // the module says for each call
    command->key_specs = {
        {.flags = kKeyRW | kKeyAccess | kKeyUpdate | (asked ? uint32_t{kKeyVariableFlags} : 0u),
         .begin = keys.first,
         .step = keys.step,
         .last = keys.last < 0 ? keys.last : keys.last - keys.first}};
  }
  // It is in no category but those that SetCommandACLCategories names.
  if ((flags & kCmdModuleGetKeys) != 0) {
    command->flags |= kCmdMovableKeys;
    command->key_finder = &ModuleCommand::FindKeys;
  }
  if ((flags & kCmdModuleGetChannels) != 0) {
    command->channel_finder = &ModuleCommand::FindChannels;
  }
  return command;
}

int CreateCommand(RedisModuleCtx* ctx, const char* name, RedisModuleCmdFunc cmdfunc,
                  const char* strflags, int firstkey, int lastkey, int keystep) {
  Module* module = ctx->module;
  if (!module->loading()) return REDISMODULE_ERR;
  auto command = Describe(*module, name, strflags, {firstkey, lastkey, keystep});
  if (command == nullptr) return REDISMODULE_ERR;
  if (cmdfunc == nullptr) command->arity = -2;  // a subcommand must follow
  auto adapter = std::make_unique<ModuleCommand>(module, cmdfunc);
  if (!adapter->Register(nullptr, std::move(command))) return REDISMODULE_ERR;
  module->Own(std::move(adapter));
  return REDISMODULE_OK;
}

int CreateSubcommand(RedisModuleCommand* parent, const char* name, RedisModuleCmdFunc cmdfunc,
                     const char* strflags, int firstkey, int lastkey, int keystep) {
  ModuleCommand* container = ModuleCommand::From(parent);
  Module* module = container->module();
  // Only a container has subcommands, and there is one level of them.
  if (!module->loading() || container->function() != nullptr ||
      container->command().parent != nullptr) {
    return REDISMODULE_ERR;
  }
  auto command = Describe(*module, name, strflags, {firstkey, lastkey, keystep});
  if (command == nullptr) return REDISMODULE_ERR;
  command->arity = -2;
  command->fullname = container->command().fullname + "|" + command->name;
  auto adapter = std::make_unique<ModuleCommand>(module, cmdfunc);
  if (!adapter->Register(container, std::move(command))) return REDISMODULE_ERR;
  module->Own(std::move(adapter));
  return REDISMODULE_OK;
}

RedisModuleCommand* GetCommand(RedisModuleCtx* ctx, const char* name) {
  Command* command = ctx->host().engine().commands().FindFullName(name);
  if (command == nullptr) return nullptr;
  ModuleCommand* adapter = ModuleCommand::Of(*command);
  return adapter == nullptr || adapter->module() != ctx->module ? nullptr : adapter->handle();
}

int IsKeysPositionRequest(RedisModuleCtx* ctx) { return ctx->Has(kCtxKeysRequest) ? 1 : 0; }

void KeyAtPosWithFlags(RedisModuleCtx* ctx, int pos, int flags) {
  if (ctx->Has(kCtxKeysRequest) && pos > 0) ctx->positions->push_back({pos, flags});
}

void KeyAtPos(RedisModuleCtx* ctx, int pos) {
  KeyAtPosWithFlags(ctx, pos,
                    static_cast<int>(REDISMODULE_CMD_KEY_RW | REDISMODULE_CMD_KEY_UPDATE |
                                     REDISMODULE_CMD_KEY_ACCESS));
}

int IsChannelsPositionRequest(RedisModuleCtx* ctx) { return ctx->Has(kCtxChannelsRequest) ? 1 : 0; }

void ChannelAtPosWithFlags(RedisModuleCtx* ctx, int pos, int flags) {
  if (ctx->Has(kCtxChannelsRequest) && pos > 0) ctx->positions->push_back({pos, flags});
}

// Categories given to a command, which has none from its flags.
int SetCommandACLCategories(RedisModuleCommand* handle, const char* ctgrsflags) {
  ModuleCommand* adapter = ModuleCommand::From(handle);
  if (!adapter->module()->loading()) return REDISMODULE_ERR;
  uint64_t categories = 0;
  std::string_view rest(ctgrsflags == nullptr ? "" : ctgrsflags);
  while (!rest.empty()) {
    const size_t space = rest.find(' ');
    std::string_view word = rest.substr(0, space);
    rest.remove_prefix(space == std::string_view::npos ? rest.size() : space + 1);
    if (word.empty()) continue;
    const uint64_t bit = AclCategoryByName(word);
    if (bit == 0) return REDISMODULE_ERR;
    categories |= bit;
  }
  adapter->command().acl |= categories;
  return REDISMODULE_OK;
}

int UpdateRuntimeArgs(RedisModuleCtx* ctx, RedisModuleString** argv, int argc) {
  std::vector<std::string> args;
  for (int i = 0; i < argc; ++i) args.emplace_back(argv[i]->view());
  ctx->module->set_args(std::move(args));
  ctx->host().NoteModules();
  return REDISMODULE_OK;
}

}  // namespace

void RegisterCommandApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(CreateCommand),
      BACKPLANE_API_ROW(CreateSubcommand),
      BACKPLANE_API_ROW(GetCommand),
      BACKPLANE_API_ROW(IsKeysPositionRequest),
      BACKPLANE_API_ROW(KeyAtPosWithFlags),
      BACKPLANE_API_ROW(KeyAtPos),
      BACKPLANE_API_ROW(IsChannelsPositionRequest),
      BACKPLANE_API_ROW(ChannelAtPosWithFlags),
      BACKPLANE_API_ROW(SetCommandACLCategories),
      BACKPLANE_API_ROW(UpdateRuntimeArgs),
  };
  table.Add(rows);
}

}  // namespace backplane
