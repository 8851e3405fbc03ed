// SPDX-License-Identifier: BSD-3-Clause
// RedisModuleIO: opcodes and the error latch.
#include "modhost/module_io.h"

#include "modhost/context.h"
#include "modhost/host.h"

using backplane::BodyOpcode;

namespace {

// A context that owns its session: callbacks of types may select databases and call commands.
struct IoContext final : public RedisModuleCtx {
  explicit IoContext(backplane::Module* owner)
      : RedisModuleCtx(owner, &own, &owner->host().null_sink()),
        own(0, backplane::Session::Kind::kModule, &owner->host().null_sink(), nullptr) {}
  backplane::Session own;
};

}  // namespace

RedisModuleIO::~RedisModuleIO() {
  delete static_cast<IoContext*>(context_);
  if (key_string_ != nullptr) backplane::ReleaseModuleString(key_string_);
}

bool RedisModuleIO::Expect(BodyOpcode opcode) {
  if (error) return false;
  if (reader == nullptr) return false;
  auto read = reader->ReadLength();
  if (!read || *read != static_cast<uint64_t>(opcode)) {
    Fail();
    return false;
  }
  return true;
}

void RedisModuleIO::Fail() { error = true; }

void RedisModuleIO::WriteOpcode(BodyOpcode opcode) {
  ++written;
  writer->WriteLength(static_cast<uint64_t>(opcode));
}

RedisModuleString* RedisModuleIO::KeyString() {
  if (key_string_ == nullptr && key_name.data() != nullptr) {
    key_string_ = backplane::NewModuleString(key_name);
  }
  return key_string_;
}

RedisModuleCtx* RedisModuleIO::context() {
  if (context_ == nullptr) {
    auto* made = new IoContext(type->module());
    if (db >= 0) made->own.db_index = db;
    context_ = made;
  }
  return context_;
}
