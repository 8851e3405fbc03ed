// SPDX-License-Identifier: BSD-3-Clause
// API areas: reading and writing inside the callbacks of types, and what they can ask.
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "modhost/api/areas.h"
#include "modhost/api/log.h"
#include "modhost/api_table.h"
#include "modhost/call_arguments.h"
#include "modhost/host.h"
#include "modhost/module_io.h"

namespace backplane {
namespace {

int IsIOError(RedisModuleIO* io) { return io->error ? 1 : 0; }

void SaveUnsigned(RedisModuleIO* io, uint64_t value) {
  if (io->error) return;
  io->WriteOpcode(BodyOpcode::kUnsigned);
  io->writer->WriteLength(value);
}

// In the field signed numbers are written as unsigned ones.
void SaveSigned(RedisModuleIO* io, int64_t value) {
  SaveUnsigned(io, static_cast<uint64_t>(value));
}

void SaveStringBuffer(RedisModuleIO* io, const char* str, size_t len) {
  if (io->error) return;
  io->WriteOpcode(BodyOpcode::kString);
  io->writer->WriteString({str, len});
}

void SaveString(RedisModuleIO* io, RedisModuleString* s) { SaveStringBuffer(io, s->data, s->size); }

void SaveDouble(RedisModuleIO* io, double value) {
  if (io->error) return;
  io->WriteOpcode(BodyOpcode::kDouble);
  io->writer->WriteBinaryDouble(value);
}

void SaveFloat(RedisModuleIO* io, float value) {
  if (io->error) return;
  io->WriteOpcode(BodyOpcode::kFloat);
  char bytes[sizeof(value)];
  std::memcpy(bytes, &value, sizeof(value));
  io->writer->WriteRaw({bytes, sizeof(bytes)});
}

void SaveLongDouble(RedisModuleIO* io, long double value) {
  char text[64];
  const int size = std::snprintf(text, sizeof(text), "%La", value);
  SaveStringBuffer(io, text, static_cast<size_t>(size));
}

uint64_t LoadUnsigned(RedisModuleIO* io) {
  if (!io->Expect(BodyOpcode::kUnsigned)) return 0;
  auto value = io->reader->ReadLength();
  if (value) return *value;
  io->Fail();
  return 0;
}

int64_t LoadSigned(RedisModuleIO* io) { return static_cast<int64_t>(LoadUnsigned(io)); }

// False on error; *text is then empty. The text is valid until the next read.
bool LoadText(RedisModuleIO* io, std::string_view* text) {
  if (!io->Expect(BodyOpcode::kString)) return false;
  auto read = io->reader->ReadStringView();
  if (!read) {
    io->Fail();
    return false;
  }
  *text = *read;
  return true;
}

// Modules that do not look for errors must not meet a null.
bool NullOnError(const RedisModuleIO* io) {
  return io->type->module()->HasOption(REDISMODULE_OPTIONS_HANDLE_IO_ERRORS);
}

RedisModuleString* LoadString(RedisModuleIO* io) {
  std::string_view text;
  if (!LoadText(io, &text) && NullOnError(io)) return nullptr;
  return NewModuleString(text);
}

char* LoadStringBuffer(RedisModuleIO* io, size_t* lenptr) {
  std::string_view text;
  const bool loaded = LoadText(io, &text);
  if (lenptr != nullptr) *lenptr = text.size();
  if (!loaded && NullOnError(io)) return nullptr;
  // The module frees it with its own Free, so it is counted as its own.
  auto alloc = reinterpret_cast<api::Alloc>(SlotFunction(io->type->module()->slot(), "Alloc"));
  char* buffer = static_cast<char*>(alloc(text.size()));
  if (!text.empty()) std::memcpy(buffer, text.data(), text.size());
  return buffer;
}

double LoadDouble(RedisModuleIO* io) {
  if (!io->Expect(BodyOpcode::kDouble)) return 0;
  auto value = io->reader->ReadBinaryDouble();
  if (value) return *value;
  io->Fail();
  return 0;
}

float LoadFloat(RedisModuleIO* io) {
  if (!io->Expect(BodyOpcode::kFloat)) return 0;
  float value = 0;
  if (io->reader->ReadRaw(reinterpret_cast<char*>(&value), sizeof(value))) return value;
  io->Fail();
  return 0;
}

long double LoadLongDouble(RedisModuleIO* io) {
  std::string_view read;
  if (!LoadText(io, &read)) return 0;
  const std::string text(read);
  char* end = nullptr;
  const long double value = std::strtold(text.c_str(), &end);
  if (end != text.c_str() + text.size() || text.empty()) {
    io->Fail();
    return 0;
  }
  return value;
}

const RedisModuleString* GetKeyNameFromIO(RedisModuleIO* io) { return io->KeyString(); }
int GetDbIdFromIO(RedisModuleIO* io) { return io->db; }
RedisModuleCtx* GetContextFromIO(RedisModuleIO* io) { return io->context(); }

void LogIOError(RedisModuleIO* io, const char* levelstr, const char* fmt, ...) {
  va_list values;
  va_start(values, fmt);
  LogFormatted(io->type->module(), levelstr, fmt, values);
  va_end(values);
}

void EmitAOF(RedisModuleIO* io, const char* cmdname, const char* fmt, ...) {
  if (io->error || io->aof == nullptr) return;
  CallArguments call;
  va_list values;
  va_start(values, fmt);
  const bool parsed = call.Parse(cmdname, fmt, values);
  va_end(values);
  if (!parsed || io->type->module()->host().engine().commands().Find(cmdname) == nullptr) {
    io->type->module()->host().logger().Warning(
        "module type " + std::string(io->type->name()) +
        ": EmitAOF of an unknown command or with an unknown format letter: " + cmdname);
    io->Fail();
    return;
  }
  io->aof->Command(call.args());
}

}  // namespace

void RegisterIoApi(ApiTable& table) {
  const ApiRow rows[] = {
      BACKPLANE_API_ROW(IsIOError),        BACKPLANE_API_ROW(SaveUnsigned),
      BACKPLANE_API_ROW(SaveSigned),       BACKPLANE_API_ROW(SaveString),
      BACKPLANE_API_ROW(SaveStringBuffer), BACKPLANE_API_ROW(SaveDouble),
      BACKPLANE_API_ROW(SaveFloat),        BACKPLANE_API_ROW(SaveLongDouble),
      BACKPLANE_API_ROW(LoadUnsigned),     BACKPLANE_API_ROW(LoadSigned),
      BACKPLANE_API_ROW(LoadString),       BACKPLANE_API_ROW(LoadStringBuffer),
      BACKPLANE_API_ROW(LoadDouble),       BACKPLANE_API_ROW(LoadFloat),
      BACKPLANE_API_ROW(LoadLongDouble),   BACKPLANE_API_ROW(GetKeyNameFromIO),
      BACKPLANE_API_ROW(GetDbIdFromIO),    BACKPLANE_API_ROW(GetContextFromIO),
      BACKPLANE_API_ROW(LogIOError),       BACKPLANE_API_ROW(EmitAOF),
  };
  table.Add(rows);
}

}  // namespace backplane
