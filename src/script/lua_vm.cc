// SPDX-License-Identifier: BSD-3-Clause
// LuaVm: how a state is made, and what there is in it.
#include "script/lua_vm.h"

#include "base/assert.h"
#include "base/random.h"
#include "script/lua_libraries.h"
#include "script/read_only_tables.h"
#include "script/script_runner.h"

extern "C" {
int luaopen_cjson(lua_State* lua);
int luaopen_bit(lua_State* lua);
}

namespace backplane {
namespace {

// The registry's field with the table of kept functions.
constexpr char kScriptsName[] = "backplane.scripts";
constexpr int kInstructionsBetweenLooks = 100'000;
// Everything of stock Lua that is global in scripts; all else is taken out.
constexpr const char* kGlobals[] = {
    "_G",        "_VERSION", "assert", "bit",          "cjson",  "cmsgpack", "collectgarbage",
    "coroutine", "error",    "gcinfo", "getmetatable", "ipairs", "load",     "loadstring",
    "math",      "next",     "os",     "pairs",        "pcall",  "rawequal", "rawget",
    "rawset",    "redis",    "select", "setmetatable", "string", "struct",   "table",
    "tonumber",  "tostring", "type",   "unpack",       "xpcall"};

void OpenLibrary(lua_State* lua, const char* name, lua_CFunction open) {
  lua_pushcfunction(lua, open);
  lua_pushstring(lua, name);
  lua_call(lua, 1, 0);
}

void SetGlobalTable(lua_State* lua, const char* name, void (*push)(lua_State*)) {
  push(lua);
  lua_setglobal(lua, name);
}

void KeepOnlyClock(lua_State* lua) {
  lua_getglobal(lua, "os");
  lua_getfield(lua, -1, "clock");
  lua_newtable(lua);
  lua_insert(lua, -2);
  lua_setfield(lua, -2, "clock");
  lua_setglobal(lua, "os");
  lua_pop(lua, 1);
}

void RemoveOtherGlobals(lua_State* lua) {
  lua_newtable(lua);  // names to keep
  for (const char* name : kGlobals) {
    lua_pushboolean(lua, 1);
    lua_setfield(lua, -2, name);
  }
  lua_pushnil(lua);
  while (lua_next(lua, LUA_GLOBALSINDEX) != 0) {
    lua_pop(lua, 1);
    lua_pushvalue(lua, -1);
    lua_rawget(lua, -3);
    const bool kept = lua_toboolean(lua, -1) != 0;
    lua_pop(lua, 1);
    if (kept) continue;
    // A field that is being traversed may be cleared.
    lua_pushvalue(lua, -1);
    lua_pushnil(lua);
    lua_rawset(lua, LUA_GLOBALSINDEX);
  }
  lua_pop(lua, 1);
}

// __index of a table of globals: there is no such thing.
int NoSuchGlobal(lua_State* lua) {
  const int type = lua_type(lua, 2);
  if (type != LUA_TSTRING && type != LUA_TNUMBER) {
    return luaL_error(lua, "Second argument to luaProtectedTableError must be a string or number");
  }
  return luaL_error(lua, "Script attempted to access nonexistent global variable '%s'",
                    lua_tostring(lua, 2));
}

// Gives the table on top {__index = NoSuchGlobal} as its metatable.
void RefuseUnknownFields(lua_State* lua) {
  lua_createtable(lua, 0, 1);
  lua_pushcfunction(lua, NoSuchGlobal);
  lua_setfield(lua, -2, "__index");
  lua_setmetatable(lua, -2);
}

void OpenLibraries(lua_State* lua, ScriptRunner* runner, bool functions) {
  OpenLibrary(lua, "", luaopen_base);
  OpenLibrary(lua, LUA_TABLIBNAME, luaopen_table);
  OpenLibrary(lua, LUA_STRLIBNAME, luaopen_string);
  OpenLibrary(lua, LUA_MATHLIBNAME, luaopen_math);
  OpenLibrary(lua, LUA_OSLIBNAME, luaopen_os);
  OpenLibrary(lua, "cjson", luaopen_cjson);
  OpenLibrary(lua, "bit", luaopen_bit);
  lua_pushcfunction(lua, luaopen_cjson);
  lua_call(lua, 0, 1);
  GuardCjsonLibrary(lua);
  lua_setglobal(lua, "cjson");
  SetGlobalTable(lua, "cmsgpack", PushMsgpackLibrary);
  SetGlobalTable(lua, "struct", PushStructLibrary);
  PushRedisLibrary(lua, runner, functions);
  lua_setglobal(lua, "redis");
  ReplaceBaseFunctions(lua, runner);
  KeepOnlyClock(lua);
  RemoveOtherGlobals(lua);
}

// The globals of functions: an empty table whose fields are looked up in one of two others.
void SplitGlobals(lua_State* lua, ScriptRunner* runner) {
  lua_newtable(lua);  // kRuntime
  lua_pushnil(lua);
  while (lua_next(lua, LUA_GLOBALSINDEX) != 0) {
    lua_pushvalue(lua, -2);
    lua_insert(lua, -2);
    lua_rawset(lua, LuaVm::kRuntime);
    lua_pushvalue(lua, -1);
    lua_pushnil(lua);
    lua_rawset(lua, LUA_GLOBALSINDEX);
  }
  lua_pushvalue(lua, LuaVm::kRuntime);
  lua_setfield(lua, LuaVm::kRuntime, "_G");
  RefuseUnknownFields(lua);
  lua_newtable(lua);  // kLoadTime
  PushLoadTimeRedisLibrary(lua, runner);
  RefuseUnknownFields(lua);
  lua_setfield(lua, -2, "redis");
  RefuseUnknownFields(lua);
  lua_pushvalue(lua, LuaVm::kRuntime);
  lua_setfield(lua, LuaVm::kGlobalsMeta, "__index");
  lua_pushvalue(lua, LuaVm::kGlobalsMeta);
  lua_setmetatable(lua, LUA_GLOBALSINDEX);
}

}  // namespace

LuaVm::LuaVm(Kind kind, ScriptRunner* runner) : lua_(lua_newstate(LuaMemory::Allocate, &memory_)) {
  BP_ASSERT(lua_ != nullptr);
  OpenLibraries(lua_, runner, kind == Kind::kFunctions);
  lua_pushcfunction(lua_, DescribeError);
  lua_pushnil(lua_);  // kScripts: made outside the arena, because it is written to
  lua_pushliteral(lua_, "KEYS");
  lua_pushliteral(lua_, "ARGV");
  lua_newtable(lua_);  // kGlobalsMeta
  if (kind == Kind::kFunctions) {
    SplitGlobals(lua_, runner);
  } else {
    for (Slot name : {kKeysName, kArgvName}) {
      lua_pushvalue(lua_, name);
      lua_newtable(lua_);
      lua_rawset(lua_, LUA_GLOBALSINDEX);
    }
    lua_pushvalue(lua_, LUA_GLOBALSINDEX);
    RefuseUnknownFields(lua_);
    lua_pushnil(lua_);
  }
  // Coroutines inherit the hook, those too that outlive the script that made them.
  lua_sethook(lua_, ScriptRunner::OnInstructions, LUA_MASKCOUNT, kInstructionsBetweenLooks);
  lua_gc(lua_, LUA_GCCOLLECT, 0);
  memory_.Seal();
  lua_newtable(lua_);
  {
    LuaMemory::Unprotected unprotected(memory_);
    lua_pushvalue(lua_, -1);
    lua_setfield(lua_, LUA_REGISTRYINDEX, kScriptsName);
  }
  lua_replace(lua_, kScripts);
  BP_ASSERT(lua_gettop(lua_) == kSlots - 1);
  if (kind == Kind::kEval) CheckReadOnlyTables(lua_);
}

LuaVm::~LuaVm() {
  // Closing clears tables of the libraries.
  LuaMemory::Unprotected unprotected(memory_);
  lua_close(lua_);
}

size_t LuaVm::memory() const {
  return static_cast<size_t>(lua_gc(lua_, LUA_GCCOUNT, 0)) * 1024 +
         static_cast<size_t>(lua_gc(lua_, LUA_GCCOUNTB, 0));
}

Status LuaVm::Compile(std::string_view code, const char* chunk_name) {
  // Text that begins with this byte would be taken for bytecode, which can do anything. With a
  // blank in front it is what the parser says it is.
  std::string guarded;
  if (code.starts_with(LUA_SIGNATURE[0])) {
    guarded = " ";
    guarded += code;
    code = guarded;
  }
  if (code.size() >= INT32_MAX)  // its lexer counts in int
    return Fail(ErrorCode::kInvalidArgument, "chunk too long");
  // The parser makes a string of the name and does not anchor it (CVE-2025-49844).
  lua_pushstring(lua_, chunk_name);
  // Only a memory error could leave this by longjmp, and that ends the process.
  const int outcome = luaL_loadbuffer(lua_, code.data(), code.size(), chunk_name);
  lua_remove(lua_, -2);
  if (outcome == 0) return {};
  std::string message = lua_tostring(lua_, -1);
  lua_pop(lua_, 1);
  return Fail(ErrorCode::kInvalidArgument, std::move(message));
}

int LuaVm::Keep() { return luaL_ref(lua_, kScripts); }

int LuaVm::KeepFrom(lua_State* thread) {
  lua_getfield(thread, LUA_REGISTRYINDEX, kScriptsName);
  lua_insert(thread, -2);
  const int ref = luaL_ref(thread, -2);
  lua_pop(thread, 1);
  return ref;
}

void LuaVm::Drop(int ref) { luaL_unref(lua_, kScripts, ref); }

void PushStrings(lua_State* lua, const std::string_view* strings, size_t count) {
  lua_createtable(lua, static_cast<int>(count), 0);
  for (size_t i = 0; i < count; ++i) {
    lua_pushlstring(lua, strings[i].data(), strings[i].size());
    lua_rawseti(lua, -2, static_cast<int>(i) + 1);
  }
}

void LuaVm::SetKeysAndArgs(const std::string_view* args, size_t keys, size_t total) {
  lua_pushvalue(lua_, kKeysName);
  PushStrings(lua_, args, keys);
  lua_pushvalue(lua_, kArgvName);
  PushStrings(lua_, args + keys, total - keys);
  LuaMemory::Unprotected unprotected(memory_);
  lua_rawset(lua_, LUA_GLOBALSINDEX);
  lua_rawset(lua_, LUA_GLOBALSINDEX);
}

void LuaVm::SetLoading(bool loading) {
  LuaMemory::Unprotected unprotected(memory_);
  lua_pushvalue(lua_, loading ? kLoadTime : kRuntime);
  lua_setfield(lua_, kGlobalsMeta, "__index");
}

void LuaVm::CollectSome() {
  constexpr int kRunsBetween = 50;
  constexpr int kKilobytes = 2;
  if (++runs_ < kRunsBetween) return;
  runs_ = 0;
  lua_gc(lua_, LUA_GCSTEP, kKilobytes);
}

void LuaVm::SetEager(lua_State* running, bool eager) {
  const int count = eager ? 1 : kInstructionsBetweenLooks;
  lua_sethook(running, ScriptRunner::OnInstructions, LUA_MASKCOUNT, count);
  lua_sethook(lua_, ScriptRunner::OnInstructions, LUA_MASKCOUNT, count);
}

void LuaVm::SetDebugged(bool debugged) {
  if (!debugged) return SetEager(lua_, false);
  lua_sethook(lua_, ScriptRunner::OnDebuggedLine, LUA_MASKLINE | LUA_MASKCOUNT,
              kInstructionsBetweenLooks);
}

}  // namespace backplane
