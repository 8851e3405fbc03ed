// SPDX-License-Identifier: BSD-3-Clause
// RedisModuleIO: the stream that rdb_load, rdb_save, aux and aof_rewrite callbacks work on. What
// they write is a list of opcodes with payloads (see value/dormant_value.h), so a value can be
// skipped, kept and checked without its module.
//
// A failed read latches: every later read gives zero or nothing. Modules that did not promise to
// handle that (REDISMODULE_OPTIONS_HANDLE_IO_ERRORS) get an empty string instead of null, so that
// they reach their end; the value then counts as unreadable. The process never ends because of it.
#pragma once

#include <cstdint>
#include <string_view>

#include "modhost/module_type.h"
#include "modhost/string.h"
#include "persist/rdb_reader.h"
#include "value/serial.h"

struct RedisModuleCtx;

namespace backplane {

enum class BodyOpcode : uint64_t {
  kEof = 0,
  kSigned = 1,
  kUnsigned = 2,
  kFloat = 3,
  kDouble = 4,
  kString = 5
};

}  // namespace backplane

struct RedisModuleIO {
  backplane::ModuleType* type = nullptr;
  backplane::RdbReader* reader = nullptr;
  backplane::ValueWriter* writer = nullptr;
  backplane::ModuleValues::CommandOut* aof = nullptr;  // gets the commands of an AOF rewrite
  // Whose value it is; null data when nobody knows. Outlives the stream.
  std::string_view key_name;
  int db = -1;
  bool error = false;
  uint64_t written = 0;  // opcodes

  RedisModuleIO() = default;
  RedisModuleIO(const RedisModuleIO&) = delete;
  RedisModuleIO& operator=(const RedisModuleIO&) = delete;
  ~RedisModuleIO();

  // Reads the opcode of the next item; false, and the error latched, when it is another one.
  bool Expect(backplane::BodyOpcode opcode);
  void Fail();
  void WriteOpcode(backplane::BodyOpcode opcode);
  RedisModuleCtx* context();
  // key_name as a module's string; null without one. Lives as long as the stream.
  RedisModuleString* KeyString();

 private:
  RedisModuleString* key_string_ = nullptr;  // made when asked for
  RedisModuleCtx* context_ = nullptr;        // made when asked for
};
